"""What a stored consent says, given what else the learner said."""

from __future__ import annotations

from datetime import datetime

from coursewire.model.results import Consent, ConsentState

REFUSALS = frozenset({ConsentState.REFUSED, ConsentState.UNANSWERED})
"""What a learner must not have said about any course of the customer for an implied consent to hold."""


def consent_of(state: ConsentState, by: str | None, at: datetime | None, *, elsewhere: bool) -> Consent:
    """The consent of one enrollment.

    Args:
        state: As stored for this enrollment.
        by: Who said it.
        at: When.
        elsewhere: Whether the learner has one of :data:`REFUSALS` at another enrollment with the same
            customer: implied consent rests on nobody having objected.
    """
    if state is ConsentState.IMPLIED and elsewhere:
        return Consent(ConsentState.REFUSED, elsewhere=True)
    return Consent(state, by, at)

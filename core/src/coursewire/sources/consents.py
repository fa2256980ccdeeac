"""The consent of an enrollment, which depends on the learner's answers for other enrollments."""

from __future__ import annotations

from datetime import datetime

from coursewire.model.results import Consent, ConsentState

REFUSALS = frozenset({ConsentState.REFUSED, ConsentState.UNANSWERED})
"""The answers to any course of the customer that rule out implied consent."""


def consent_of(state: ConsentState, by: str | None, at: datetime | None, *, elsewhere: bool) -> Consent:
    """Return the consent of one enrollment.

    Args:
        state: State that is stored for this enrollment.
        by: Name of the person or system that recorded it.
        at: Instant at which it was recorded.
        elsewhere: True if the learner has one of :data:`REFUSALS` at another enrollment with the same customer,
            which rules out implied consent.
    """
    if state is ConsentState.IMPLIED and elsewhere:
        return Consent(ConsentState.REFUSED, elsewhere=True)
    return Consent(state, by, at)

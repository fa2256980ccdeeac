"""Which id a learner has at an LMS."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

EMPLOYEE_ID = "employee_id"
"""Name under which a learner's remote ids hold the employee id."""

BY_HAND = "by-hand"
"""Origin of a link that a person made; it stands above everything that the source says."""


FROM_LAUNCH = "launch"
"""Origin of a link that came with a learner's launch from the LMS."""


class IdentityState(StrEnum):
    """How far a learner is known at the LMS."""

    LINKED = "linked"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"


class Identity(NamedTuple):
    """A learner's id at the LMS, as found now or as stored.

    Attributes:
        state: Whether there is one.
        value: The id; None unless linked.
        provider: The identity provider that it comes from; "" when from none.
        origin: How it was found, or why it was not; a code such as ``by-hand`` or ``default-provider``.
    """

    state: IdentityState
    value: str | None
    provider: str
    origin: str

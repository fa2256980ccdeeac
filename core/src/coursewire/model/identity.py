"""The id that a learner has at an LMS."""

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
    """The states of what is known about a learner's id at the LMS."""

    LINKED = "linked"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"


class Identity(NamedTuple):
    """A learner's id at the LMS, as found now or as stored.

    Attributes:
        state: The state: linked, unmatched or ambiguous.
        value: The id; None unless the state is linked.
        provider: The identity provider that the id comes from; "" when it comes from none.
        origin: Code of the way in which it was found, such as ``by-hand`` or ``default-provider``, or of the reason why it
            was not.
    """

    state: IdentityState
    value: str | None
    provider: str
    origin: str

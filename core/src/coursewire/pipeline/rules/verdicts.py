"""The life of a verdict: for every answer of an LMS, until when it holds and what lifts it.

Nothing is final without something that lifts it. A change of the item, of the configuration or of the plugin's version
lifts every verdict but a doubt, and so do a connection test that succeeds and a person who asks for another attempt.
What time does is in the one table here, by the kind of answer, the operation and the side at fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from coursewire.model.payload import Operation, ResultKind
from coursewire.model.reasons import LiftedBy, ReasonGroup

ANY_CHANGE = (
    LiftedBy.ITEM,
    LiftedBy.CONFIGURATION,
    LiftedBy.PLUGIN,
    LiftedBy.CONNECTION_TEST,
    LiftedBy.TIME,
    LiftedBy.PERSON,
)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses that grow from one attempt to the next.

    Attributes:
        first: The pause after the first attempt.
        second: The pause after the second one, from which it grows.
        growth: The factor from each further pause to the next.
        longest: The longest pause.
    """

    first: timedelta
    second: timedelta
    growth: int
    longest: timedelta

    def after(self, attempts: int) -> timedelta:
        """Return the pause after a number of attempts that failed, 1 or more.

        Example:
            >>> [str(AFTER_REFUSAL.after(attempts)) for attempts in (1, 2, 3, 4)]
            ['1 day, 0:00:00', '2 days, 0:00:00', '4 days, 0:00:00', '7 days, 0:00:00']
        """
        if attempts <= 1:
            return self.first
        return min(self.second * int(self.growth ** min(attempts - 2, 10)), self.longest)


AFTER_FAILURE = Pauses(_NOTHING, timedelta(minutes=5), 3, _DAY)
"""The next run, then 5, 15, 45 minutes ... up to a day: it says nothing about the item."""
ONCE_A_DAY = Pauses(_DAY, _DAY, 1, _DAY)
"""Somebody has to act, and may have done so without telling us."""
AFTER_REFUSAL = Pauses(_DAY, 2 * _DAY, 2, _WEEK)
"""A day, then 2, 4 and 7: something other than the item may be the cause."""
ONCE_A_WEEK = Pauses(_WEEK, _WEEK, 1, _WEEK)
"""The item itself was refused, and is the same still."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The life of one kind of answer.

    Attributes:
        pauses: The pauses before a later run tries again by itself; None when it does not go by the item's pause.
        lifted_by: The events that end it.
        note: The rest of what is to be known, for people.
    """

    pauses: Pauses | None
    lifted_by: tuple[LiftedBy, ...]
    note: str = ""


_SETTLED = Verdict(None, (LiftedBy.ITEM,), "the LMS has what was wanted")
_OF_KIND = {
    ResultKind.ACCEPTED: _SETTLED,
    ResultKind.ALREADY_SO: _SETTLED,
    ResultKind.TRY_LATER: Verdict(AFTER_FAILURE, ANY_CHANGE),
    ResultKind.BLOCKED: Verdict(ONCE_A_DAY, ANY_CHANGE),
    ResultKind.THROTTLED: Verdict(
        None, (LiftedBy.TIME,), "the item stays planned until the LMS's limit allows more"
    ),
    ResultKind.CREDENTIALS_BROKEN: Verdict(
        None,
        (LiftedBy.CONFIGURATION, LiftedBy.CONNECTION_TEST, LiftedBy.PERSON),
        "the item stays planned, and the configuration waits",
    ),
    ResultKind.IN_DOUBT: Verdict(
        None,
        (LiftedBy.TIME, LiftedBy.PERSON),
        "settled by the next run where the LMS can tell, else by a person",
    ),
}
_REFUSED_ITEM = Verdict(ONCE_A_WEEK, ANY_CHANGE)
_REFUSED_OTHERWISE = Verdict(AFTER_REFUSAL, ANY_CHANGE)
_FAULT_OF_ITEM = frozenset({ReasonGroup.ITEM, ReasonGroup.LEARNER, ReasonGroup.SOURCE})


def verdict_of(kind: ResultKind, operation: Operation, fault: ReasonGroup) -> Verdict:
    """Return the life of an answer.

    Args:
        kind: The kind of the result.
        operation: The operation that the LMS answered. A retirement that is refused leaves the item before learners, so
            that it is tried again sooner, whoever is at fault.
        fault: The side at fault, the group of the result's reason.

    Example:
        >>> refused = verdict_of(ResultKind.REJECTED, Operation.CREATE, ReasonGroup.ITEM)
        >>> refused.pauses is ONCE_A_WEEK, LiftedBy.CONFIGURATION in refused.lifted_by
        (True, True)
    """
    if kind is not ResultKind.REJECTED:
        return _OF_KIND[kind]
    of_item = operation is not Operation.RETIRE and fault in _FAULT_OF_ITEM
    return _REFUSED_ITEM if of_item else _REFUSED_OTHERWISE

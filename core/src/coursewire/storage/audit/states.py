"""The life of a record: every state, every event, and one function that returns the state after an event.

A record is about one item at one LMS. ``state`` is our knowledge of the last operation, ``operation`` the pending one,
and ``present`` tells if learners can see the item at the LMS. Nothing else decides; in particular no timestamp does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from coursewire.errors import ContractError
from coursewire.model.payload import Operation, ResultKind


class State(StrEnum):
    """Our knowledge of an item at the LMS."""

    PLANNED = "planned"
    """An operation is pending and nothing of it has left yet, or it may simply be sent again."""
    SENDING = "sending"
    """A request with it may be under way, or its process died."""
    OFFERED = "offered"
    """It lies ready for an LMS that fetches by itself, and the LMS has not acknowledged it yet."""
    CONFIRMED = "confirmed"
    """The LMS acknowledged what was wanted."""
    RETIRED = "retired"
    """The LMS acknowledged that it took the item away."""
    FAILED = "failed"
    """It did not work; it is tried again from ``not_before`` on."""
    REJECTED = "rejected"
    """The LMS refused it for good; it waits until its payload or the configuration changes."""
    BLOCKED = "blocked"
    """A person must act at the LMS."""
    IN_DOUBT = "in doubt"
    """It left and no answer came, and the LMS gives no way to know."""


class Event(StrEnum):
    """An event in the life of a record."""

    PLAN_CREATE = "plan create"
    PLAN_UPDATE = "plan update"
    PLAN_RETIRE = "plan retire"
    CLAIM = "claim"
    OFFER = "offer"
    """The planned operation is published for the LMS to fetch; from now on the LMS may hold it."""
    CONFIRM = "confirm"
    REJECT = "reject"
    FAIL = "fail"
    DEFER = "defer"
    BLOCK = "block"
    DOUBT = "doubt"
    FOUND = "found"
    """Settling: the item is at the LMS, with what content is unknown."""
    NOT_FOUND = "not found"
    """Settling: the item is not at the LMS."""
    RESEND = "resend"
    """Settling: sending again does no harm."""
    KEEP = "keep"
    """The planned operation is not needed, since the LMS holds the wanted payload."""
    WITHDRAW = "withdraw"
    """The item is no longer wanted, and nothing of it ever was at the LMS."""


class RecordState(NamedTuple):
    """The part of a record that events change: state, pending operation, presence."""

    state: State
    operation: Operation | None
    present: bool


NEW = RecordState(State.PLANNED, None, present=False)
"""The state of a new record: nothing is at the LMS."""

PLANS = {
    Event.PLAN_CREATE: Operation.CREATE,
    Event.PLAN_UPDATE: Operation.UPDATE,
    Event.PLAN_RETIRE: Operation.RETIRE,
}
"""The events that plan, and the operation that each makes pending."""

_AFTER_SENDING = {
    Event.REJECT: State.REJECTED,
    Event.FAIL: State.FAILED,
    Event.DEFER: State.PLANNED,
    Event.BLOCK: State.BLOCKED,
    Event.DOUBT: State.IN_DOUBT,
}

_UNDERWAY = frozenset({State.SENDING, State.IN_DOUBT})
_OPEN = _UNDERWAY | {State.OFFERED}

RESULT_EVENTS = {
    ResultKind.ACCEPTED: Event.CONFIRM,
    ResultKind.ALREADY_SO: Event.CONFIRM,
    ResultKind.REJECTED: Event.REJECT,
    ResultKind.TRY_LATER: Event.FAIL,
    ResultKind.THROTTLED: Event.DEFER,
    ResultKind.CREDENTIALS_BROKEN: Event.DEFER,
    ResultKind.BLOCKED: Event.BLOCK,
    ResultKind.IN_DOUBT: Event.DOUBT,
}
"""The event by the kind of a result; after broken credentials the item stays planned."""


def after(before: RecordState, event: Event) -> RecordState:
    """Return the state of a record after an event.

    Raises:
        ContractError: The event cannot happen in this state: the caller is wrong.
    """
    state, operation, present = before
    if event in PLANS:
        return _plan(before, event)
    if event is Event.CLAIM and state is State.PLANNED and operation is not None:
        return RecordState(State.SENDING, operation, present)
    if event is Event.OFFER and state is State.PLANNED and operation is not None:
        return RecordState(State.OFFERED, operation, present=True)
    if event is Event.CONFIRM and state is State.OFFERED and operation is not None:
        return _confirmed(operation)
    if event is Event.KEEP and present and state not in _OPEN:
        return RecordState(State.CONFIRMED, None, present=True)
    if event is Event.WITHDRAW and not present and state not in _OPEN:
        return RecordState(State.RETIRED, None, present=False)
    if state in _UNDERWAY and operation is not None:
        if event is Event.CONFIRM:
            return _confirmed(operation)
        if event in (Event.FOUND, Event.RESEND):
            # It is there, or may be. A create has become an update, so that its content is surely ours
            # and it is retired if nobody wants it any more.
            follow = Operation.RETIRE if operation is Operation.RETIRE else Operation.UPDATE
            return RecordState(State.PLANNED, follow, present=True)
        if event is Event.NOT_FOUND:
            if operation is Operation.RETIRE:
                return RecordState(State.RETIRED, None, present=False)
            return RecordState(State.PLANNED, Operation.CREATE, present=False)
    if state is State.SENDING and operation is not None and event in _AFTER_SENDING:
        # A request that was not answered may have arrived: from now on the item may be there.
        return RecordState(_AFTER_SENDING[event], operation, present or event is Event.DOUBT)
    raise _illegal(before, event)


def _confirmed(operation: Operation) -> RecordState:
    gone = operation is Operation.RETIRE
    return RecordState(State.RETIRED if gone else State.CONFIRMED, None, present=not gone)


def _plan(before: RecordState, event: Event) -> RecordState:
    state, _operation, present = before
    wanted = PLANS[event]
    if state is State.SENDING or present is (wanted is Operation.CREATE):
        raise _illegal(before, event)
    return RecordState(State.PLANNED, wanted, present)


def _illegal(before: RecordState, event: Event) -> ContractError:
    pending = before.operation.value if before.operation else "nothing"
    return ContractError(
        f"a record that is {before.state.value} (pending: {pending}, "
        f"{'present' if before.present else 'absent'}) cannot take the event {event.value!r}"
    )

"""Every state of a record meets every event: what may happen is listed here, all else is refused."""

from __future__ import annotations

from itertools import product

import pytest

from coursewire.errors import ContractError
from coursewire.model.payload import Operation, ResultKind
from coursewire.storage.audit.states import NEW, RESULT_EVENTS, Event, RecordState, State, after

OPERATIONS = {"-": None, "create": Operation.CREATE, "update": Operation.UPDATE, "retire": Operation.RETIRE}
PRESENCE = {"no": False, "yes": True}

# "*" is any value; "=" is the value from before; "a/b" is either.
SETTLED = "planned/confirmed/retired/failed/rejected/blocked/in doubt/offered"
PENDING = "create/update/retire"
LEGAL = f"""
state               | pending       | there | event       | state     | pending | there
{SETTLED}           | *             | no    | plan create | planned   | create  | no
{SETTLED}           | *             | yes   | plan update | planned   | update  | yes
{SETTLED}           | *             | yes   | plan retire | planned   | retire  | yes

planned             | {PENDING}     | *     | claim       | sending   | =       | =

planned             | {PENDING}     | *     | offer       | offered   | =       | yes

sending/in doubt/offered | create/update | * | confirm    | confirmed | -       | yes
sending/in doubt/offered | retire   | *     | confirm     | retired   | -       | no

sending             | {PENDING}     | *     | reject      | rejected  | =       | =
sending             | {PENDING}     | *     | fail        | failed    | =       | =
sending             | {PENDING}     | *     | defer       | planned   | =       | =
sending             | {PENDING}     | *     | block       | blocked   | =       | =
sending             | {PENDING}     | *     | doubt       | in doubt  | =       | yes

sending/in doubt    | create/update | *     | found       | planned   | update  | yes
sending/in doubt    | retire        | *     | found       | planned   | retire  | yes
sending/in doubt    | create/update | *     | not found   | planned   | create  | no
sending/in doubt    | retire        | *     | not found   | retired   | -       | no
sending/in doubt    | create/update | *     | resend      | planned   | update  | yes
sending/in doubt    | retire        | *     | resend      | planned   | retire  | yes

planned/confirmed/retired/failed/rejected/blocked | * | no  | withdraw | retired   | - | no
planned/confirmed/retired/failed/rejected/blocked | * | yes | keep     | confirmed | - | yes
"""


def _legal() -> dict[tuple[RecordState, Event], RecordState]:
    table: dict[tuple[RecordState, Event], RecordState] = {}
    for line in LEGAL.strip().splitlines()[1:]:
        if not line:
            continue
        states, pendings, theres, event, *then = (cell.strip() for cell in line.split("|"))
        for state, pending, there in product(
            states.split("/"),
            OPERATIONS if pendings == "*" else pendings.split("/"),
            PRESENCE if theres == "*" else theres.split("/"),
        ):
            new_state, new_pending, new_there = then
            key = RecordState(State(state), OPERATIONS[pending], PRESENCE[there]), Event(event)
            assert key not in table, f"listed twice: {key}"
            table[key] = RecordState(
                State(new_state),
                OPERATIONS[pending if new_pending == "=" else new_pending],
                PRESENCE[there if new_there == "=" else new_there],
            )
    return table


def test_each_event_in_each_state_does_what_the_table_says():
    legal = _legal()
    wrong = []
    for state, operation, present, event in product(State, (None, *Operation), (False, True), Event):
        record_state = RecordState(state, operation, present)
        try:
            got: RecordState | None = after(record_state, event)
        except ContractError:
            got = None
        if got != legal.get((record_state, event)):
            wrong.append((record_state, event, got))
    assert wrong == []


def test_a_refused_event_names_the_state_and_the_event():
    with pytest.raises(ContractError) as caught:
        after(RecordState(State.RETIRED, None, present=False), Event.PLAN_UPDATE)
    assert "retired (pending: nothing, absent)" in str(caught.value)
    assert "'plan update'" in str(caught.value)


def test_every_result_has_an_event_that_may_follow_a_send():
    assert set(RESULT_EVENTS) == set(ResultKind)
    for event in RESULT_EVENTS.values():
        after(RecordState(State.SENDING, Operation.CREATE, present=False), event)


def _through(*events: Event) -> RecordState:
    record_state = NEW
    for event in events:
        record_state = after(record_state, event)
    return record_state


def test_an_item_that_may_have_arrived_is_retired_when_it_is_no_longer_wanted():
    """Forgetting the doubt would leave the item at the LMS for ever."""
    for unanswered in (Event.DOUBT, Event.RESEND):
        again = _through(
            Event.PLAN_CREATE, Event.CLAIM, unanswered, Event.PLAN_UPDATE, Event.CLAIM, Event.FAIL
        )
        assert again.present
        with pytest.raises(ContractError):
            after(again, Event.WITHDRAW)
        assert after(again, Event.PLAN_RETIRE).operation is Operation.RETIRE


def test_a_failed_operation_can_always_be_planned_anew():
    """Otherwise a record that failed after a doubt would break every later run."""
    for failure in (Event.FAIL, Event.REJECT, Event.BLOCK, Event.DEFER, Event.DOUBT):
        for plan in (Event.PLAN_UPDATE, Event.PLAN_RETIRE):
            failed = _through(Event.PLAN_CREATE, Event.CLAIM, Event.DOUBT, plan, Event.CLAIM, failure)
            assert after(failed, plan).state is State.PLANNED

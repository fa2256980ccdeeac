"""Releasing items, on every database."""

import pytest

from coursewire.storage.audit import jobs, transmissions
from coursewire.storage.audit.records import ContentRecord, ContentRecords
from coursewire.storage.audit.requeue import FAILED_STATES, requeue
from coursewire.storage.audit.states import Event, State
from coursewire.storage.audit.transmissions import RELEASED

OPERATIONS = {"create": Event.PLAN_CREATE, "update": Event.PLAN_UPDATE, "retire": Event.PLAN_RETIRE}
ENDS = {
    State.FAILED: Event.FAIL,
    State.REJECTED: Event.REJECT,
    State.BLOCKED: Event.BLOCK,
    State.IN_DOUBT: Event.DOUBT,
}


@pytest.fixture
def records(engine, new_configuration):
    return ContentRecords(engine, new_configuration())


def make(records, now, key, state, operation, *, rows=None):
    """Store a record that came into a state the ordinary way."""
    record = ContentRecord(configuration=records.configuration, content_key=key, remote_key=key)
    if operation != "create":
        for event in (Event.PLAN_CREATE, Event.CLAIM, Event.CONFIRM):
            record.happen(event)
        record.confirmed_fingerprint = "f"
    for event in (OPERATIONS[operation], Event.CLAIM, ENDS[state]):
        record.happen(event)
    record.wanted_fingerprint, record.source_version = "w", "v"
    record.not_before_at, record.attempts, record.reason, record.message = now, 3, "invalid", "no"
    records.save([record], now=now)


def let_go(engine, records, now, **options):
    given = {"states": FAILED_STATES, "actor": "ada", "reason": "mended", **options}
    return requeue(engine, records.configuration, now=now, **given)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("state", ENDS)
def test_a_released_item_is_planned_again(engine, records, now, state, operation):
    make(records, now, "k", state, operation)
    assert let_go(engine, records, now) == 1
    record = records.fetch(["k"])["k"]
    assert record.state is State.PLANNED
    doubted_create = (state, operation) == (State.IN_DOUBT, "create")
    assert record.operation == ("update" if doubted_create else operation)
    assert record.present is (operation != "create" or doubted_create)
    assert (record.reason, record.message, record.attempts) == ("retry", None, 0)
    assert (record.not_before_at, record.wanted_fingerprint, record.source_version) == (None, None, None)
    known = None if state is State.IN_DOUBT or operation == "create" else "f"
    assert record.confirmed_fingerprint == known


def test_only_what_is_named_is_released(engine, records, new_configuration, now):
    other = ContentRecords(engine, new_configuration())
    for key, state in {"a": State.FAILED, "b": State.REJECTED, "c": State.FAILED}.items():
        make(records, now, key, state, "create")
    make(other, now, "a", State.FAILED, "create")
    assert let_go(engine, records, now, states=[State.FAILED], keys=["a", "b", "zz"]) == 1
    assert let_go(engine, records, now, states=[State.SENDING]) == 0
    states = {key: record.state for key, record in records.fetch(["a", "b", "c"]).items()}
    assert states == {"a": State.PLANNED, "b": State.REJECTED, "c": State.FAILED}
    assert other.fetch(["a"])["a"].state is State.FAILED


def test_what_is_being_sent_or_was_never_planned_keeps_its_state(engine, records, now):
    sending = ContentRecord(configuration=records.configuration, content_key="sending")
    for event in (Event.PLAN_CREATE, Event.CLAIM):
        sending.happen(event)
    fresh = ContentRecord(configuration=records.configuration, content_key="fresh", source_version="v")
    records.save([sending, fresh], now=now)
    assert let_go(engine, records, now, states=list(State)) == 1
    found = records.fetch(["sending", "fresh"])
    assert found["sending"].state is State.SENDING
    assert (found["fresh"].state, found["fresh"].operation) == (State.PLANNED, None)
    assert found["fresh"].source_version is None


def test_each_item_is_counted_once(engine, records, now):
    make(records, now, "a", State.FAILED, "create")
    let_go(engine, records, now)
    make(records, now, "b", State.FAILED, "create")
    assert let_go(engine, records, now, states=[State.FAILED, State.PLANNED]) == 2


@pytest.mark.parametrize(("reason", "message"), [("mended", "ada: mended"), ("", "ada")])
def test_who_asked_is_noted_for_each_item_and_once_for_all(engine, records, now, reason, message):
    for key in ("a", "b"):
        make(records, now, key, State.FAILED, "create")
    let_go(engine, records, now, reason=reason)
    (job,) = jobs.recent(engine)
    assert (job["kind"], job["actor"], job["summary"]) == ("retry", "ada", {"released": 2})
    rows = transmissions.history(engine, configurations=[records.configuration])
    assert {row["item"] for row in rows} == {"a", "b"}
    for row in rows:
        assert (row["operation"], row["result"], row["message"]) == ("retry", RELEASED, message)
        assert (row["job"], row["at"]) == (job["uuid"], now)


def test_nothing_to_release_is_noted_nowhere(engine, records, now):
    assert let_go(engine, records, now) == 0
    assert jobs.recent(engine) == []

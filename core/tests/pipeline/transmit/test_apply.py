"""What an answer means for an item's record."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from coursewire.model.payload import Operation, Payload, Result, ResultKind
from coursewire.pipeline.export.prepared import Prepared
from coursewire.pipeline.rules.verdicts import AFTER_FAILURE
from coursewire.pipeline.transmit.apply import apply_result, put_back
from coursewire.storage.audit.records import ContentRecord
from coursewire.storage.audit.states import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=4)


def sending(operation=Operation.UPDATE, **changes):
    values = {
        "state": State.SENDING,
        "operation": operation,
        "present": operation is not Operation.CREATE,
        "attempts": 1,
        "job": UUID(int=9),
        "confirmed_fingerprint": "old",
        "batch_cap": 3,
        **changes,
    }
    record = ContentRecord(configuration=UUID(int=1), content_key="A+1", **values)
    payload = Payload("A+1", operation, {}, "new", "A+1")
    return Prepared(record, payload, "changed", version="v2")


@pytest.mark.parametrize("kind", [ResultKind.ACCEPTED, ResultKind.ALREADY_SO])
def test_an_acknowledgement_confirms_what_was_sent(kind):
    item = sending(remote_id="7")
    apply_result(item, Result(kind, remote_id="8"), NOW)
    record = item.record
    assert (record.state, record.operation, record.present) == (State.CONFIRMED, None, True)
    assert (record.confirmed_fingerprint, record.confirmed_at) == ("new", NOW)
    assert (record.source_version, record.remote_id) == ("v2", "8")
    assert (record.attempts, record.batch_cap, record.reason, record.job) == (0, None, None, None)


def test_a_remote_id_once_known_is_kept():
    item = sending(remote_id="7")
    apply_result(item, Result(ResultKind.ACCEPTED), NOW)
    assert item.record.remote_id == "7"


def test_an_acknowledged_retirement_takes_the_item_away_and_keeps_its_row():
    item = sending(Operation.RETIRE)
    apply_result(item, Result(ResultKind.ACCEPTED), NOW)
    assert (item.record.state, item.record.present) == (State.RETIRED, False)


def test_a_refusal_keeps_what_the_lms_held_before():
    item = sending()
    apply_result(item, Result(ResultKind.REJECTED, reason="missing-field", message="no title"), NOW)
    record = item.record
    assert (record.state, record.reason, record.message) == (State.REJECTED, "missing-field", "no title")
    assert (record.confirmed_fingerprint, record.source_version) == ("old", "v2")
    assert record.not_before_at == NOW + timedelta(days=1)


def test_a_failure_rests_longer_each_time_and_at_most_a_day():
    assert [AFTER_FAILURE.after(n) for n in (1, 2, 3)] == [
        timedelta(0),
        timedelta(minutes=5),
        timedelta(minutes=15),
    ]
    assert AFTER_FAILURE.after(50) == AFTER_FAILURE.longest
    item = sending(attempts=3)
    apply_result(item, Result(ResultKind.TRY_LATER), NOW)
    assert (item.record.state, item.record.not_before_at) == (State.FAILED, NOW + timedelta(minutes=15))
    assert item.record.confirmed_fingerprint is None  # it may have been done in part


def test_the_lms_may_ask_for_a_longer_rest():
    item = sending(attempts=1)
    apply_result(item, Result(ResultKind.TRY_LATER, retry_at=SOON), NOW)
    assert item.record.not_before_at == SOON


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ResultKind.THROTTLED, "waiting-for-limit"),
        (ResultKind.CREDENTIALS_BROKEN, "credentials-broken"),
    ],
)
def test_what_settles_nothing_leaves_the_item_planned(kind, reason):
    item = sending()
    apply_result(item, Result(kind, retry_at=SOON), NOW)
    record = item.record
    assert (record.state, record.operation, record.reason) == (State.PLANNED, Operation.UPDATE, reason)
    assert (record.attempts, record.source_version, record.not_before_at) == (0, None, SOON)
    assert record.batch_cap == 3  # a suspect stays one


def test_no_answer_leaves_the_item_in_doubt():
    item = sending()
    apply_result(item, Result(ResultKind.IN_DOUBT), NOW)
    record = item.record
    assert (record.state, record.confirmed_fingerprint, record.source_version) == (State.IN_DOUBT, None, None)


def test_blocked_is_asked_again_after_a_day():
    item = sending()
    apply_result(item, Result(ResultKind.BLOCKED, reason="deleted-at-lms"), NOW)
    assert (item.record.state, item.record.not_before_at) == (State.BLOCKED, NOW + timedelta(days=1))


def test_putting_back_undoes_the_claim():
    item = sending()
    put_back(item, "waiting-for-limit", SOON, claimed=True)
    record = item.record
    assert (record.state, record.attempts, record.job) == (State.PLANNED, 0, None)
    assert (record.reason, record.not_before_at) == ("waiting-for-limit", SOON)

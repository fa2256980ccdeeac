"""What happens to an item: every case of the decision, before and after its payload is known."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from coursewire.model.payload import Operation
from coursewire.model.reasons import Reason
from coursewire.pipeline.rules.decide import action_for, compare
from coursewire.storage.audit.records import ContentRecord, RecordSummary
from coursewire.storage.audit.states import Event, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


def seen(**changes):
    """A confirmed record that nothing needs, with changes."""
    base = RecordSummary("A+1", "confirmed", None, True, "v1", "ctx", None, None, None, "[]")
    return base._replace(**changes)


def decide(record, wanted="v1", *, context="ctx", force=False):
    return action_for(record, wanted_version=wanted, context=context, now=NOW, force=force)


@pytest.mark.parametrize(
    ("record", "wanted", "expected"),
    [
        pytest.param(seen(), "v1", ("leave", Reason.UNCHANGED), id="nothing changed"),
        pytest.param(seen(), "v2", ("evaluate", Reason.CHANGED), id="the source has another version"),
        pytest.param(seen(), "", ("evaluate", Reason.CHANGED), id="the source does not know the version"),
        pytest.param(seen(source_version=None), "v1", ("evaluate", Reason.CHANGED), id="never settled"),
        pytest.param(
            seen(export_context="old"), "v1", ("evaluate", Reason.CHANGED), id="configuration changed"
        ),
        pytest.param(seen(examine_again_at=EARLIER), "v1", ("evaluate", Reason.CHANGED), id="time has come"),
        pytest.param(seen(examine_again_at=LATER), "v1", ("leave", Reason.UNCHANGED), id="time has not come"),
        pytest.param(
            seen(state="retired", present=False), "v1", ("evaluate", Reason.RESTORED), id="back again"
        ),
        pytest.param(
            seen(state="failed", operation="update", not_before_at=LATER),
            "v1",
            ("leave", Reason.WAITING_AFTER_FAILURE),
            id="failed and resting",
        ),
        pytest.param(
            seen(state="failed", operation="update", not_before_at=EARLIER),
            "v1",
            ("evaluate", Reason.RETRY),
            id="failed and rested",
        ),
        pytest.param(
            seen(state="failed", operation="update", not_before_at=LATER),
            "v2",
            ("evaluate", Reason.RETRY),
            id="a change ends the rest",
        ),
        pytest.param(
            seen(state="blocked", operation="update", not_before_at=LATER),
            "v1",
            ("leave", Reason.BLOCKED_AT_LMS),
            id="blocked and resting",
        ),
        pytest.param(
            seen(state="blocked", operation="update", not_before_at=EARLIER),
            "v1",
            ("evaluate", Reason.RETRY),
            id="blocked, asked again after a while",
        ),
        pytest.param(
            seen(state="rejected", operation="create", present=False, not_before_at=LATER),
            "v1",
            ("leave", Reason.REJECTED_BEFORE),
            id="refused and resting",
        ),
        pytest.param(
            seen(state="rejected", operation="create", present=False, not_before_at=EARLIER),
            "v1",
            ("evaluate", Reason.RETRY),
            id="refused and rested",
        ),
        pytest.param(
            seen(state="rejected", operation="create", present=False),
            "v2",
            ("evaluate", Reason.RETRY),
            id="refused, and changed since",
        ),
        pytest.param(
            seen(state="planned", operation="create", present=False, reason="not-exportable"),
            "v1",
            ("leave", "not-exportable"),
            id="known not to be exportable",
        ),
        pytest.param(
            seen(state="planned", operation="create", present=False, source_version=None),
            "v1",
            ("evaluate", Reason.NEW),
            id="planned and never sent",
        ),
        pytest.param(
            seen(state="planned", operation="update", source_version=None, reason=Reason.UNSETTLED),
            "v1",
            ("evaluate", Reason.UNSETTLED),
            id="an earlier run was cut off",
        ),
        pytest.param(
            seen(state="in doubt", operation="create", present=False),
            "v2",
            ("leave", Reason.IN_DOUBT),
            id="in doubt waits for a person",
        ),
        pytest.param(
            seen(state="sending", operation="create", present=False),
            "v1",
            ("leave", Reason.UNSETTLED),
            id="could not be settled",
        ),
        pytest.param(seen(), None, ("retire", Reason.LEFT_CATALOG), id="left every catalog"),
        pytest.param(seen(state="retired", present=False), None, ("leave", ""), id="retired already"),
        pytest.param(
            seen(state="planned", operation="create", present=False),
            None,
            ("withdraw", Reason.WITHDRAWN),
            id="left before it ever arrived",
        ),
        pytest.param(
            seen(state="failed", operation="retire", not_before_at=LATER),
            None,
            ("leave", Reason.WAITING_AFTER_FAILURE),
            id="retiring failed and rests",
        ),
        pytest.param(
            seen(state="failed", operation="retire", not_before_at=EARLIER),
            None,
            ("retire", Reason.LEFT_CATALOG),
            id="retiring is tried again",
        ),
        pytest.param(
            seen(state="failed", operation="update", not_before_at=LATER),
            None,
            ("retire", Reason.LEFT_CATALOG),
            id="a failed update does not hold up retiring",
        ),
        pytest.param(
            seen(state="rejected", operation="retire", not_before_at=LATER),
            None,
            ("leave", Reason.REJECTED_BEFORE),
            id="retiring was refused and rests",
        ),
        pytest.param(
            seen(state="rejected", operation="retire", not_before_at=LATER, export_context="old"),
            None,
            ("retire", Reason.LEFT_CATALOG),
            id="retiring was refused, and the configuration is another one",
        ),
        pytest.param(
            seen(state="rejected", operation="retire", not_before_at=EARLIER),
            None,
            ("retire", Reason.LEFT_CATALOG),
            id="retiring was refused and is tried again",
        ),
        pytest.param(
            seen(state="in doubt", operation="retire"),
            None,
            ("leave", Reason.IN_DOUBT),
            id="retiring is in doubt",
        ),
    ],
)
def test_decision_before_the_payload_is_known(record, wanted, expected):
    assert decide(record, wanted) == expected


def test_force_evaluates_whatever_the_record_says():
    resting = seen(state="failed", operation="update", not_before_at=LATER)
    assert decide(seen(), force=True) == ("evaluate", Reason.FORCED)
    assert decide(resting, force=True) == ("evaluate", Reason.FORCED)
    assert decide(seen(state="in doubt", operation="create"), force=True) == ("evaluate", Reason.FORCED)


def test_force_does_not_touch_what_may_be_under_way():
    assert decide(seen(state="sending", operation="create"), force=True) == ("leave", Reason.UNSETTLED)


def record(**changes):
    values = {
        "present": True,
        "state": State.CONFIRMED,
        "confirmed_fingerprint": "f1",
        "export_context": "ctx",
        **changes,
    }
    return ContentRecord(configuration=UUID(int=1), content_key="A+1", **values)


def refused(**changes):
    values = {"operation": Operation.UPDATE, "wanted_fingerprint": "f2", "not_before_at": LATER, **changes}
    return record(state=State.REJECTED, **values)


def comparison(held, fingerprint, *, force=False):
    return compare(held, fingerprint, context="ctx", now=NOW, force=force)


@pytest.mark.parametrize(
    ("held", "fingerprint", "expected"),
    [
        pytest.param(record(), "f1", Reason.UNCHANGED, id="same payload"),
        pytest.param(record(), "f2", Event.PLAN_UPDATE, id="another payload"),
        pytest.param(
            record(state=State.PLANNED, operation=Operation.UPDATE), "f1", Reason.UNCHANGED, id="taken back"
        ),
        pytest.param(
            record(confirmed_fingerprint=None), "f1", Event.PLAN_UPDATE, id="what the LMS holds is not known"
        ),
        pytest.param(
            refused(),
            "f2",
            Reason.REJECTED_BEFORE,
            id="refused this very payload",
        ),
        pytest.param(
            refused(export_context="old"), "f2", Event.PLAN_UPDATE, id="refused under another configuration"
        ),
        pytest.param(refused(not_before_at=EARLIER), "f2", Event.PLAN_UPDATE, id="refused long ago"),
        pytest.param(
            refused(),
            "f3",
            Event.PLAN_UPDATE,
            id="refused another payload",
        ),
        pytest.param(
            record(state=State.RETIRED, present=False), "f1", Event.PLAN_CREATE, id="retired, same payload"
        ),
    ],
)
def test_decision_once_the_payload_is_known(held, fingerprint, expected):
    assert comparison(held, fingerprint) == expected


def test_force_sends_the_same_payload_again():
    assert comparison(record(), "f1", force=True) is Event.PLAN_UPDATE
    assert comparison(record(present=False), "f1", force=True) is Event.PLAN_CREATE


@pytest.mark.parametrize(
    ("changes", "wanted", "expected"),
    [
        pytest.param({}, "v1", ("leave", Reason.NOT_FETCHED), id="nobody fetched it"),
        pytest.param(
            {"reason": "not-acknowledged"}, "v1", ("leave", "not-acknowledged"), id="nobody acknowledged it"
        ),
        pytest.param({}, "v2", ("evaluate", Reason.CHANGED), id="changed since it was offered"),
        pytest.param({}, None, ("retire", Reason.LEFT_CATALOG), id="offered and gone"),
        pytest.param(
            {"operation": "retire", "source_version": None},
            None,
            ("leave", Reason.NOT_FETCHED),
            id="its retirement is offered",
        ),
        pytest.param(
            {"operation": "retire", "source_version": None},
            "v1",
            ("evaluate", Reason.RESTORED),
            id="wanted again before its retirement was fetched",
        ),
    ],
)
def test_what_lies_ready_is_left_until_it_changes(changes, wanted, expected):
    record = seen(**{"state": "offered", "operation": "update", "reason": "not-fetched", **changes})

    assert decide(record, wanted) == expected


def test_what_lies_ready_is_compared_with_what_was_offered():
    record = ContentRecord(
        configuration=UUID(int=1),
        content_key="A+1",
        state=State.OFFERED,
        operation=Operation.CREATE,
        present=True,
        wanted_fingerprint="offered",
        reason="not-acknowledged",
    )

    assert comparison(record, "offered") == "not-acknowledged"
    assert comparison(record, "other") is Event.PLAN_UPDATE
    assert comparison(record, "offered", force=True) is Event.PLAN_UPDATE

"""The table of verdicts: nothing is final without something that lifts it."""

from datetime import UTC, datetime, timedelta

import pytest

from coursewire.model.payload import Operation, Result, ResultKind
from coursewire.model.reasons import CountedAs, LiftedBy, Reason, ReasonGroup, ReasonInfo
from coursewire.pipeline.rules.pauses import not_before
from coursewire.pipeline.rules.verdicts import ANY_CHANGE, verdict_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize("fault", ReasonGroup)
@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("kind", ResultKind)
def test_every_verdict_is_lifted_by_something(kind, operation, fault):
    verdict = verdict_of(kind, operation, fault)
    assert verdict.lifted_by
    if kind in (ResultKind.REJECTED, ResultKind.BLOCKED, ResultKind.TRY_LATER):
        assert verdict.lifted_by == ANY_CHANGE
        assert verdict.pauses is not None
        assert verdict.pauses.longest <= timedelta(days=7)
        assert verdict.pauses.after(100) <= verdict.pauses.longest
    if kind is ResultKind.IN_DOUBT:
        assert LiftedBy.PERSON in verdict.lifted_by


@pytest.mark.parametrize(
    ("kind", "reason", "operation", "attempts", "pause"),
    [
        (ResultKind.TRY_LATER, "lms-error", "create", 1, timedelta(0)),
        (ResultKind.TRY_LATER, "locked", "retire", 2, timedelta(minutes=5)),
        (ResultKind.BLOCKED, "blocked", "create", 5, DAY),
        (ResultKind.REJECTED, "invalid", "create", 1, 7 * DAY),
        (ResultKind.REJECTED, "invalid", "update", 3, 7 * DAY),
        (ResultKind.REJECTED, "invalid", "retire", 1, DAY),
        (ResultKind.REJECTED, "conflict", "retire", 2, 2 * DAY),
        (ResultKind.REJECTED, "conflict", "retire", 9, 7 * DAY),
        (ResultKind.REJECTED, "conflict", "create", 1, DAY),
        (ResultKind.REJECTED, "not-found-at-lms", "create", 3, 4 * DAY),
        (ResultKind.REJECTED, "a-code-of-nobody", "create", 1, DAY),
        (ResultKind.REJECTED, "shape", "create", 1, 7 * DAY),
    ],
)
def test_time_lifts_a_verdict_by_its_kind_operation_and_fault(kind, reason, operation, attempts, pause):
    own = (ReasonInfo("shape", ReasonGroup.ITEM, CountedAs.FAILED, "it has the wrong shape"),)
    result = Result(kind, reason=reason)
    assert not_before(result, Operation(operation), attempts, NOW, own=own) == NOW + pause


def test_an_instant_that_the_lms_names_prolongs_a_pause():
    later = Result(ResultKind.TRY_LATER, retry_at=NOW + HOUR)
    assert not_before(later, Operation.CREATE, 1, NOW) == NOW + HOUR


def test_the_table_and_the_reasons_say_the_same():
    for reason in Reason:
        if reason.info.counted_as is CountedAs.FAILED and LiftedBy.ITEM in reason.info.lifted_by:
            assert set(reason.info.lifted_by) == set(ANY_CHANGE), reason

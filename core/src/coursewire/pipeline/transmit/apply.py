"""From a result to the record: the one place that says what an answer means for an item."""

from __future__ import annotations

from datetime import datetime, timedelta

from coursewire.model.payload import Result, ResultKind
from coursewire.model.reasons import Reason, reason_of
from coursewire.pipeline.export.prepared import Prepared
from coursewire.storage.audit.states import RESULT_EVENTS, Event

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=24)


def pause_after(attempts: int) -> timedelta:
    """How long a failed item rests: nothing after the first time, then 5, 15, 45 minutes ... up to a day."""
    if attempts <= 1:
        return timedelta(0)
    growth: int = 3 ** min(attempts - 2, 10)
    return min(FIRST_PAUSE * growth, LONGEST_PAUSE)


def apply_result(prepared: Prepared, result: Result, now: datetime) -> None:
    """Move an item's record on to what the LMS said."""
    record, payload = prepared.record, prepared.payload
    assert payload is not None
    record.happen(RESULT_EVENTS[result.kind])
    record.job = None
    record.not_before_at = None
    record.reason = reason_of(result)
    record.message = result.message or None
    record.remote_id = result.remote_id or record.remote_id
    # The source's version counts as dealt with once the LMS has spoken about what was made from it.
    record.source_version = prepared.version or None
    record.examine_again_at = prepared.examine_again_at
    match result.kind:
        case ResultKind.ACCEPTED | ResultKind.ALREADY_SO:
            record.reason = record.message = None
            record.confirmed_fingerprint = payload.fingerprint
            record.confirmed_at = now
            record.attempts = 0
            record.batch_cap = None
        case ResultKind.TRY_LATER:
            record.not_before_at = max(now + pause_after(record.attempts), result.retry_at or now)
            record.confirmed_fingerprint = None  # it may have been done in part
        case ResultKind.BLOCKED:
            record.not_before_at = now + LONGEST_PAUSE
        case ResultKind.IN_DOUBT:
            record.source_version = None
            record.confirmed_fingerprint = None
        case ResultKind.THROTTLED | ResultKind.CREDENTIALS_BROKEN:
            record.source_version = None
            record.not_before_at = result.retry_at
            record.attempts = max(record.attempts - 1, 0)
            throttled = result.kind is ResultKind.THROTTLED
            record.reason = str(Reason.WAITING_FOR_LIMIT if throttled else Reason.CREDENTIALS_BROKEN)
        case ResultKind.REJECTED:
            record.batch_cap = None


def put_back(prepared: Prepared, reason: str, retry_at: datetime | None, *, claimed: bool) -> None:
    """Return an item to the planned ones: nothing of it has left."""
    record = prepared.record
    if claimed:
        record.happen(Event.DEFER)
        record.attempts = max(record.attempts - 1, 0)
    record.job = None
    record.reason, record.message = str(reason), None
    record.not_before_at = retry_at
    record.source_version = None

"""From a result to the record: the one place that says what an answer means for an item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from coursewire.model.payload import Result, ResultKind
from coursewire.model.reasons import Reason, ReasonInfo, reason_of
from coursewire.pipeline.export.prepared import Prepared
from coursewire.pipeline.rules.pauses import not_before
from coursewire.storage.audit.states import RESULT_EVENTS, Event


def apply_result(
    prepared: Prepared, result: Result, now: datetime, *, own: Sequence[ReasonInfo] = ()
) -> None:
    """Move an item's record on to what the LMS said.

    Args:
        prepared: The item that was sent.
        result: The LMS's answer about it.
        now: The present instant.
        own: The rows of the channel's own reason codes.
    """
    record, payload = prepared.record, prepared.payload
    assert payload is not None
    record.happen(RESULT_EVENTS[result.kind])
    record.job = None
    record.not_before_at = not_before(result, payload.operation, record.attempts, now, own=own)
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
            record.confirmed_fingerprint = None  # it may have been done in part
        case ResultKind.IN_DOUBT:
            record.source_version = None
            record.confirmed_fingerprint = None
        case ResultKind.THROTTLED | ResultKind.CREDENTIALS_BROKEN:
            record.source_version = None
            record.attempts = max(record.attempts - 1, 0)
            throttled = result.kind is ResultKind.THROTTLED
            record.reason = Reason.WAITING_FOR_LIMIT if throttled else Reason.CREDENTIALS_BROKEN
        case ResultKind.REJECTED:
            record.batch_cap = None


def put_back(prepared: Prepared, reason: str, retry_at: datetime | None, *, claimed: bool) -> None:
    """Return an item to the planned ones: nothing of it has left.

    Args:
        prepared: The item that did not leave.
        reason: The reason code of why it waits.
        retry_at: The instant before which it need not be tried; None when the next run may.
        claimed: It was marked as being sent.
    """
    record = prepared.record
    if claimed:
        record.happen(Event.DEFER)
        record.attempts = max(record.attempts - 1, 0)
    record.job = None
    record.reason, record.message = reason, None
    record.not_before_at = retry_at
    record.source_version = None

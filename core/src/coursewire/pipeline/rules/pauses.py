"""When an item is tried again: the one place that sets its pause, and that says whether it rests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from coursewire.model.payload import Operation, Result, ResultKind
from coursewire.model.reasons import ReasonGroup, ReasonInfo, find_reason, reason_of
from coursewire.pipeline.rules.verdicts import verdict_of
from coursewire.storage.audit.states import State

RESTING = (State.FAILED, State.BLOCKED, State.REJECTED)
"""States in which an item rests until its pause is over, or something has changed."""


def not_before(
    result: Result, operation: Operation, attempts: int, now: datetime, *, own: Sequence[ReasonInfo] = ()
) -> datetime | None:
    """Return the instant before which an item is not tried again.

    Args:
        result: The LMS's answer about the item.
        operation: The operation that it answers.
        attempts: The number of attempts so far, this one included.
        now: The present instant.
        own: The rows of the channel's own reason codes.

    Returns:
        None when the next run may try, or when the item does not wait for time to pass.
    """
    if result.kind in (ResultKind.THROTTLED, ResultKind.CREDENTIALS_BROKEN):
        return result.retry_at
    info = find_reason(reason_of(result), own)
    verdict = verdict_of(result.kind, operation, info.group if info else ReasonGroup.LMS)
    if verdict.pauses is None:
        return None
    return max(now + verdict.pauses.after(attempts), result.retry_at or now)


def rests(state: State, not_before_at: datetime | None, now: datetime) -> bool:
    """Tell whether an item that failed, was refused, or is blocked at the LMS, is not to be tried yet."""
    return state in RESTING and not_before_at is not None and not_before_at > now

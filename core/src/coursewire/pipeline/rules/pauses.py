"""When an item is tried again: the one place that sets its pause, and that says whether it rests."""

from __future__ import annotations

from datetime import datetime, timedelta

from coursewire.model.payload import Result, ResultKind
from coursewire.storage.audit.states import State

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=24)


def pause_after(attempts: int) -> timedelta:
    """Return how long a failed item rests: nothing after the first attempt, then 5, 15, 45 minutes ... up to a day.

    Args:
        attempts: The number of attempts that failed, 1 or more.
    """
    if attempts <= 1:
        return timedelta(0)
    growth: int = 3 ** min(attempts - 2, 10)
    return min(FIRST_PAUSE * growth, LONGEST_PAUSE)


def not_before(result: Result, attempts: int, now: datetime) -> datetime | None:
    """Return the instant before which an item is not tried again.

    Args:
        result: The LMS's answer about the item.
        attempts: The number of attempts so far, this one included.
        now: The present instant.

    Returns:
        None when the next run may try, or when the item does not wait for time to pass.
    """
    match result.kind:
        case ResultKind.TRY_LATER:
            return max(now + pause_after(attempts), result.retry_at or now)
        case ResultKind.BLOCKED:
            return now + LONGEST_PAUSE
        case ResultKind.THROTTLED | ResultKind.CREDENTIALS_BROKEN:
            return result.retry_at
    return None


def rests(state: State, not_before_at: datetime | None, now: datetime) -> bool:
    """Tell whether an item that failed, or is blocked at the LMS, is not to be tried yet."""
    return state in (State.FAILED, State.BLOCKED) and not_before_at is not None and not_before_at > now

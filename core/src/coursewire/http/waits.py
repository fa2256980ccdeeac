"""Times to wait: one reader of every header in which an LMS says how long.

Servers write a number of seconds, an HTTP date, an ISO 8601 instant, or an instant as a number of seconds, milliseconds,
microseconds or nanoseconds since 1970. Whatever stands there, nothing here raises, and nothing longer than a day comes out.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from coursewire.model.content import instant_of

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

LONGEST_WAIT_S = 86_400.0
"""Longest time that is waited, whatever the LMS says: no quota known lasts longer than a day."""

PLAUSIBLE_S = 31 * LONGEST_WAIT_S
"""Longest time that an LMS can mean, such as a quota of a month; anything beyond is a mistake and counts as nothing."""

_RESET_HEADERS = (
    "x-rate-limit-reset",
    "x-ratelimit-reset",
    "ratelimit-reset",
    "x-ratelimit-reset-after",
    "x-retry-after",
)
"""Headers that say when a used-up window begins anew, as a number of seconds or as an instant."""

_UNITS_PER_S = (1, 1_000, 1_000_000, 1_000_000_000)
"""Units in which an instant is counted from 1970."""

_FIRST_EPOCH_S = 1_000_000_000
"""Seconds from 1970 to 2001: a number from here on is an instant, as no LMS asks to wait for thirty years."""

_NUMBER = re.compile(
    r"([+-]?[0-9]{1,30}(?:\.[0-9]{0,30})?(?:[eE][+-]?[0-9]{1,2})?)\s*(?:s|secs?|seconds?)?", re.I
)
_MEMBER = re.compile(r"(?:^|[;,\s])(?:t|reset)\s*=\s*([0-9]{1,12})(?![0-9.])", re.I)
_LONGEST_TEXT = 200


def read_wait_s(text: str, now: datetime) -> float | None:
    """Return the seconds from ``now`` that a header's value means, 0 to a day; None if it makes no sense.

    Args:
        text: Value of the header: seconds, a date, or an instant as a number.
        now: The present instant.

    Example:
        >>> from datetime import UTC, datetime
        >>> now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> read_wait_s("120", now), read_wait_s("Sun, 01 Mar 2026 12:02:00 GMT", now)
        (120.0, 120.0)
        >>> read_wait_s("1772366520", now), read_wait_s("1772366520000", now)
        (120.0, 120.0)
        >>> read_wait_s("soon", now) is None
        True
    """
    text = text.strip()
    if not text or len(text) > _LONGEST_TEXT:
        return None
    if number := _NUMBER.fullmatch(text):
        seconds = _seconds_of(float(number[1]), now)
    elif "," in text and all(_NUMBER.fullmatch(part.strip()) for part in text.split(",")):
        # A header that came twice. The longer one is safe with either server.
        told = [read_wait_s(part, now) for part in text.split(",")]
        return max((each for each in told if each is not None), default=None)
    else:
        seconds = _seconds_until(text, now)
    if seconds is None or not math.isfinite(seconds) or seconds > PLAUSIBLE_S:
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_S)


def retry_after_s(response: httpx.Response, now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, 0 to a day; None if it is missing or makes no sense.

    Both forms of RFC 9110, 10.2.3 are read, and what servers write beside them; see :func:`read_wait_s`.
    """
    return read_wait_s(response.headers.get("retry-after", ""), now)


def reset_s(response: httpx.Response, now: datetime) -> float | None:
    """Return the seconds until a used-up window begins anew, 0 to a day; None if the answer does not say.

    Where several headers say so and disagree, the longest time counts: a limit that is not the one which was met is
    used up as well.
    """
    told = [read_wait_s(response.headers.get(name, ""), now) for name in _RESET_HEADERS]
    # RFC 9651 lists of the IETF's "RateLimit" draft: `"default";r=0;t=30`, and of its earlier versions `reset=30`.
    told += [read_wait_s(each, now) for each in _MEMBER.findall(response.headers.get("ratelimit", "")[:2000])]
    return max((each for each in told if each is not None), default=None)


def wait_s(response: httpx.Response, now: datetime) -> float | None:
    """Return the seconds that an answer which means "slow down" asks to wait, 0 to a day; None if it names no time.

    ``Retry-After`` is about this request and takes precedence over what is said of the window, as in the IETF's
    "RateLimit" draft, unless it says 0 or makes no sense.
    """
    return retry_after_s(response, now) or reset_s(response, now)


def _seconds_of(number: float, now: datetime) -> float | None:
    """Return the seconds that a number means: a time to wait, or an instant in one of the units."""
    if number < _FIRST_EPOCH_S:
        return number
    for unit in _UNITS_PER_S:
        seconds = number / unit - now.timestamp()
        if -now.timestamp() + _FIRST_EPOCH_S <= seconds <= PLAUSIBLE_S:
            return seconds
    return None


def _seconds_until(text: str, now: datetime) -> float | None:
    """Return the seconds until a date in one of the forms of HTTP or in that of ISO 8601."""
    instant: datetime | None = None
    try:
        instant = parsedate_to_datetime(text)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        return (instant - now) / timedelta(seconds=1)
    except (ValueError, TypeError, OverflowError, IndexError):
        pass
    try:
        instant = instant_of(text)
        return None if instant is None else (instant - now) / timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None

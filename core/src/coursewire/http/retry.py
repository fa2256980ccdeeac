"""Retries: the pauses before a request goes out again.

The library ``stamina`` does not fit here: it repeats on exceptions, while an LMS mostly says "later" with an
answer; it neither takes an injected sleep and source of jitter nor full jitter; and a retry context a request
costs more than the request's own overhead. Only its loop would be of use here.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coursewire.http.texts import text_of

if TYPE_CHECKING:
    import httpx

Sleep = Callable[[float], Awaitable[None]]
"""``asyncio.sleep``, or what a test puts in its place."""

ATTEMPTS = 4
"""Tries of one request, the first included."""

BUDGET_S = 5.0
"""Longest that one request waits in all; a longer pause is deferred instead, so that no worker sleeps."""

_FIRST_S = 0.25
_LONGEST_S = 2.0

REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that mean the same when they arrive twice (RFC 9110, 9.2.2)."""


@dataclass(slots=True)
class Retries:
    """The tries of one request.

    Attributes:
        rng: Source of jitter.
        attempt: Number of the present try, from 1.
        waited_s: Seconds waited between tries so far.
    """

    rng: random.Random
    attempt: int = 1
    waited_s: float = 0.0

    def next_pause(self, asked_s: float | None = None) -> float | None:
        """Return the seconds to wait before the next try; None if there is to be none.

        Args:
            asked_s: Seconds that the LMS asked for; None for a pause that grows with every try, with full jitter.
        """
        if self.attempt >= ATTEMPTS:
            return None
        ceiling = min(_LONGEST_S, _FIRST_S * 2 ** (self.attempt - 1))
        jitter = self.rng.uniform(0, ceiling)
        # Jitter on top of what was asked, lest all that wait come back in the same instant.
        pause = jitter if not asked_s else asked_s + min(jitter, _FIRST_S)
        if self.waited_s + (asked_s or pause) > BUDGET_S:
            return None
        self.attempt += 1
        self.waited_s += pause
        return pause


def throttles_by_403(response: httpx.Response) -> bool:
    """Return True for a 403 that means "slow down": it has a header that no calls are left, or says so in words."""
    # The status first: nothing is decoded of an answer that cannot be one.
    return response.status_code == 403 and (
        response.headers.get("x-rate-limit-remaining", "").strip() == "0"
        or "rate limit" in text_of(response).lower()
    )

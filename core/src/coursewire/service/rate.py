"""How often somebody may ask: for routes that anybody can reach."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from coursewire.service.problems import Problem

SIGN_IN = parse("20/minute")
"""From one address. Accounts are locked by guesses of their own; this keeps one address from trying many."""
EVENTS = parse("1200/minute")
INBOUND = parse("300/minute")


class Rates:
    """Counts in this process; a proxy in front counts over all of them."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def demand(self, limit: RateLimitItem, purpose: str, who: str) -> None:
        """Count one call.

        Args:
            limit: How many in which time.
            purpose: What is counted.
            who: By whom: an address or a name.

        Raises:
            Problem: 429, with the seconds to wait.
        """
        if self._limiter.hit(limit, purpose, who):
            return
        wait_s = max(
            1, math.ceil(self._limiter.get_window_stats(limit, purpose, who).reset_time - time.time())
        )
        raise Problem(
            429, "this was asked too often", f"Wait {wait_s} s.", headers={"Retry-After": str(wait_s)}
        )


def address(request: Request) -> str:
    """Where a call comes from; behind a proxy what the proxy says, if ``--behind-proxy`` names it."""
    return request.client.host if request.client else "unknown"

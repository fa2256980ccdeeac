"""Limits for routes that anybody can reach: how often one address may call."""

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
    """The counts of calls in this process; a proxy in front counts over all processes."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def demand(self, limit: RateLimitItem, purpose: str, who: str) -> None:
        """Count one call.

        Args:
            limit: The number of calls, and the time in which they may come.
            purpose: A name for what is counted.
            who: The address or the name of who calls.

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
    """Return the address that a call comes from; behind a proxy the one that it says, if ``--behind-proxy`` names it."""
    return request.client.host if request.client else "unknown"

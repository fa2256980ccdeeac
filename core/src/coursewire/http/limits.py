"""The gate that every request passes: the LMS's rates, shared by all workers."""

from __future__ import annotations

import asyncio
import hashlib
import math
from datetime import timedelta
from typing import TYPE_CHECKING

from coursewire.errors import ContractError, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from coursewire.http.retry import Sleep
    from coursewire.model.channel import Rate
    from coursewire.model.instant import Clock
    from coursewire.storage.locks.rate_buckets import Buckets

DEFAULT = "default"
"""The bucket that counts every call."""

NEAR_S = 2.0
"""An empty bucket is waited for if it has calls again within this time; otherwise the item is deferred."""

_FAST = 5.0
"""Calls a second from which on calls are drawn in slices, so that the database is not asked for each."""

_SLICES = 4
"""Into how many slices a window of a fast rate is cut: several workers must each get some."""

_SHARE = 500
"""A slice of a slow rate is at most this part of its window: what a process draws and does not use is lost."""

_LOOK_S = 2.0
"""Seconds between two looks at a bucket without a rate, to see if another worker was told to wait."""

UNKNOWN_WINDOW_S = 60.0
"""The pause when the LMS says "slow down" without a time and the channel declares no rate."""

LONGEST_GUESS_S = 600.0
"""The longest pause when the LMS does not say how long: a guess must not cost a whole day."""


def lowered(vendor: Mapping[str, Rate], wanted: Mapping[str, Rate]) -> dict[str, Rate]:
    """Return the vendor's rates, each replaced by the configuration's where that is lower, or may be higher."""
    rates = dict(vendor)
    for name, rate in wanted.items():
        ours = rates.get(name)
        if ours is None or ours.negotiable or rate.calls / rate.seconds < ours.calls / ours.seconds:
            rates[name] = rate
    return rates


class _Bucket:
    """One bucket in this process: the calls that it has drawn and not made yet."""

    def __init__(self, key: str, rate: Rate | None) -> None:
        self.key = key
        self.rate = rate
        self.lock = asyncio.Lock()
        self.left = 0
        self.good_until: datetime | None = None
        self.closed_until: datetime | None = None

    def take_drawn(self, now: datetime) -> bool:
        if self.good_until is None or now >= self.good_until:
            return False
        if self.closed_until is not None and now < self.closed_until:
            return False
        if self.rate is None:
            return True
        if not self.left:
            return False
        self.left -= 1
        return True

    def slice_size(self) -> int:
        assert self.rate is not None
        if self.rate.calls / self.rate.seconds < _FAST:
            return max(1, self.rate.calls // _SHARE)
        return max(1, math.ceil(self.rate.calls / _SLICES))


class RateGate:
    """Lets requests pass as fast as the LMS allows to all workers together.

    Args:
        buckets: Store of the counts.
        channel: Code of the channel.
        scope: Text by which the vendor counts; see ``ChannelConfig.limit_scope``.
        rates: Rates by bucket name; :data:`DEFAULT` counts every call.
        clock: Function that returns the present instant.
        sleep: Coroutine function that waits a number of seconds.
    """

    def __init__(
        self,
        buckets: Buckets,
        *,
        channel: str,
        scope: str,
        rates: Mapping[str, Rate],
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self._store = buckets
        self._clock = clock
        self._sleep = sleep
        self._held_until: datetime | None = None
        self._buckets = {
            name: _Bucket(_key(channel, scope, name), rates.get(name)) for name in {DEFAULT, *rates}
        }

    async def enter(self, name: str | None = None) -> float:
        """Wait until one call may be made, and return the seconds waited.

        Args:
            name: Name of a further bucket that the call counts against; None for none.

        Raises:
            ThrottledError: The next call is allowed too late to wait for.
            ContractError: The channel has declared no bucket of this name.
        """
        waited = 0.0
        if self._held_until is not None:
            waited = max(0.0, (self._held_until - self._clock()).total_seconds())
            await self._sleep(waited)
            self._held_until = None
        # The narrower bucket first: if it refuses, nothing was taken from the wider one.
        if name and name != DEFAULT:
            waited += await self._take(self._bucket(name))
        return waited + await self._take(self._buckets[DEFAULT])

    def hold(self, seconds: float) -> None:
        """Hold the other requests of this process, because the LMS told one of them to wait a moment."""
        self._held_until = self._clock() + timedelta(seconds=seconds)

    async def close(self, until: datetime, name: str | None = None) -> None:
        """Let no request pass before ``until``, in any process."""
        bucket = self._bucket(name)
        bucket.closed_until, bucket.good_until, bucket.left = until, None, 0
        await asyncio.to_thread(self._store.close, bucket.key, until, self._clock())

    async def leave(self) -> None:
        """Give back the calls that were drawn and not made, so that another process may make them."""
        for bucket in self._buckets.values():
            if bucket.left and bucket.good_until is not None:
                calls, bucket.left = bucket.left, 0
                await asyncio.to_thread(self._store.give_back, bucket.key, calls, bucket.good_until)

    def window_s(self, name: str | None = None) -> float:
        """Seconds after which to ask again if the LMS names no time."""
        rate = self._bucket(name).rate
        return min(rate.seconds, LONGEST_GUESS_S) if rate else UNKNOWN_WINDOW_S

    def _bucket(self, name: str | None) -> _Bucket:
        try:
            return self._buckets[name or DEFAULT]
        except KeyError:
            raise ContractError(
                f"a request asked for the rate {name!r}, which its channel does not declare",
                why=f"declared are: {', '.join(sorted(self._buckets))}",
                next_step="Name the rate in the channel's limits.",
            ) from None

    async def _take(self, bucket: _Bucket) -> float:
        if bucket.take_drawn(self._clock()):
            return 0.0
        waited = 0.0
        async with bucket.lock:
            while not bucket.take_drawn(now := self._clock()):
                not_before = await self._draw(bucket, now)
                if not_before is None:
                    continue
                pause = (not_before - now).total_seconds()
                if pause > NEAR_S:
                    raise ThrottledError(
                        f"the limit {bucket.key} has no call left before {not_before:%Y-%m-%d %H:%M:%S} UTC",
                        retry_at=not_before,
                    )
                await self._sleep(pause)
                waited += pause
        return waited

    async def _draw(self, bucket: _Bucket, now: datetime) -> datetime | None:
        """Draw calls for this process; return the instant to come back at if there are none."""
        if bucket.closed_until is not None and bucket.closed_until > now:
            return bucket.closed_until
        if bucket.rate is None:
            closed = await asyncio.to_thread(self._store.closed_until, bucket.key, now)
            if closed is None:
                bucket.good_until = now + timedelta(seconds=_LOOK_S)
            return closed
        grant = await asyncio.to_thread(self._store.take, bucket.key, bucket.rate, bucket.slice_size(), now)
        if not grant.calls:
            return grant.until
        bucket.left, bucket.good_until = grant.calls, grant.until
        return None


def _key(channel: str, scope: str, name: str) -> str:
    if len(scope) > 150:  # the key column holds 255 characters
        scope = hashlib.sha256(scope.encode()).hexdigest()
    return f"{channel}:{scope}:{name}"

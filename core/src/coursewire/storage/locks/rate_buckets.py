"""Rate buckets: counts of calls that outlive the process and are shared by all workers.

A bucket counts in fixed windows, and a window starts with its first call: "one call in 300 seconds" then
means exactly that. Every step is one atomic statement in a transaction of its own, so that any number of
processes may draw from one bucket on SQLite, PostgreSQL, MySQL and MariaDB.

The library ``limits`` was weighed: its storages count refused calls too, know whole seconds and the system's
clock only, and can neither hand out a part of the calls that were asked for nor close a bucket until an instant that
the LMS named. Only one comparison of it would be left here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from coursewire.storage.tables.records import limit

if TYPE_CHECKING:
    from sqlalchemy import Engine, Update

    from coursewire.model.channel import Rate


@dataclass(frozen=True, slots=True)
class Allowance:
    """Calls that a bucket allows.

    Attributes:
        calls: Number of calls that may be made; 0 if the bucket is empty or closed.
        until: End of the window, before which the calls must be made; with 0 calls the instant to ask again.
    """

    calls: int
    until: datetime


class Buckets(Protocol):
    """A store of buckets. Its methods may block: call them in a thread."""

    def take(self, key: str, rate: Rate, calls: int, now: datetime) -> Allowance:
        """Draw calls from a bucket.

        Args:
            key: Name of the bucket.
            rate: Calls that a window allows, and its length.
            calls: Number of calls that are wanted; the bucket may allow fewer, or none.
            now: The present instant.
        """
        ...

    def give_back(self, key: str, calls: int, until: datetime) -> None:
        """Give back calls that were drawn and not made; nothing happens if the window that ends at ``until`` is over."""
        ...

    def close(self, key: str, until: datetime, now: datetime) -> None:
        """Close a bucket until an instant that the LMS named; an earlier closing is never shortened."""
        ...

    def closed_until(self, key: str, now: datetime) -> datetime | None:
        """Return the instant until which the bucket is closed; None if it is open."""
        ...


# Some are asked at every request; to build a statement takes longer than to run it.
_MINE = limit.c.bucket == bindparam("which")
_OPEN = or_(limit.c.closed_until_at.is_(None), limit.c.closed_until_at <= bindparam("now"))
_ROW = select(limit).where(_MINE)
_CLOSED_UNTIL = select(limit.c.closed_until_at).where(_MINE)
_AFTER = limit.c.hits + bindparam("wanted")
_TAKE = (
    update(limit)
    .where(_MINE, _OPEN, limit.c.resets_at > bindparam("now"), bindparam("most") >= _AFTER)
    .values(hits=_AFTER)
)
_OPEN_WINDOW = update(limit).where(_MINE, _OPEN, limit.c.resets_at <= bindparam("now"))
_GIVE_BACK = (
    update(limit)
    .where(_MINE, limit.c.resets_at == bindparam("until"), limit.c.hits >= bindparam("unused"))
    .values(hits=limit.c.hits - bindparam("unused"))
)
_EARLIER = or_(limit.c.closed_until_at.is_(None), limit.c.closed_until_at < bindparam("until"))
_CLOSE = update(limit).where(_MINE, _EARLIER).values(closed_until_at=bindparam("until"))


class SqlBuckets:
    """Buckets in the table ``limit``; the clocks of the machines that share them must agree."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, key: str, rate: Rate, calls: int, now: datetime) -> Allowance:
        """See :meth:`Buckets.take`."""
        wanted = min(calls, rate.calls)
        window_end = now + timedelta(seconds=rate.seconds)
        while True:
            # Running window with room first: the usual case needs no other statement.
            in_window = self._update(_TAKE, key, now=now, wanted=wanted, most=rate.calls)
            if in_window is not None:
                return Allowance(wanted, in_window)
            fresh = self._update(_OPEN_WINDOW, key, now=now, hits=wanted, resets_at=window_end)
            if fresh is not None:
                return Allowance(wanted, fresh)
            with self._engine.connect() as connection:
                row = connection.execute(_ROW, {"which": key}).one_or_none()
            if row is None:
                if self._insert(key, hits=wanted, resets_at=window_end):
                    return Allowance(wanted, window_end)
            elif row.closed_until_at is not None and row.closed_until_at > now:
                return Allowance(0, row.closed_until_at)
            elif row.resets_at > now and row.hits >= rate.calls:
                return Allowance(0, row.resets_at)
            else:  # a part is left, or another process has just changed the row: ask again
                wanted = min(wanted, max(1, rate.calls - row.hits))

    def give_back(self, key: str, calls: int, until: datetime) -> None:
        """See :meth:`Buckets.give_back`."""
        self._update(_GIVE_BACK, key, until=until, unused=calls)

    def close(self, key: str, until: datetime, now: datetime) -> None:
        """See :meth:`Buckets.close`."""
        if not self._close_existing(key, until) and not self._insert(
            key, hits=0, resets_at=now, closed_until_at=until
        ):
            self._close_existing(key, until)  # another process made the row in between

    def closed_until(self, key: str, now: datetime) -> datetime | None:
        """See :meth:`Buckets.closed_until`."""
        with self._engine.connect() as connection:
            until = connection.scalar(_CLOSED_UNTIL, {"which": key})
        return until if until is not None and until > now else None

    def _close_existing(self, key: str, until: datetime) -> bool:
        with self._engine.begin() as connection:
            connection.execute(_CLOSE, {"which": key, "until": until})
            return connection.execute(_ROW, {"which": key}).one_or_none() is not None

    def _update(self, conditional: Update, key: str, **values: object) -> datetime | None:
        """Change the row if the statement's condition holds; return the end of its window, or None if it does not hold."""
        with self._engine.begin() as connection:
            if not connection.execute(conditional, {"which": key, **values}).rowcount:
                return None
            until: datetime = connection.execute(_ROW, {"which": key}).one().resets_at
            return until

    def _insert(self, key: str, **values: object) -> bool:
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(limit).values(bucket=key, **values))
        except IntegrityError:
            return False  # another process was first
        return True


class MemoryBuckets:
    """Buckets of one process, for tests and for trying out a draft that is not stored."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, datetime]] = {}
        self._closed: dict[str, datetime] = {}

    def take(self, key: str, rate: Rate, calls: int, now: datetime) -> Allowance:
        """See :meth:`Buckets.take`."""
        closed = self.closed_until(key, now)
        if closed is not None:
            return Allowance(0, closed)
        hits, end = self._windows.get(key, (0, now))
        if end <= now:
            hits, end = 0, now + timedelta(seconds=rate.seconds)
        given = min(calls, rate.calls - hits)
        self._windows[key] = (hits + given, end)
        return Allowance(given, end)

    def give_back(self, key: str, calls: int, until: datetime) -> None:
        """See :meth:`Buckets.give_back`."""
        hits, end = self._windows.get(key, (0, until))
        if end == until:
            self._windows[key] = (max(0, hits - calls), end)

    def close(self, key: str, until: datetime, now: datetime) -> None:
        """See :meth:`Buckets.close`."""
        self._closed[key] = max(until, self._closed.get(key, until))

    def closed_until(self, key: str, now: datetime) -> datetime | None:
        """See :meth:`Buckets.closed_until`."""
        until = self._closed.get(key)
        return until if until is not None and until > now else None

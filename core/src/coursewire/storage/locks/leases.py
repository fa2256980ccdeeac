"""Leases: exclusive rights, such as the right to run the jobs of one kind for one configuration.

A lease is one row. Taking it is one atomic UPDATE; whoever holds it renews it, and when its process dies it
lapses, or is taken over at once where the process can be seen to be dead.

Each time that a lease is taken its number grows. Whoever has slept past its time finds another number, or no time left:
:meth:`Lease.check` looks at the clock before each request, and :meth:`Lease.holds` goes into the statement that claims.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, NamedTuple, Self

from sqlalchemy import ColumnElement, Engine, Update, bindparam, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from coursewire.errors import LeaseHeldError, LeaseLostError
from coursewire.model.instant import Clock, utc_now
from coursewire.storage.locks.processes import Process, process_identity, surely_dead
from coursewire.storage.tables.records import lease as table

log = logging.getLogger(__name__)

TTL_S = 60.0
"""Time for which a lease lasts unless it is renewed."""

RENEWALS_A_TTL = 3
"""Two renewals may fail before the third one would come too late."""

ATTEMPTS = 5
"""Number of tries to take a lease that others take and give back in the same moment."""

JOIN_TIMEOUT_S = 5
"""Time for which releasing waits for a renewal under way, on a database that may hang."""


class _Holder(NamedTuple):
    owner: str | None
    process: str | None
    acquired_at: datetime | None
    expires_at: datetime


class Lease:
    """A lease that is held, renewed by a thread of its own for as long as the ``with`` block lasts.

    ::

        with Lease.acquire(engine, "content:6f0c...", owner=str(job)) as lease:
            for batch in batches:
                lease.check()
                send(batch)

    Attributes:
        name: Name of the right, such as ``content:6f0c...``.
        owner: Name of the holder.
        fence: Number that grows each time that the lease is taken, by whomever.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        owner: str,
        *,
        fence: int,
        acquired_at: datetime,
        ttl_s: float,
        clock: Clock,
    ) -> None:
        self.name = name
        self.owner = owner
        self.fence = fence
        self._engine = engine
        self._ttl = timedelta(seconds=ttl_s)
        self._expires_at = acquired_at + self._ttl
        self._clock = clock
        self._lost = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease {name}", daemon=True)

    @classmethod
    def acquire(
        cls,
        engine: Engine,
        name: str,
        *,
        owner: str,
        ttl_s: float = TTL_S,
        clock: Clock = utc_now,
        process: str | None = None,
    ) -> Lease:
        """Take the lease, or fail at once.

        Renewal begins with the ``with`` block.

        Args:
            engine: Database that all candidates for the lease share.
            name: Name of the right, at most 120 characters.
            owner: Name of the holder, such as the job's id, at most 64 characters; no two holders share one.
            ttl_s: Seconds until the lease lapses unless it is renewed. The clocks of hosts that share leases must
                differ by less.
            clock: Function that returns the present instant.
            process: Identity of the process whose death ends the lease; None for the calling process.

        Raises:
            LeaseHeldError: Another holder has the lease.
        """
        process = process or process_identity()
        now = clock()
        values = {
            "owner": owner,
            "process": process,
            "acquired_at": now,
            "expires_at": now + timedelta(seconds=ttl_s),
            "fence": table.c.fence + 1,
        }
        for _ in range(ATTEMPTS):
            if _take(engine, _IF_FREE, {"lease": name, "now": now}, values):
                break
            holder = _holder(engine, name)
            if holder is None:
                _add(engine, name, now)
            elif holder.owner is not None and holder.expires_at > now:
                if surely_dead(holder.process) and _take(engine, _IF_HELD_BY, _is(name, holder), values):
                    break
                raise _held(name, holder)
        else:
            raise _held(name, None)
        fence = _fence(engine, name, owner)
        return cls(engine, name, owner, fence=fence, acquired_at=now, ttl_s=ttl_s, clock=clock)

    def check(self) -> None:
        """Check, without asking the database, that no other holder can have the lease by now.

        Raises:
            LeaseLostError: The lease was not renewed in time, or passed to another holder.
        """
        if self._lost or self._clock() >= self._expires_at:
            raise self._error()

    def _error(self) -> LeaseLostError:
        return LeaseLostError(
            f"the right to run {self.name} was lost",
            why="another run has taken it" if self._lost else "it could not be renewed in time",
            next_step="Nothing more is sent. The next run settles what was under way; if this happens "
            "often, look at the database's load and at the hosts' clocks.",
        )

    def holds(self) -> ColumnElement[bool]:
        """Return the condition that this lease has neither lapsed nor passed to another holder, for a statement."""
        mine = select(table.c.name).where(
            table.c.name == self.name,
            table.c.owner == self.owner,
            table.c.fence == self.fence,
            table.c.expires_at > self._clock(),
        )
        return exists(mine)

    def lost(self) -> LeaseLostError:
        """Return the error of a run whose lease has passed to another holder, and remember that it has."""
        self._lost = True
        return self._error()

    def renew(self) -> bool:
        """Prolong the lease by its whole time from now; return False if it has passed to another holder."""
        expires_at = self._clock() + self._ttl
        if self._update(expires_at=expires_at):
            self._expires_at = expires_at
        else:
            self._lost = True
        return not self._lost

    def release(self) -> None:
        """Give the lease back, unless it has passed to another holder; a second call does nothing."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_TIMEOUT_S)
        try:
            self._update(owner=None, process=None, acquired_at=None, expires_at=self._clock())
        except SQLAlchemyError:  # it lapses by itself; the work that it protected is done
            log.warning("the lease %s could not be given back; it lapses at %s", self.name, self._expires_at)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _update(self, **values: Any) -> bool:
        # The number tells this lease from a later one of the same owner.
        mine = {"lease": self.name, "holder": self.owner, "number": self.fence}
        return _take(self._engine, _IF_MINE, mine, values)

    def _keep(self) -> None:
        while not self._done.wait(self._ttl.total_seconds() / RENEWALS_A_TTL):
            try:
                if not self.renew():
                    log.error("the lease %s has passed to another run", self.name)
                    return
            except SQLAlchemyError as error:  # tried again; check() tells when it was too late
                log.warning("the lease %s could not be renewed: %s", self.name, type(error).__name__)


def live_owners(engine: Engine, clock: Clock = utc_now) -> set[str]:
    """Return the holders of leases that have not lapsed and whose process is not surely dead."""
    query = select(table.c.owner, table.c.process).where(
        table.c.owner.is_not(None), table.c.expires_at > clock()
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return {owner for owner, process in rows if not surely_dead(process)}


_THIS = update(table).where(table.c.name == bindparam("lease"))
_IF_FREE = _THIS.where(or_(table.c.owner.is_(None), table.c.expires_at <= bindparam("now")))
_IF_MINE = _THIS.where(table.c.owner == bindparam("holder"), table.c.fence == bindparam("number"))
_IF_HELD_BY = _THIS.where(table.c.owner == bindparam("holder"), table.c.acquired_at == bindparam("since"))


def _take(engine: Engine, conditional: Update, of: dict[str, Any], values: dict[str, Any]) -> bool:
    """Take the lease in one atomic step; of all callers at once, one gets True."""
    with engine.begin() as connection:
        return connection.execute(conditional.values(values), of).rowcount == 1


def _fence(engine: Engine, name: str, owner: str) -> int:
    """Return the number of a lease that the owner has just taken; -1, which none has, when it is lost already."""
    mine = select(table.c.fence).where(table.c.name == name, table.c.owner == owner)
    with engine.connect() as connection:
        number = connection.execute(mine).scalar_one_or_none()
    return -1 if number is None else number


def _add(engine: Engine, name: str, now: datetime) -> None:
    with suppress(IntegrityError), engine.begin() as connection:  # somebody else may be first
        connection.execute(insert(table).values(name=name, expires_at=now))


def _holder(engine: Engine, name: str) -> _Holder | None:
    query = select(table.c.owner, table.c.process, table.c.acquired_at, table.c.expires_at)
    with engine.connect() as connection:
        row = connection.execute(query.where(table.c.name == name)).one_or_none()
    return None if row is None else _Holder(*row)


def _is(name: str, holder: _Holder) -> dict[str, Any]:
    return {"lease": name, "holder": holder.owner, "since": holder.acquired_at}


def _held(name: str, holder: _Holder | None) -> LeaseHeldError:
    what = f"{name} is already running"
    if holder is None or holder.acquired_at is None:
        return LeaseHeldError(what, why="other runs were faster", next_step="Run this again later.")
    process = Process.parse(holder.process)
    return LeaseHeldError(
        what,
        where=f"run {holder.owner}, "
        + (f"process {process.pid} on {process.host}" if process else "process unknown"),
        why=f"since {holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC",
        next_step=f"Wait until it ends. If it has died, its lease lapses at {holder.expires_at:%H:%M:%S} UTC "
        "at the latest, and this can be run again.",
    )

"""Counts over everything, for people who look again and again: each is asked of the database once in a while."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import func, select

from coursewire.errors import SourceError
from coursewire.model.payload import CONFIRMING, ResultKind
from coursewire.model.reasons import CountedAs, counted_as
from coursewire.storage.audit.queries import by_state
from coursewire.storage.audit.requeue import FAILED_STATES
from coursewire.storage.audit.states import State
from coursewire.storage.tables.records import content_record, job, outcome_record, transmission

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from coursewire.configurations.configuration import Configuration
    from coursewire.installation import Installation
    from coursewire.pipeline.runners.background import Watched

T = TypeVar("T")

FRESH_S = 5.0
"""The age in seconds that the counts of a page may have."""

TRAFFIC_FRESH_S = 60.0

PAST_FRESH_S = 3600.0
"""The seconds for which the counts of a day that is over are kept: only retention changes them."""

STALE_TIMES = 3
"""The multiple of the fresh age that an answer may have for somebody who looks first after a while."""

MOST_KEPT = 10_000
"""Answers in memory; nearly all of them are names of customers."""

LOG = logging.getLogger(__name__)

AGAIN = frozenset({ResultKind.TRY_LATER, ResultKind.THROTTLED, ResultKind.IN_DOUBT})
"""Results after which an item is tried again or waits for a person; what remains is a refusal."""


@dataclass(slots=True)
class LastRun:
    """The newest job of a configuration."""

    uuid: UUID
    kind: str
    state: str
    started_at: datetime


@dataclass(slots=True)
class Standing:
    """The state of one configuration, over content and outcomes."""

    present: int = 0
    waiting: int = 0
    skipped: int = 0
    failed: int = 0
    in_doubt: int = 0
    last_run: LastRun | None = None

    def health(self, configuration: Configuration) -> tuple[str, str]:
        """Return a colour and the words that it stands for."""
        if configuration.needs_reconnect_since is not None:
            return "bad", "needs reconnect"
        if configuration.failing_since is not None:
            return "bad", "credentials refused"
        if not configuration.active:
            return "left", "draft"
        if self.last_run is None:
            return "wait", "never run"
        if self.last_run.state in ("failed", "abandoned"):
            return "bad", f"last run {self.last_run.state}"
        if self.in_doubt:
            return "bad", f"{self.in_doubt:,} in doubt"
        if self.failed:
            return "left", f"{self.failed:,} failed"
        return "good", "healthy"


@dataclass(slots=True)
class _Kept:
    """An answer, and the moment at which it was asked for."""

    value: Any
    at: float


class Stats:
    """The counts of one installation, each asked for once however many look at the same time.

    What is no longer fresh is shown once more while it is asked for again, so that nobody waits for it; what is
    older than :data:`STALE_TIMES` as long is waited for.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._kept: dict[Any, _Kept] = {}
        self._asked: dict[Any, asyncio.Task[Any]] = {}
        self._days: dict[datetime, tuple[float, Counter[tuple[UUID, str]]]] = {}

    async def standing(self) -> defaultdict[UUID, Standing]:
        """Return how every configuration stands, by UUID."""
        return await self._fresh("standing", FRESH_S, lambda: asyncio.to_thread(self._standing))

    async def traffic(
        self, configurations: Collection[UUID] | None, days: int
    ) -> list[tuple[str, dict[str, int]]]:
        """Return the attempts of each day (UTC), the oldest first: ``("11-21", {"good": 3, "wait": 0, "bad": 1})``."""
        found = await self._fresh(
            ("traffic", days), TRAFFIC_FRESH_S, lambda: asyncio.to_thread(self._traffic, days)
        )
        mine = None if configurations is None else frozenset(configurations)
        return [(f"{day:%m-%d}", _shades(counts, mine)) for day, counts in found]

    def job_ended(self, _watched: Watched) -> None:
        """Count again before the next page: who has just run a job wants to see what came of it."""
        self._kept.pop("standing", None)

    async def aclose(self) -> None:
        """Wait for what is being asked for."""
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def configurations(self) -> Sequence[Configuration]:
        """Return all configurations."""
        ask = partial(asyncio.to_thread, self._installation.configurations.list)
        return await self._fresh("configurations", FRESH_S, ask)

    async def customer_names(self, customers: Iterable[str]) -> dict[str, str]:
        """Return the source's names of customers; the beginning of the UUID where it has none."""
        wanted = list(customers)
        names = await asyncio.gather(
            *(self._fresh(("customer", uuid), TRAFFIC_FRESH_S, partial(self._name, uuid)) for uuid in wanted)
        )
        return dict(zip(wanted, names, strict=True))

    async def _name(self, uuid: str) -> str:
        try:
            customer = await self._installation.source.customer(uuid)
        except SourceError:
            customer = None
        return customer.name if customer and customer.name else uuid[:8]

    async def _fresh(self, key: Any, seconds: float, ask: Callable[[], Awaitable[T]]) -> T:
        kept, now = self._kept.get(key), monotonic()
        if kept is not None and now - kept.at < seconds:
            return cast("T", kept.value)
        if (task := self._asked.get(key)) is None:
            task = self._asked[key] = asyncio.create_task(self._ask(key, ask))
            task.add_done_callback(partial(self._answered, key))
        if kept is not None and now - kept.at < seconds * STALE_TIMES:
            return cast("T", kept.value)
        # One who goes away does not take the answer from the others.
        return cast("T", await asyncio.shield(task))

    async def _ask(self, key: Any, ask: Callable[[], Awaitable[T]]) -> T:
        at = monotonic()
        value = await ask()
        self._kept.pop(key, None)
        self._kept[key] = _Kept(value, at)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return value

    def _answered(self, key: Any, task: asyncio.Task[Any]) -> None:
        del self._asked[key]
        if not task.cancelled() and task.exception() is not None:
            LOG.warning("figures could not be counted: %s", task.exception())

    def _standing(self) -> defaultdict[UUID, Standing]:
        found: defaultdict[UUID, Standing] = defaultdict(Standing)
        engine = self._installation.engine
        for table in (content_record, outcome_record):
            for configuration, state, reason, present, count in by_state(engine, table, None):
                each = found[configuration]
                each.present += count if present else 0
                if state == State.IN_DOUBT:
                    each.in_doubt += count
                elif state in FAILED_STATES:
                    each.failed += count
                elif state in (State.PLANNED, State.SENDING):
                    if reason and counted_as(reason) is not CountedAs.WAITING:
                        each.skipped += count
                    else:
                        each.waiting += count
        newest = (
            select(job.c.configuration, func.max(job.c.started_at).label("at"))
            .group_by(job.c.configuration)
            .subquery()
        )
        query = select(job.c.configuration, job.c.uuid, job.c.kind, job.c.state, job.c.started_at).join(
            newest, (job.c.configuration == newest.c.configuration) & (job.c.started_at == newest.c.at)
        )
        with engine.connect() as connection:
            for configuration, *run in connection.execute(query):
                found[configuration].last_run = LastRun(*run)
        return found

    def _traffic(self, days: int) -> list[tuple[datetime, Counter[tuple[UUID, str]]]]:
        today = self._installation.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        wanted = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
        now = monotonic()
        # Attempts are written moments after they are made: what is over is over, but for the last midnight.
        kept = {
            day: (at, counts)
            for day, (at, counts) in self._days.items()
            if wanted[0] <= day < today - timedelta(days=1) and now - at < PAST_FRESH_S
        }
        missing = [day for day in wanted if day not in kept]
        with self._installation.engine.connect() as connection:
            kept.update((day, (now, _counts(connection, day))) for day in missing)
        self._days = kept
        return [(day, kept[day][1]) for day in wanted]


def _counts(connection: Connection, begin: datetime) -> Counter[tuple[UUID, str]]:
    """Return the attempts of one day, counted by configuration and result."""
    c = transmission.c
    # A range: how databases cut an instant down to a date differs, and may go by their zone.
    query = (
        select(c.configuration, c.result, func.count())
        .where(c.at >= begin, c.at < begin + timedelta(days=1))
        .group_by(c.configuration, c.result)
    )
    rows = connection.execute(query)
    return Counter({(configuration, result): count for configuration, result, count in rows})


def _shades(counts: Counter[tuple[UUID, str]], mine: frozenset[UUID] | None) -> dict[str, int]:
    """Return a day's results, counted by their colour; of these configurations alone, where some are named."""
    shades = {"good": 0, "wait": 0, "bad": 0}
    for (configuration, result), count in counts.items():
        if mine is not None and configuration not in mine:
            continue
        if result in CONFIRMING:
            shades["good"] += count
        elif result in AGAIN:
            shades["wait"] += count
        elif result in set(ResultKind):
            shades["bad"] += count
    return shades

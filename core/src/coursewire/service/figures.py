"""Counts over everything, for people who look again and again: each is asked of the database once in a while."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select

from coursewire.audit.browse import by_state
from coursewire.audit.release import FAILED_STATES
from coursewire.audit.states import State
from coursewire.audit.tables import content_record, job, outcome_record, transmission
from coursewire.errors import SourceError
from coursewire.model.payload import CONFIRMING, ResultKind
from coursewire.transmit.summary import WAITING

if TYPE_CHECKING:
    from coursewire.config.configuration import Configuration
    from coursewire.jobs.installation import Installation

T = TypeVar("T")

FRESH_S = 5.0
"""How old the counts of a page may be."""

TRAFFIC_FRESH_S = 60.0

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
    """How one configuration stands, over content and outcomes."""

    present: int = 0
    waiting: int = 0
    skipped: int = 0
    failed: int = 0
    last_run: LastRun | None = None

    def health(self, configuration: Configuration) -> tuple[str, str]:
        """A colour and the words that it stands for."""
        if configuration.needs_reconnect_since is not None:
            return "bad", "needs reconnect"
        if not configuration.active:
            return "left", "draft"
        if self.last_run is None:
            return "wait", "never run"
        if self.last_run.state in ("failed", "abandoned"):
            return "bad", f"last run {self.last_run.state}"
        if self.failed:
            return "left", f"{self.failed:,} failed"
        return "good", "healthy"


class Figures:
    """The counts of one installation, each asked for once however many look at the same time."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._kept: dict[Any, tuple[float, Any]] = {}
        self._locks: defaultdict[Any, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def standing(self) -> defaultdict[UUID, Standing]:
        """How every configuration stands, by UUID."""
        return await self._fresh("standing", FRESH_S, lambda: asyncio.to_thread(self._standing))

    async def traffic(
        self, configurations: Collection[UUID] | None, days: int
    ) -> list[tuple[str, dict[str, int]]]:
        """Attempts a day (UTC), the oldest first: ``("11-21", {"good": 3, "wait": 0, "bad": 1})``."""
        key = ("traffic", None if configurations is None else frozenset(configurations), days)
        return await self._fresh(
            key, TRAFFIC_FRESH_S, lambda: asyncio.to_thread(self._traffic, configurations, days)
        )

    async def configurations(self) -> Sequence[Configuration]:
        """All configurations."""
        ask = partial(asyncio.to_thread, self._installation.configurations.list)
        return await self._fresh("configurations", FRESH_S, ask)

    async def customer_names(self, customers: Iterable[str]) -> dict[str, str]:
        """What the source calls these customers; the beginning of the UUID where it does not say."""
        return {
            uuid: await self._fresh(("customer", uuid), TRAFFIC_FRESH_S, partial(self._name, uuid))
            for uuid in customers
        }

    async def _name(self, uuid: str) -> str:
        try:
            customer = await self._installation.source.customer(uuid)
        except SourceError:
            customer = None
        return customer.name if customer and customer.name else uuid[:8]

    async def _fresh(self, key: Any, seconds: float, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._locks[key]:
            kept_until, value = self._kept.get(key, (0.0, None))
            if kept_until <= time.monotonic():
                value = await ask()
                self._kept[key] = (time.monotonic() + seconds, value)
            found: T = value
            return found

    def _standing(self) -> defaultdict[UUID, Standing]:
        found: defaultdict[UUID, Standing] = defaultdict(Standing)
        engine = self._installation.engine
        for table in (content_record, outcome_record):
            for configuration, state, reason, present, count in by_state(engine, table, None):
                each = found[configuration]
                each.present += count if present else 0
                if state in FAILED_STATES:
                    each.failed += count
                elif state in (State.PLANNED, State.SENDING):
                    if reason and reason not in WAITING:
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

    def _traffic(
        self, configurations: Collection[UUID] | None, days: int
    ) -> list[tuple[str, dict[str, int]]]:
        c = transmission.c
        tomorrow = self._installation.clock().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(
            days=1
        )
        columns = []
        with self._installation.engine.connect() as connection:
            for back in range(days, 0, -1):
                # A range a day: how databases cut an instant down to a date differs, and may go by their zone.
                begin = tomorrow - timedelta(days=back)
                query = (
                    select(c.result, func.count())
                    .where(c.at >= begin, c.at < begin + timedelta(days=1))
                    .group_by(c.result)
                )
                if configurations is not None:
                    query = query.where(c.configuration.in_(configurations))
                counts = {"good": 0, "wait": 0, "bad": 0}
                for result, count in connection.execute(query):
                    if result in CONFIRMING:
                        counts["good"] += count
                    elif result in AGAIN:
                        counts["wait"] += count
                    elif result in set(ResultKind):
                        counts["bad"] += count
                columns.append((f"{begin:%m-%d}", counts))
        return columns

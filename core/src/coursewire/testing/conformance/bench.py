"""The bench on which a check is made: an installation in a folder, a made-up source, the running simulator, and core's real jobs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Table, select

from coursewire.installation import Installation
from coursewire.model.channel import Limits
from coursewire.model.configuration import INSECURE_URLS, ChannelConfig
from coursewire.model.content import ContentItem, ContentType
from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.plan import PlanItem
from coursewire.pipeline.summary import Summary
from coursewire.pipeline.transmit.run import Stop
from coursewire.plugins.registry import LoadedChannel, Registry
from coursewire.storage.audit.records import ContentRecord, ContentRecords
from coursewire.storage.tables.records import outcome_record, transmission
from coursewire.testing.conformance.checks import demand
from coursewire.testing.conformance.made_up import (
    ACME,
    MadeUpSource,
    content_item,
    enrollment,
    learner_id,
)
from coursewire.testing.conformance.watch import CrashError
from coursewire.testing.misbehave import Misbehaviour

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from coursewire.http.session import HttpSession
    from coursewire.model.results import EnrollmentFacts
    from coursewire.pipeline.job import Job
    from coursewire.testing.conformance.kit import Kit


MOST = 1_000_000
"""More than any check has."""


class Bench:
    """One check's own world; the channel, its simulator, the source and the clock are at hand.

    Attributes:
        kit: What all checks of the channel share.
        channel: What the channel declares.
        loaded: The channel with its hook caller.
        simulator: The running LMS, empty.
        clock: Of everything, the simulator included. Whoever sleeps moves it.
        slept: Every pause, in seconds; nobody waited.
        watch: An operator's hooks.
        source: Where content and results come from.
        installation: With an empty database.
        database: The database's file.
    """

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.channel, self.loaded = kit.channel, kit.loaded
        self.simulator, self.clock, self.slept, self.watch = kit.simulator, kit.clock, kit.slept, kit.watch
        self.source = MadeUpSource()
        self.database = kit.database
        self.installation = self._furnished(kit.installation)

    def _furnished(self, installation: Installation) -> Installation:
        installation.__dict__["channels"] = Registry([], [self.loaded])
        installation.__dict__["source"] = self.source
        return installation

    def limit(self, **limits: Any) -> None:
        """Lower the channel's limits, such as its time-outs."""
        lowered = Limits.model_validate({**self.channel.limits.model_dump(), **limits})
        self.channel = self.channel.model_copy(update={"limits": lowered})
        self.loaded = LoadedChannel(self.channel, self.loaded.hook_caller, "", "conformance", "0")
        self._furnished(self.installation)

    # -- configurations --------------------------------------------------------------------------

    def fields(self, **changes: Any) -> dict[str, Any]:
        """Fields of a complete configuration."""
        return {**self.simulator.sample_config(), **self.kit.config, **changes}

    def config(self, **changes: Any) -> ChannelConfig:
        """A validated configuration, without a row in the database."""
        return self.channel.config.model_validate(self.fields(**changes), context={INSECURE_URLS: True})

    def configure(self, customer: str = ACME, **changes: Any) -> UUID:
        """Add an active configuration; where the LMS fetches, a customer has one, or it must say which it means."""
        store = self.installation.configurations
        if self.channel.capabilities.delivery == "pull":
            for old in store.list(customer=customer, active=True):
                store.deactivate(old.uuid, actor="conformance")
        made = store.add(self.channel, customer, self.fields(**changes), active=True, actor="conformance")
        return made.uuid

    @property
    def secrets(self) -> list[str]:
        """The values of the secrets of :meth:`fields`."""
        fields = self.fields()
        return [str(fields[name]) for name in sorted(self.channel.config.secret_fields()) if fields.get(name)]

    # -- content ---------------------------------------------------------------------------------

    @property
    def main_type(self) -> ContentType:
        """The type of content that checks are made with: courses where the channel takes them."""
        kinds = self.channel.capabilities.content_types
        return ContentType.COURSE if not kinds or ContentType.COURSE in kinds else min(kinds)

    def shelve(self, *numbers: int | str, customer: str = ACME, **changes: Any) -> list[ContentItem]:
        """Put made-up items into a customer's catalog; one that is there already is replaced."""
        items = [content_item(number, self.main_type, **changes) for number in numbers]
        self.put(*items, customer=customer)
        return items

    def put(self, *items: ContentItem, customer: str = ACME) -> None:
        """Put items into a customer's catalog."""
        shelf = self.source.shelves[customer]
        for item in items:
            self.source.items[item.content_key] = item
            if item.content_key not in shelf:
                shelf.append(item.content_key)

    def take_away(self, item: ContentItem, customer: str = ACME) -> None:
        """Take an item out of the catalog, and out of the source."""
        self.source.shelves[customer].remove(item.content_key)
        self.source.items.pop(item.content_key)

    def remote_key(self, item: ContentItem) -> str:
        """The key that the LMS knows an item by."""
        return self.loaded.hook_caller.remote_key(self.config(), item)

    def held(self, item: ContentItem) -> Any:
        """Return the item as the LMS holds it; None where it holds none."""
        return self.simulator.items.get(self.remote_key(item))

    # -- results ---------------------------------------------------------------------------------

    def enroll(self, name: str, item: ContentItem, **facts: Any) -> EnrollmentFacts:
        """Enroll a learner, here and at the LMS; again, to change what is known."""
        made = enrollment(name, item, **facts)
        if made.id not in self.source.facts:
            self.simulator.enroll(self.remote_key(item), learner_id(name))
        self.source.facts[made.id] = made
        return made

    def times_told(self, name: str) -> int:
        """Return how often the LMS accepted a result of a learner."""
        return self.simulator.times_told(learner_id(name))

    # -- jobs ------------------------------------------------------------------------------------

    def job(self, uuid: UUID, kind: Kind = Kind.CONTENT, *, read_only: bool = False, **options: Any) -> Job:
        """A job of core's own."""
        installation = self._furnished(self.kit.open(read_only=True)) if read_only else self.installation
        configuration = installation.configurations.get(uuid)
        if kind is Kind.CONTENT:
            # The guard is not the channel's business, and checks take away much of the little that there is.
            return ContentJob(installation, configuration, **{"confirm_retire": MOST, **options})
        return OutcomeJob(installation, configuration, kind, **options)

    def run(self, uuid: UUID, kind: Kind = Kind.CONTENT, **options: Any) -> Summary:
        """Transmit, and wait for the end; where the LMS fetches content itself, it has done so by then."""
        summary = self.kit.run(self.job(uuid, kind, **options).run(Stop()))
        if kind is Kind.CONTENT and self.channel.capabilities.delivery == "pull":
            from coursewire.inbound.desk import Inbound  # noqa: PLC0415 - few LMSs fetch

            customer = self.installation.configurations.get(uuid).customer
            self.kit.run(self.simulator.fetch(Inbound(self.installation).call, customer))
        return summary

    def settle(self, uuid: UUID, kind: Kind = Kind.CONTENT, *, runs: int = 3) -> Summary:
        """Transmit until nothing waits any more, with days between the runs; at most so many runs."""
        for _ in range(runs):
            summary = self.run(uuid, kind)
            counts = summary.as_dict()
            if not counts["waiting"] and not counts["failed"]:
                break
            self.clock.forward(days=2)
        return summary

    def crash(self, uuid: UUID, kind: Kind, hook: str, after: int = 0) -> bool:
        """Transmit until the process dies at a hook; False if it never got there."""
        self.watch.dies_at, self.watch.after = hook, after
        logging.disable()  # the dead do not complain
        try:
            self.kit.run_doomed(self.job(uuid, kind).run(Stop()))
        except CrashError:
            return True
        finally:
            logging.disable(logging.NOTSET)
            self.watch.reset()
        return False

    def plan(self, uuid: UUID, kind: Kind = Kind.CONTENT, *, read_only: bool = False) -> list[PlanItem]:
        """Return the plan of a run."""

        async def collect() -> list[PlanItem]:
            job = self.job(uuid, kind, read_only=read_only)
            try:
                plan = await job.plan()
                return [item async for item in plan.items()]
            finally:
                if read_only:
                    job.installation.close()

        return self.kit.run(collect())

    def in_session(self, uuid: UUID, call: Any) -> Any:
        """Run an async function of a session of a configuration."""
        config = self.installation.configurations.load(uuid, self.channel)

        async def opened() -> Any:
            session: HttpSession
            async with self.installation.session(self.loaded, config, uuid) as session:
                return await call(session)

        return self.kit.run(opened())

    def misbehave(self, name: str, times: int | None = 1, **how: Any) -> None:
        """Let the LMS misbehave."""
        self.simulator.misbehave.append(Misbehaviour(name, times=times, **how))

    # -- what is written -------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """Of the installation's database."""
        return self.installation.engine

    def records(self, uuid: UUID, items: Sequence[ContentItem]) -> list[ContentRecord]:
        """The records of items, in their order."""
        keys = [item.content_key for item in items]
        found = ContentRecords(self.engine, uuid).fetch(keys)
        missing = [key for key in keys if key not in found]
        demand(not missing, f"there is no record of {', '.join(missing)}")
        return [found[key] for key in keys]

    def record(self, uuid: UUID, item: ContentItem) -> ContentRecord:
        """The record of an item."""
        return self.records(uuid, [item])[0]

    def all_rows(self) -> dict[str, list[dict[str, Any]]]:
        """All rows of all tables, by the table's name."""
        return {table.name: self.rows(table) for table in self.kit.tables}

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """All rows of a table."""
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(select(table))]

    def outcome(self, name: str, uuid: UUID | None = None) -> dict[str, Any]:
        """The one record of a learner's results."""
        found = [
            row
            for row in self.rows(outcome_record)
            if row["username"] == name and uuid in (None, row["configuration"])
        ]
        demand(len(found) == 1, f"there are {len(found)} records of results of {name}", expected="one")
        return found[0]

    def attempts(self) -> list[dict[str, Any]]:
        """The log of transmissions."""
        return self.rows(transmission)

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Everything that is logged meanwhile, at every level."""
        heard = _Ear()
        root = logging.getLogger()
        level = root.level
        root.addHandler(heard)
        root.setLevel(logging.DEBUG)
        try:
            yield heard.lines
        finally:
            root.removeHandler(heard)
            root.setLevel(level)


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

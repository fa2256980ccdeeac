"""Where a check is made: an installation in a folder, a made-up source, the running simulator, and core's real jobs."""

from __future__ import annotations

import asyncio
import gc
import logging
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple
from uuid import UUID

from sqlalchemy import Table, event, select

from coursewire.audit.engine import open_engine
from coursewire.audit.records import ContentRecord, ContentRecords
from coursewire.audit.schema import create
from coursewire.audit.tables import metadata, outcome_record, transmission
from coursewire.channels.loading import load_channel_object
from coursewire.channels.registry import LoadedChannel, Registry
from coursewire.config.secrets import new_key
from coursewire.config.settings import Settings
from coursewire.enrollment import tables as _enrollment_tables  # noqa: F401  (they and the source's join the metadata)
from coursewire.hookspecs import hookimpl
from coursewire.jobs.content import ContentJob
from coursewire.jobs.inbound import Inbound
from coursewire.jobs.installation import Installation
from coursewire.jobs.outcomes import OutcomeJob
from coursewire.model.channel import Channel, Limits
from coursewire.model.configuration import INSECURE_URLS, ChannelConfig
from coursewire.model.content import ContentItem, ContentType
from coursewire.model.payload import Batch, Kind, Result
from coursewire.sources.database import tables as _source_tables  # noqa: F401
from coursewire.testing.conformance import sibling
from coursewire.testing.conformance.checks import Fault, demand
from coursewire.testing.conformance.made_up import (
    ACME,
    NOW,
    MadeUpSource,
    content_item,
    enrollment,
    learner_id,
)
from coursewire.testing.misbehave import Misbehaviour
from coursewire.testing.simulator import Simulator
from coursewire.transmit.plan import PlanItem
from coursewire.transmit.send import Stop
from coursewire.transmit.summary import Summary

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sqlalchemy import Engine

    from coursewire.client.session import HttpSession
    from coursewire.jobs.job import Job
    from coursewire.model.results import EnrollmentFacts


_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

PATIENCE_S = 5
DATABASE = "coursewire.db"
MOST = 1_000_000
"""More than any check has."""


@dataclass
class BenchClock:
    """A clock that stands until it is moved, or until somebody sleeps."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def forward(self, **by: float) -> None:
        """Let time pass, in the words of ``timedelta``."""
        self.now += timedelta(**by)


class CrashError(BaseException):
    """The process dies here. Nothing may catch it, as nothing catches a kill."""


@dataclass(eq=False)
class Watch:
    """An operator's hooks: they note what they see, and may let the process die.

    Attributes:
        seen: Name of the hook and what it was given, in order.
        dies_at: The hook at which the process dies, "" for none.
        after: So many calls of it are survived.
        dead: It has died: nothing is written any more, not even that it has.
    """

    seen: list[tuple[str, Any]] = field(default_factory=list)
    dies_at: str = ""
    after: int = 0
    dead: bool = False

    def reset(self) -> None:
        """Forget everything, and stay alive."""
        self.seen.clear()
        self.dies_at, self.after, self.dead = "", 0, False

    def _note(self, hook: str, what: Any) -> None:
        self.seen.append((hook, what))
        if hook == self.dies_at:
            self.after -= 1
            if self.after < 0:
                self.dead = True
        self.die_if_dead()

    def die_if_dead(self, *_: Any) -> None:
        """Let whoever asks die too. The database does, before each statement."""
        if self.dead:
            raise CrashError

    def of(self, hook: str) -> list[Any]:
        """What one hook was given."""
        return [what for name, what in self.seen if name == hook]

    @hookimpl
    def job_started(self, job: Mapping[str, Any]) -> None:
        """See :class:`coursewire.hookspecs.OperatorSpecs`."""
        self._note("job_started", job)

    @hookimpl(tryfirst=True)
    def batch_sending(self, batch: Batch) -> None:
        """Note it, and leave the answer to others."""
        self._note("batch_sending", batch)

    @hookimpl
    def batch_sent(self, batch: Batch, results: list[Result]) -> None:
        """See :class:`coursewire.hookspecs.OperatorSpecs`."""
        self._note("batch_sent", (batch, results))

    @hookimpl
    def job_finished(self, summary: Mapping[str, Any]) -> None:
        """See :class:`coursewire.hookspecs.OperatorSpecs`."""
        self._note("job_finished", summary)


@cache
def _template() -> Path:
    """A database with all tables, made once a process."""
    folder = Path(tempfile.mkdtemp(prefix="coursewire-conformance-"))
    path = folder / "template.db"
    engine = open_engine(f"sqlite:///{path}")
    create(engine, metadata)
    engine.dispose()
    return path


class _Loop(asyncio.SelectorEventLoop):
    """A loop that does at once what jobs leave to threads: on a bench, changing threads takes longer than the work."""

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """Call it here; what waits for it goes on in the loop's next round, as after the answer of a thread."""
        done: asyncio.Future[_T] = self.create_future()

        def tell(say: Callable[[Any], None], what: object) -> None:
            if not done.cancelled():
                say(what)

        try:
            self.call_soon(tell, done.set_result, func(*args))
        except (Exception, CrashError) as error:  # noqa: BLE001 - whoever waits gets it, whatever it is
            self.call_soon(tell, done.set_exception, error)
        return done


class Kit:
    """What the checks of one channel share: the channel, its running simulator, and an installation.

    Args:
        plugin: The module or object with the channel's hooks.
        config: Fields of the configuration beside those of the simulator's sample.
        golden: Folder of golden pairs; None where there are none.

    Raises:
        ChannelLoadError: The channel cannot be used.
        Fault: It ships no simulator that can be used.
    """

    def __init__(
        self, plugin: object, *, config: Mapping[str, Any] | None = None, golden: Path | None = None
    ) -> None:
        self.plugin = plugin
        self.config = dict(config or {})
        self.golden = golden
        self.clock = BenchClock()
        self.slept: list[float] = []
        self.watch = Watch()
        self.loaded = load_channel_object(
            plugin, distribution="conformance", version="0", operators=[self.watch]
        )
        self.channel: Channel = self.loaded.channel
        self.simulator = make_simulator(self.channel)
        self.runner = asyncio.Runner(loop_factory=_Loop)
        self.folder: Path
        self.installation: Installation
        self._key = new_key()
        self._sibling: subprocess.Popen[str] | None = None

    @contextmanager
    def running(self) -> Iterator[Kit]:
        """Run the simulator, beside an installation in a folder of its own."""
        with ExitStack() as cleanup:
            gc.freeze()  # what is imported stays; looking through it again and again takes as long as ten checks
            self.folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="coursewire-bench-")))
            shutil.copyfile(_template(), self.folder / DATABASE)
            self.installation = self.open()
            event.listen(self.installation.engine, "before_cursor_execute", self.watch.die_if_dead)
            cleanup.callback(self.installation.close)
            cleanup.callback(self.runner.close)
            cleanup.enter_context(self.simulator.running())
            cleanup.callback(self._end_sibling)
            yield self

    def open(self, *, read_only: bool = False) -> Installation:
        """The installation, opened anew."""
        settings = Settings.load(
            data_dir=self.folder,
            database_url=f"sqlite:///{self.folder / DATABASE}",
            secret_key=self._key,
            allow_insecure_urls=True,
        )
        return Installation(settings, read_only=read_only, clock=self.clock, sleep=self._sleep)

    def bench(self) -> Bench:
        """A fresh bench: the clock is put back, and database and simulator have forgotten everything."""
        self.clock.now = NOW
        self.slept.clear()
        self.watch.reset()
        give_up_at = time.monotonic() + PATIENCE_S
        while self.simulator.under_way and time.monotonic() < give_up_at:
            time.sleep(0.005)  # answers that nobody waits for any more must not arrive in the next check
        self.simulator.clock = self.clock
        self.simulator.reset()
        # All tables with one call of the driver: as statements of their own they would take as long as a check.
        tables = reversed(metadata.sorted_tables)
        emptied = ";".join(f'DELETE FROM "{table.name}"' for table in tables)  # noqa: S608 - names of our own
        with closing(self.installation.engine.raw_connection()) as connection:
            connection.cursor().executescript(f"BEGIN;{emptied};COMMIT")
        return Bench(self)

    def start_sibling(self) -> None:
        """Start the process that exports the same, ahead of its check; it needs a while to get ready."""
        address = sibling.address_of(self.plugin)
        if address is not None:
            self._sibling = sibling.start(address)

    def sibling_answers(self, work: Mapping[str, Any]) -> list[Any] | None:
        """What another process exports; None where there can be none."""
        if self._sibling is None:
            self.start_sibling()
        if self._sibling is None:
            return None
        answers = sibling.ask(self._sibling, work)
        self._sibling = None
        return answers

    def _end_sibling(self) -> None:
        if self._sibling is not None:
            self._sibling.kill()
            self._sibling.communicate()
            self._sibling = None

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.forward(seconds=seconds)
        await asyncio.sleep(0)


def make_simulator(channel: Channel) -> Simulator:
    """The simulator that a channel ships, not started.

    Raises:
        Fault: There is none, or it cannot be used.
        ModuleNotFoundError: Something that it needs is not installed.
    """
    demand(
        channel.simulator,
        "the channel ships no simulator, so nothing can be sent and counted",
        seen="declare_channel() without `simulator`",
        expected='simulator="package.module:Class" of a coursewire.testing.simulator.Simulator',
    )
    module, _, name = str(channel.simulator).partition(":")
    try:
        made: Simulator = getattr(import_module(module), name)()
    except Exception as error:
        if (
            isinstance(error, ModuleNotFoundError)
            and error.name != module.partition(".")[0]
            and error.name != module
        ):
            raise  # a dependency is missing here; that is not the channel's fault
        raise Fault(
            f"the simulator {channel.simulator} cannot be made",
            seen=f"{type(error).__name__}: {error}",
            expected="a class that needs no arguments",
        ) from error
    demand(
        isinstance(made, Simulator),
        f"{channel.simulator} is not built on the simulator base",
        seen=type(made).__mro__,
        expected="a subclass of coursewire.testing.simulator.Simulator",
    )
    return made


class Bench:
    """One check's own world; the channel, its simulator, the source and the clock are at hand.

    Attributes:
        kit: What all checks of the channel share.
        channel: What the channel declares.
        loaded: The channel with its relay.
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
        self.database = kit.folder / DATABASE
        self.installation = self._furnished(kit.installation)

    def _furnished(self, installation: Installation) -> Installation:
        installation.__dict__["channels"] = Registry([], [self.loaded])
        installation.__dict__["source"] = self.source
        return installation

    def limit(self, **limits: Any) -> None:
        """Lower the channel's limits, such as its time-outs."""
        lowered = Limits.model_validate({**self.channel.limits.model_dump(), **limits})
        self.channel = self.channel.model_copy(update={"limits": lowered})
        self.loaded = LoadedChannel(self.channel, self.loaded.relay, "", "conformance", "0")
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
        return self.loaded.relay.remote_key(self.config(), item)

    def held(self, item: ContentItem) -> Any:
        """What the LMS holds of an item; None for nothing."""
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
        """How often the LMS accepted a result of a learner."""
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
        summary = self.kit.runner.run(self.job(uuid, kind, **options).run(Stop()))
        if kind is Kind.CONTENT and self.channel.capabilities.delivery == "pull":
            customer = self.installation.configurations.get(uuid).customer
            self.kit.runner.run(self.simulator.fetch(Inbound(self.installation).call, customer))
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
            # In a loop of its own, which takes what is under way down with it.
            with asyncio.Runner(loop_factory=_Loop) as doomed:
                doomed.run(self.job(uuid, kind).run(Stop()))
        except CrashError:
            return True
        finally:
            logging.disable(logging.NOTSET)
            self.watch.reset()
        return False

    def plan(self, uuid: UUID, kind: Kind = Kind.CONTENT, *, read_only: bool = False) -> list[PlanItem]:
        """What a run would do."""

        async def collect() -> list[PlanItem]:
            job = self.job(uuid, kind, read_only=read_only)
            try:
                pages: AsyncIterator[list[PlanItem]]
                if isinstance(job, ContentJob):
                    _survey, pages = await job.plan()
                else:
                    assert isinstance(job, OutcomeJob)
                    _reason, pages = await job.plan()
                return [item async for page in pages for item in page]
            finally:
                if read_only:
                    job.installation.close()

        return self.kit.runner.run(collect())

    def in_session(self, uuid: UUID, call: Any) -> Any:
        """Run an async function of a session of a configuration."""
        config = self.installation.configurations.load(uuid, self.channel)

        async def opened() -> Any:
            session: HttpSession
            async with self.installation.session(self.loaded, config, uuid) as session:
                return await call(session)

        return self.kit.runner.run(opened())

    def misbehave(self, name: str, times: int | None = 1, **how: Any) -> None:
        """Let the LMS misbehave."""
        self.simulator.misbehave.append(Misbehaviour(name, times=times, **how))

    # -- what is written -------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """Of the installation's database."""
        return self.installation.engine

    def record(self, uuid: UUID, item: ContentItem) -> ContentRecord:
        """The record of an item."""
        found = ContentRecords(self.engine, uuid).fetch([item.content_key])
        demand(item.content_key in found, f"there is no record of {item.content_key}")
        return found[item.content_key]

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

"""The things that all checks of one channel share: a database, the loop that jobs run in, and the running simulator."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from sqlalchemy import Table, event

from coursewire.configurations.secrets import new_key
from coursewire.installation import Installation
from coursewire.model.channel import Channel
from coursewire.plugins.loading import load_channel_object
from coursewire.settings import Settings
from coursewire.storage.database.engine import open_engine
from coursewire.storage.database.schema import create
from coursewire.storage.tables import metadata
from coursewire.testing.conformance import sibling
from coursewire.testing.conformance.bench import Bench
from coursewire.testing.conformance.checks import Fault, demand
from coursewire.testing.conformance.made_up import NOW
from coursewire.testing.conformance.watch import BenchClock, CrashError, Watch
from coursewire.testing.simulator import Simulator

if TYPE_CHECKING:
    from concurrent.futures import Executor

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

PATIENCE_S = 5
DATABASE = "coursewire.db"


@dataclass(frozen=True)
class Template:
    """An empty database to copy.

    Attributes:
        content: Of its file.
        tables: What it has, in the order in which they refer to each other. Modules that are imported later may
            know of more.
    """

    content: bytes
    tables: tuple[Table, ...]


@cache
def _template() -> Template:
    """Made once a process."""
    with tempfile.TemporaryDirectory(prefix="coursewire-template-") as folder:
        path = Path(folder) / DATABASE
        engine = open_engine(f"sqlite:///{path}")
        create(engine, metadata)
        engine.dispose()
        return Template(path.read_bytes(), tuple(metadata.sorted_tables))


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
    """The things that the checks of one channel share: the channel, its running simulator, and an installation.

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
        self._runner = asyncio.Runner(loop_factory=_Loop)
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
            self.database.write_bytes(_template().content)
            self.installation = self.open()
            event.listen(self.installation.engine, "before_cursor_execute", self.watch.die_if_dead)
            cleanup.callback(self.installation.close)
            cleanup.callback(self._runner.close)
            cleanup.enter_context(self.simulator.running())
            cleanup.callback(self._end_sibling)
            yield self

    def open(self, *, read_only: bool = False) -> Installation:
        """The installation, opened anew."""
        settings = Settings.load(
            data_dir=self.folder,
            database_url=f"sqlite:///{self.database}",
            secret_key=self._key,
            allow_insecure_urls=True,
        )
        return Installation(settings, read_only=read_only, clock=self.clock, sleep=self._sleep)

    @property
    def database(self) -> Path:
        """The database's file."""
        return self.folder / DATABASE

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the rows of the database."""
        return _template().tables

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run it to its end."""
        return self._runner.run(work)

    def run_doomed(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run what will die: in a loop of its own, which takes what is under way down with it."""
        with asyncio.Runner(loop_factory=_Loop) as runner:
            return runner.run(work)

    def bench(self) -> Bench:
        """A fresh bench: the clock is put back, and database and simulator have forgotten everything."""
        self.clock.now = NOW
        self.slept.clear()
        self.watch.reset()
        self.loaded.hook_caller.undeclared.clear()
        give_up_at = time.monotonic() + PATIENCE_S
        while self.simulator.under_way and time.monotonic() < give_up_at:
            time.sleep(0.005)  # answers that nobody waits for any more must not arrive in the next check
        self.simulator.clock = self.clock
        self.simulator.reset()
        # All tables with one call of the driver: as statements of their own they would take as long as a check.
        emptied = ";".join(f'DELETE FROM "{table.name}"' for table in reversed(self.tables))  # noqa: S608 - names of our own
        with closing(self.installation.engine.raw_connection()) as connection:
            connection.cursor().executescript(f"BEGIN;{emptied};COMMIT")
        return Bench(self)

    def start_sibling(self) -> None:
        """Start the process that exports the same, ahead of its check; it needs a while to get ready."""
        address = sibling.address_of(self.plugin)
        if address is not None:
            self._sibling = sibling.start(address)

    def sibling_answers(self, work: Mapping[str, Any]) -> list[Any] | None:
        """Return another process's exports; None where there can be none."""
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

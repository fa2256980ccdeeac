"""The suite that an author subclasses, and how checks are chosen, skipped and collected."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from coursewire.errors import ChannelLoadError
from coursewire.model.channel import Channel
from coursewire.plugins.loading import load_channel_object
from coursewire.testing.conformance.bench import Bench
from coursewire.testing.conformance.checks import Check, Fault, message
from coursewire.testing.conformance.configuration import ConfigurationChecks
from coursewire.testing.conformance.content import ContentChecks
from coursewire.testing.conformance.corrections import CorrectionChecks
from coursewire.testing.conformance.dry import DryChecks
from coursewire.testing.conformance.exporting import ExportingChecks
from coursewire.testing.conformance.failures import FailureChecks
from coursewire.testing.conformance.kit import Kit
from coursewire.testing.conformance.loading import LoadingChecks
from coursewire.testing.conformance.manners import MannersChecks
from coursewire.testing.conformance.recovery import RecoveryChecks
from coursewire.testing.conformance.results import ResultChecks
from coursewire.testing.conformance.secrecy import SecrecyChecks
from coursewire.testing.conformance.texts import TextChecks
from coursewire.testing.conformance.tokens import TokenChecks

try:
    import pytest
except ImportError:  # `coursewire conformance` runs the checks without it
    from coursewire.testing.conformance import without_pytest as pytest  # type: ignore[no-redef]


@dataclass(frozen=True, slots=True)
class Listed:
    """A check, and what becomes of it for one channel.

    Attributes:
        check: The check.
        applies: The channel declares what calls for it.
        skipped: The written reason why it is left out or replaced; "" when it is not.
    """

    check: Check
    applies: bool
    skipped: str


class SuiteBase:
    """The part of the suite that its topics see."""

    channel: ClassVar[Any] = None
    golden: ClassVar[str | Path | None] = None
    config: ClassVar[Mapping[str, Any]] = {}
    skipped: ClassVar[Mapping[str, str]] = {}
    silent: ClassVar[tuple[str, ...]] = ()
    """Return the checks that were skipped or overridden without a reason."""
    open_kit: ClassVar[Kit | None] = None
    """While its checks run under pytest: the channel and its running simulator."""


class ChannelSuite(
    LoadingChecks,
    ConfigurationChecks,
    ExportingChecks,
    TextChecks,
    ContentChecks,
    DryChecks,
    FailureChecks,
    TokenChecks,
    RecoveryChecks,
    ResultChecks,
    CorrectionChecks,
    SecrecyChecks,
    MannersChecks,
    SuiteBase,
):
    """Every check that a channel must pass. Subclass it, and pytest collects those that apply.

    ::

        class TestAcme(ChannelSuite):
            channel = plugin
            golden = Path(__file__).parent / "golden"

    Attributes:
        channel: The module or object with the channel's hooks.
        golden: Folder of golden pairs, ``<kind>/<case>.json``; None where there are none yet.
        config: Fields of the configuration beside those of the simulator's ``sample_config()``.
        skipped: Name of a check to the reason why it is left out, or why the subclass has one of its own.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Choose the checks that apply, and note what was left out in silence."""
        super().__init_subclass__(**kwargs)
        if cls.channel is None:
            return
        cls.silent = tuple(_silent(cls))
        declared, golden = _declared(cls.channel), cls.golden is not None
        for name, function in _functions().items():
            made = _check(function)
            if made.name == _GUARD:
                setattr(cls, name, function)  # it cannot be overridden
            elif not _applies(made, declared, golden=golden):
                setattr(cls, name, None)  # so that pytest collects nothing
            elif name in cls.skipped and _provider(cls, name) is None:
                setattr(cls, name, _skipping(function, cls.skipped[name]))

    @staticmethod
    def topics() -> tuple[type, ...]:
        """The classes that the checks stand in, one a topic."""
        return ChannelSuite.__bases__[:-1]

    @classmethod
    def checks(cls) -> list[Listed]:
        """Every check there is, in order, and whether it applies to this channel."""
        declared, golden = _declared(cls.channel), cls.golden is not None
        return [
            Listed(
                _check(function),
                _applies(_check(function), declared, golden=golden),
                cls.skipped.get(name, ""),
            )
            for name, function in _functions().items()
        ]

    @pytest.fixture
    def bench(self, request: pytest.FixtureRequest) -> Bench | None:
        """A fresh installation; None where the channel cannot be loaded."""
        suite = type(self)
        if "open_kit" not in vars(suite):
            # One simulator serves the class, and ends with it. A fixture of the class would do, if the versions of
            # pytest agreed on how one is written.
            cleanup = ExitStack()
            try:
                suite.open_kit = open_kit(suite, cleanup)
            except Fault as fault:
                pytest.fail(message(_check(request.function), fault), pytrace=False)
            chosen = {
                item.originalname
                for item in request.session.items
                if isinstance(item, pytest.Function) and item.cls is suite
            }
            if suite.open_kit is not None and SLOW_TO_START in chosen:
                suite.open_kit.start_sibling()
            request.node.getparent(pytest.Class).addfinalizer(partial(_close, suite, cleanup))
        return None if suite.open_kit is None else suite.open_kit.bench()


def _close(suite: type[ChannelSuite], cleanup: ExitStack) -> None:
    del suite.open_kit
    cleanup.close()


SLOW_TO_START = "test_two_processes_agree"
"""The check whose other process is started ahead of it."""
_GUARD = "test_nothing_is_skipped_in_silence"


def open_kit(suite: type[SuiteBase], cleanup: ExitStack) -> Kit | None:
    """The kit of a suite, with its simulator running; None where the channel cannot be loaded.

    Raises:
        Fault: The channel ships no simulator that can be used.
    """
    if _declared(suite.channel) is None:
        return None
    golden = None if suite.golden is None else _golden_folder(suite)
    return cleanup.enter_context(Kit(suite.channel, config=suite.config, golden=golden).running())


def _golden_folder(suite: type[SuiteBase]) -> Path:
    """The folder; one that is not absolute stands beside the module of the suite."""
    assert suite.golden is not None
    folder = Path(suite.golden)
    return folder if folder.is_absolute() else Path(inspect.getfile(suite)).parent / folder


def _functions() -> dict[str, Callable[..., None]]:
    """Every check by name, in the order of topics and of their source."""
    return {
        name: function
        for topic in ChannelSuite.topics()
        for name, function in vars(topic).items()
        if hasattr(function, "check")
    }


def _check(function: Any) -> Check:
    made: Check = function.check
    return made


_DECLARED: dict[int, tuple[object, Channel | None]] = {}
"""The declarations, by the identity of the plugin, which is kept so that no other can have it."""


def _declared(plugin: object) -> Channel | None:
    if id(plugin) not in _DECLARED:
        try:
            _DECLARED[id(plugin)] = plugin, load_channel_object(plugin).channel
        except ChannelLoadError:
            _DECLARED[id(plugin)] = plugin, None
    return _DECLARED[id(plugin)][1]


def _applies(check: Check, declared: Channel | None, *, golden: bool) -> bool:
    if declared is None:
        return check.without_channel
    return check.need.applies(declared) and (golden or not check.golden)


def _provider(cls: type, name: str) -> type | None:
    """The subclass that has something of its own under the name of a check."""
    own = cls.__mro__[: cls.__mro__.index(ChannelSuite)]
    found = next((each for each in own if name in vars(each)), None)
    return None if found is None or vars(found)[name] is _functions()[name] else found


def _silent(cls: type[SuiteBase]) -> Iterator[str]:
    names = _functions()
    for name in names:
        provider = _provider(cls, name)
        if provider is not None and not str(cls.skipped.get(name, "")).strip():
            yield f"{provider.__name__} has a {name} of its own, without a reason"
    for name, reason in cls.skipped.items():
        if name not in names:
            yield f"{name} is skipped, and there is no such check"
        elif not str(reason).strip():
            yield f"{name} is skipped without a reason"
    if _GUARD in cls.skipped:
        yield f"{_GUARD} cannot be skipped"


def _skipping(function: Callable[..., None], reason: str) -> Callable[..., None]:
    def skipped(_self: Any) -> None:
        pytest.skip(reason)

    skipped.__doc__ = function.__doc__
    skipped.check = function.check  # type: ignore[attr-defined]
    return skipped

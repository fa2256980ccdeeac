"""The registry of installed plugins: the load report, and the channels that can be used."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from coursewire.errors import ChannelLoadError, UnknownChannelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from coursewire.model.channel import Channel
    from coursewire.model.reasons import ReasonInfo
    from coursewire.plugins.hook_caller import HookCaller

CHANNELS = "coursewire.channels"
"""The entry point group of channels."""
HOOKS = "coursewire.hooks"
"""The entry point group of operators' hooks."""


class LoadState(StrEnum):
    """One row of the load report: the end of one entry point."""

    LOADED = "loaded"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One line of the load report.

    Attributes:
        group: Entry point group, ``coursewire.channels`` or ``coursewire.hooks``.
        name: Name of the entry point; for a file of hooks its path.
        distribution: Who offers it; "" for a file.
        version: Of the distribution.
        state: What became of it.
        reason: Why it is not loaded and what to do next; "" when it is loaded.
        code: The channel's code, as far as it could be asked.
        title: The channel's title, as far as it could be asked.
        hooks: Names of the hooks it implements, in alphabetical order.
    """

    group: str
    name: str
    distribution: str
    version: str
    state: LoadState
    reason: str = ""
    code: str = ""
    title: str = ""
    hooks: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Return its name for messages: ``ACME (coursewire-acme 1.3.0)``."""
        return where(self.code or self.name, self.distribution, self.version)

    def answers_to(self, code: str) -> bool:
        """True when a person who writes ``code``, in any case, means this channel."""
        return code.casefold() in (self.code.casefold(), self.name.casefold())


@dataclass(frozen=True, slots=True)
class LoadedChannel:
    """A channel that can be used.

    Attributes:
        channel: What it declares.
        hook_caller: Calls its hooks.
        name: Name of its entry point.
        distribution: Who offers it.
        version: Of the distribution.
    """

    channel: Channel
    hook_caller: HookCaller
    name: str
    distribution: str
    version: str

    @property
    def where(self) -> str:
        """Return its name for messages: ``ACME (coursewire-acme 1.3.0)``."""
        return where(self.channel.code, self.distribution, self.version)


class Registry:
    """The channels that can be used, and the report on all that were found.

    Attributes:
        report: One row an entry point, by group, distribution and name; a file of hooks comes last.
    """

    def __init__(self, report: Iterable[LoadRow], channels: Iterable[LoadedChannel]) -> None:
        self.report = tuple(report)
        self._channels = {loaded.channel.code: loaded for loaded in channels}

    def __iter__(self) -> Iterator[LoadedChannel]:
        return (self._channels[code] for code in self.codes())

    def __len__(self) -> int:
        return len(self._channels)

    def check_hooks(self) -> None:
        """Make sure that every operator's hook is in force: one that is not cannot hold anything back.

        Raises:
            ChannelLoadError: A package or file of hooks could not be loaded.
        """
        for row in self.report:
            if row.group == HOOKS and row.state is LoadState.FAILED:
                raise ChannelLoadError(
                    "an operator's hooks could not be loaded, so nothing is sent",
                    where=row.where,
                    why=row.reason,
                )

    def codes(self) -> list[str]:
        """The codes of the channels that can be used, in alphabetical order."""
        return sorted(self._channels)

    def reasons_of(self, code: str) -> tuple[ReasonInfo, ...]:
        """Return the reason codes that a channel declares; none when no such channel can be used.

        Args:
            code: The channel's code, exactly as it is declared.
        """
        loaded = self._channels.get(code)
        return loaded.channel.reasons if loaded else ()

    def get(self, code: str) -> LoadedChannel:
        """The channel with this code, exactly as it is declared.

        Raises:
            ChannelLoadError: It is installed but was skipped or failed; the message says why.
            UnknownChannelError: Nothing installed has this code; the message names the nearest one.
        """
        if code in self._channels:
            return self._channels[code]
        for row in self.report:
            if row.group == CHANNELS and row.reason and row.answers_to(code):
                raise ChannelLoadError(
                    f"channel {code} is installed but {row.state.value}", where=row.where, why=row.reason
                )
        installed = ", ".join(self.codes()) or "none"
        hint = nearest(code, self.codes())
        raise UnknownChannelError(
            f"no installed channel has the code {code!r}",
            why=f"installed are: {installed}",
            next_step=f"Did you mean {hint}?" if hint else "Install the distribution that offers it.",
        )


def where(label: str, distribution: str, version: str) -> str:
    """Name a plugin for messages: ``ACME (coursewire-acme 1.3.0)``, or the label alone."""
    maker = f"{distribution} {version}".strip()
    return f"{label} ({maker})" if maker else label


def nearest(wanted: str, choices: Sequence[str]) -> str | None:
    """The choice that was probably meant, without regard to case; None when none is near."""
    folded = {choice.casefold(): choice for choice in choices}
    found = difflib.get_close_matches(wanted.casefold(), folded, n=1)
    return folded[found[0]] if found else None

"""Finding what is installed and loading it. One that cannot be loaded is a row in the report, not a crash."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from coursewire.errors import ChannelLoadError, SettingsError
from coursewire.plugins.checks import (
    Refused,
    check_api,
    check_channel,
    check_operator,
    declaration_of,
    hooks_of,
)
from coursewire.plugins.discovery import (
    Found,
    PluginImporter,
    find_file,
    find_installed,
    label_of,
    sorted_entries,
)
from coursewire.plugins.hook_caller import HookCaller, Plugin
from coursewire.plugins.registry import (
    CHANNELS,
    HOOKS,
    LoadedChannel,
    LoadRow,
    LoadState,
    Registry,
    nearest,
    where,
)
from coursewire.plugins.trace import trace_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

LOG = logging.getLogger("coursewire.channels")


def load_channels(
    *, allowed: Collection[str] | None = None, hooks_file: Path | None = None, trace: bool | None = None
) -> Registry:
    """Load every installed channel and every operator's hook.

    Args:
        allowed: Names of the entry points or distributions of the channels to load, in any case; the others
            are not even imported. None for all.
        hooks_file: A Python file with operators' hooks, beside those that are installed.
        trace: Log every hook call; None asks the environment (``COURSEWIRE_TRACE_HOOKS``).

    Returns:
        The channels that can be used and the report on everything that was found. Nothing that is wrong
        with a plugin is raised from here.
    """
    operators = [_examined(found, _operator) for found in find_installed(HOOKS)]
    if hooks_file is not None:
        operators.append(_examined(find_file(hooks_file), _operator))
    plugins = [Plugin(each.row.where, each.plugin) for each in operators if each.loaded]
    traced = trace_wanted() if trace is None else trace

    channels = [_examined(found, _channel) for found in find_installed(CHANNELS, allowed)]
    _refuse_twins(channels)
    _warn_of_strangers(allowed, channels)
    report = [each.row for each in (*channels, *operators)]
    for row in report:
        if row.state is LoadState.FAILED:
            LOG.warning("%s is not loaded. %s", row.where, row.reason)
    loaded = [_with_relay(each, plugins, traced) for each in channels if each.loaded]
    return Registry(report, loaded)


def load_channel_object(
    plugin: object,
    *,
    name: str = "",
    distribution: str = "",
    version: str = "",
    operators: Iterable[object] = (),
) -> LoadedChannel:
    """Make a channel of a module or object that is at hand, under the same checks as an installed one.

    For test kits, and for host services that have a channel of their own which is not a distribution.

    Raises:
        ChannelLoadError: It cannot be used.
    """
    label = name or getattr(plugin, "__name__", type(plugin).__name__)
    row = LoadRow(CHANNELS, label, distribution, version, LoadState.LOADED)
    found = _examined(Found(row, plugin), _channel)
    if not found.loaded:
        raise ChannelLoadError("the channel cannot be used", where=found.row.where, why=found.row.reason)
    named = [Plugin(getattr(hooks, "__name__", type(hooks).__name__), hooks) for hooks in operators]
    return _with_relay(found, named, trace_wanted())


def load_named(group: str, name: str) -> Any:
    """Load the one object that an entry point group offers under a name.

    Args:
        group: For example ``coursewire.sources``.
        name: Name of the entry point, exactly.

    Raises:
        SettingsError: Nothing installed offers it, several distributions do, or it cannot be loaded.
    """
    noun = group.rpartition(".")[2].removesuffix("s")
    offered = sorted_entries(entry_points(group=group))
    names = sorted({entry.name for entry in offered})
    if name not in names:
        hint = nearest(name, names)
        raise SettingsError(
            f"there is no {noun} named {name!r}",
            why=f"installed are: {', '.join(names) or 'none'}",
            next_step=f"Did you mean {hint}?" if hint else "Install the distribution that offers it.",
        )
    makers = [label_of(entry) for entry in offered if entry.name == name]
    if len(makers) > 1:
        raise SettingsError(
            f"the {noun} {name!r} is offered more than once",
            where=", ".join(makers),
            next_step="Uninstall all but one of these distributions.",
        )
    (found,) = PluginImporter(group, lambda entry: entry.name == name).found
    if not found.loaded:
        raise SettingsError(f"the {noun} {name!r} cannot be loaded", where=makers[0], why=found.row.reason)
    return found.plugin


def _examined(found: Found, examine: Callable[[Found], None]) -> Found:
    if found.loaded:
        try:
            examine(found)
        except Refused as refusal:
            found.fail(str(refusal))
    return found


def _operator(found: Found) -> None:
    check_operator(found.plugin)
    found.row = replace(found.row, hooks=tuple(sorted(hooks_of(found.plugin))))


def _channel(found: Found) -> None:
    channel = declaration_of(found.plugin)
    found.channel = channel
    found.row = replace(
        found.row, code=channel.code, title=channel.title, hooks=tuple(sorted(hooks_of(found.plugin)))
    )
    check_api(channel)
    check_channel(channel, found.plugin)


def _with_relay(found: Found, operators: list[Plugin], trace: bool) -> LoadedChannel:
    row = found.row
    assert found.channel is not None
    hook_caller = HookCaller(found.channel, Plugin(row.where, found.plugin), operators, trace=trace)
    return LoadedChannel(found.channel, hook_caller, row.name, row.distribution, row.version)


def _refuse_twins(channels: list[Found]) -> None:
    """Load none of several channels with one code: core cannot know which of them is meant."""
    by_code = defaultdict(list)
    for each in channels:
        if each.loaded:
            by_code[each.row.code].append(each)
    for code, twins in by_code.items():
        names = [where(each.row.name, each.row.distribution, each.row.version) for each in twins]
        for each, name in zip(twins, names, strict=True):
            if len(twins) > 1:
                others = ", ".join(other for other in names if other is not name)
                each.fail(
                    f"The code {code} is also offered by {others}. "
                    "Uninstall all but one of them, or leave the others off the allowed channels."
                )


def _warn_of_strangers(allowed: Collection[str] | None, channels: list[Found]) -> None:
    names = [name for each in channels for name in (each.row.name, each.row.distribution)]
    known = {name.casefold() for name in names}
    for name in allowed or ():
        if name.casefold() not in known:
            hint = nearest(name, names)
            advice = f"Did you mean {hint}?" if hint else "Install it, or take it off."
            LOG.warning("The channel %r is allowed but not installed. %s", name, advice)

"""The checks that a plugin passes before core calls it. A mismatch is refused at load, not found by sending."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pluggy
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from coursewire.hooks import SPECS, ChannelSpecs
from coursewire.model.channel import PLUGIN_API, Channel, Idempotency
from coursewire.model.kinds import OUTCOMES
from coursewire.plugins.api_versions import REMEDY, UNSAID, is_older, missing_name
from coursewire.plugins.faults import place, text_of
from coursewire.plugins.hook_caller import new_manager
from coursewire.plugins.plain_data import a_kind
from coursewire.plugins.registry import nearest

SPECIFIED: dict[str, Callable[..., Any]] = {
    name: spec
    for group in SPECS
    for name, spec in vars(group).items()
    if not name.startswith("_") and inspect.isfunction(spec)
}
"""Every hook there is, by name."""

_ASYNC = frozenset(name for name, spec in SPECIFIED.items() if inspect.iscoroutinefunction(spec))

_ASYNC_GENERATORS = frozenset(
    name
    for name, spec in SPECIFIED.items()
    if str(inspect.signature(spec).return_annotation).startswith("AsyncIterator")
)


class Refused(Exception):  # noqa: N818 - not an error that leaves this room
    """A plugin cannot be used. The text is one sentence or two, the last with the next step."""


def hooks_of(plugin: object) -> dict[str, Callable[..., Any]]:
    """The hooks that a plugin implements, by name: of those the specifications know and of others."""
    return {name: function for name, function, _options in _marked(plugin)}


def check_hooks(plugin: object) -> None:
    """Hold what a plugin implements against the specifications.

    Raises:
        Refused: It is no module or instance, has no hooks, an unknown one, one with arguments that the
            specification does not have, or a function that looks like a hook but is not marked as one.
    """
    _check_object(plugin)
    marked = hooks_of(plugin)
    if not marked:
        raise Refused("It implements no hook. Mark its functions with @coursewire.hookimpl.")
    for name, function in marked.items():
        if name in SPECIFIED:
            _check_arguments(name, function)
            if name in _ASYNC_GENERATORS and inspect.iscoroutinefunction(function):
                raise Refused(
                    f"Its hook {name} returns a list at the end. Let it yield each element instead."
                )
            if name not in _ASYNC and inspect.iscoroutinefunction(function):
                raise Refused(
                    f"Its hook {name} must not be written with async def. Mend the hook's declaration."
                )
    manager = new_manager()
    try:
        manager.register(plugin, name="plugin")
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = [
            name
            for name, _function, options in _marked(plugin)
            if name not in SPECIFIED and not options.get("optionalhook")
        ]
        if not unknown:
            raise Refused(f"{' '.join(str(error).split())}. Mend the hook's declaration.") from error
        hint = nearest(unknown[0], list(SPECIFIED))
        advice = f"Did you mean {hint}?" if hint else "The hooks there are stand in coursewire.hooks."
        raise Refused(f"It implements an unknown hook: {', '.join(unknown)}. {advice}") from error
    for name in SPECIFIED:
        if name not in marked and inspect.isfunction(inspect.getattr_static(plugin, name, None)):
            raise Refused(
                f"It has a function {name} that is not marked as a hook, so that it would never be called. "
                "Mark it with @coursewire.hookimpl, or give it another name."
            )


def check_operator(plugin: object) -> None:
    """Hold an operator's hooks against the specifications.

    Raises:
        Refused: As for :func:`check_hooks`; or it declares a channel.
    """
    check_hooks(plugin)
    if "declare_channel" in hooks_of(plugin):
        raise Refused(
            "It declares a channel, which operators' hooks cannot. "
            "Offer it in the entry point group coursewire.channels."
        )


def declaration_of(plugin: object) -> Channel:
    """Ask a plugin what channel it is, before anything else of it is looked at.

    Raises:
        Refused: It declares no channel, cannot do so, or is made for another plugin API.
    """
    _check_object(plugin)
    if "declare_channel" not in hooks_of(plugin):
        raise Refused("It does not implement declare_channel, so it is no channel. Add that hook.")
    manager = new_manager(ChannelSpecs)
    try:
        manager.register(plugin, name="plugin")
        declared = manager.hook.declare_channel()
    except Exception as error:
        at = f" at {place(error)}" if place(error) else ""
        if missing := missing_name(error):
            raise Refused(
                f"Its declare_channel uses {missing}{at}, which plugin API {PLUGIN_API} of this core does not have. {REMEDY}"
            ) from error
        raise Refused(
            f"Its declare_channel raised {type(error).__name__}{at}: {text_of(error)}. "
            "Report this to its authors."
        ) from error
    if not isinstance(declared, Channel):
        raise Refused(
            f"Its declare_channel returned {a_kind(declared)} where a coursewire.Channel is due. "
            "Report this to its authors."
        )
    return declared


def check_api(channel: Channel) -> None:
    """Tell whether this core offers a plugin API that the channel works with.

    Raises:
        Refused: It does not, or the range that the channel gives cannot be read.
    """
    try:
        wanted = SpecifierSet(channel.requires_api or UNSAID)
    except InvalidSpecifier as error:
        raise Refused(
            f"Its range of plugin API versions {channel.requires_api!r} cannot be read; "
            'it is a PEP 440 specifier such as ">=2.0,<3". Report this to its authors.'
        ) from error
    if is_older(wanted):
        made_for = (
            f"It is made for plugin API {channel.requires_api}"
            if channel.requires_api
            else "It does not say by requires_api which plugin API it is made for, which counts as 1.0"
        )
        raise Refused(f"{made_for}, and this core offers {PLUGIN_API}. {REMEDY}")
    if PLUGIN_API not in wanted:
        raise Refused(
            f"It needs plugin API {channel.requires_api} and this core offers {PLUGIN_API}. "
            "Install a version of it made for this core, or a core that offers that plugin API."
        )


def check_channel(channel: Channel, plugin: object) -> None:
    """Hold what a channel implements against what it declares.

    Raises:
        Refused: As for :func:`check_hooks`; or a capability is declared without its hooks, or a hook that
            speaks HTTP is not async.
    """
    check_hooks(plugin)
    marked = hooks_of(plugin)
    for name, function in marked.items():
        if name in _ASYNC and not (
            inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function)
        ):
            raise Refused(f"Its hook {name} must be written with async def. Mend the hook's declaration.")
    for reason, names in _demanded(channel):
        missing = [name for name in names if name not in marked]
        if missing:
            raise Refused(
                f"It declares {reason} but does not implement {', '.join(missing)}. "
                "Implement what is missing, or declare what is there."
            )


def _demanded(channel: Channel) -> Iterator[tuple[str, tuple[str, ...]]]:
    can = channel.capabilities
    speaks = ("authenticate", "check_connection")
    if can.content.usable and can.delivery == "pull":
        yield "content that is pulled", ("export_content", "inbound_routes")
    elif can.content.usable:
        yield "content", ("export_content", "send_content", *speaks)
    for kind in OUTCOMES:
        if can.takes(kind):
            yield kind.value, (kind.info.export_hook, kind.info.send_hook, *speaks)
    if can.idempotency is Idempotency.NATURAL_KEY:
        yield "idempotency by a natural key", ("find_remote",)
    if can.list_remote.usable:
        yield "list_remote", ("list_remote",)
    if can.list_inactive_learners.usable:
        yield "list_inactive_learners", ("list_inactive_learners", *speaks)


def _check_object(plugin: object) -> None:
    # pluggy passes None by, hands a class's methods no self, and keeps plugins in sets.
    if plugin is None or isinstance(plugin, type) or type(plugin).__hash__ is None:
        raise Refused(
            f"Its entry point names {_thing(plugin)}. Let it name a module, or a hashable instance of a class."
        )


def _check_arguments(name: str, function: Callable[..., Any]) -> None:
    known = [argument for argument in inspect.signature(SPECIFIED[name]).parameters if argument != "self"]
    takes = inspect.signature(function).parameters.values()
    named = [taken for taken in takes if taken.kind not in (taken.VAR_POSITIONAL, taken.VAR_KEYWORD)]
    unknown = [taken.name for taken in named if taken.name not in known]
    if unknown:
        raise Refused(
            f"Its hook {name} has a wrong signature: there is no argument {', '.join(unknown)}. "
            f"It may take: {', '.join(known) or 'none'}."
        )
    # pluggy hands arguments over by position and leaves keyword-only ones out.
    hidden = [taken.name for taken in named if taken.kind is taken.KEYWORD_ONLY]
    if hidden:
        raise Refused(
            f"Its hook {name} has a wrong signature: {', '.join(hidden)} can be given by keyword only. "
            "Take the * out of its arguments."
        )


def _marked(plugin: object) -> Iterator[tuple[str, Callable[..., Any], Any]]:
    manager = new_manager(ChannelSpecs)
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            yield options.get("specname") or attribute, getattr(plugin, attribute), options


def _thing(plugin: object) -> str:
    if isinstance(plugin, type):
        return f"the class {plugin.__name__}"
    return "nothing" if plugin is None else f"{a_kind(plugin)} that is not hashable"

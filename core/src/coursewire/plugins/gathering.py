"""A channel whose hooks stand in several modules."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from coursewire.hooks import PROJECT, SPECS, hookimpl

if TYPE_CHECKING:
    from types import ModuleType

    from coursewire.model.channel import Channel

_KNOWN = frozenset(name for group in SPECS for name in vars(group) if not name.startswith("_"))


def hooks_of(channel: Channel, *modules: ModuleType) -> dict[str, Any]:
    """The hooks of a channel, for the module that the entry point names: ``globals().update(cw.hooks_of(CHANNEL, client))``.

    Among them is ``declare_channel``, which answers with ``channel``.

    Functions that have a hook's name are among them whether they are marked or not, so that the checks at load see
    one that somebody forgot to mark.

    Raises:
        ValueError: Two modules have a hook of the same name.
    """

    @hookimpl
    def declare_channel() -> Channel:
        return channel

    found: dict[str, Any] = {"declare_channel": declare_channel}
    for module in modules:
        for name, member in vars(module).items():
            if not inspect.isfunction(member):
                continue
            if not hasattr(member, f"{PROJECT}_impl") and name not in _KNOWN:
                continue
            if found.setdefault(name, member) is not member:
                raise ValueError(
                    f"the hook {name} stands in {found[name].__module__} and in {module.__name__}"
                )
    return found

"""``coursewire CHANNEL ...``: the commands that installed channels bring."""

from __future__ import annotations

from typing import Any

import typer

from coursewire.cli.lazy import command_group
from coursewire.plugins.loading import load_channels
from coursewire.settings import Settings


def find_channel_group(name: str) -> Any:
    """Find the commands of a channel.

    Args:
        name: The channel's name or its code, in any case.

    Returns:
        The group of its commands; None when no channel has this name, or when it has no command.
    """
    settings = Settings.load()
    for row in load_channels(allowed=settings.channels, hooks_file=settings.hooks_file):
        if name.casefold() not in (row.name.casefold(), row.channel.code.casefold()):
            continue
        own = command_group(name=row.name, help=f"Commands of {row.channel.title}.")
        groups = row.hook_caller.channel_commands()
        for group in groups:
            own.registered_commands += group.registered_commands
            own.registered_groups += group.registered_groups
        return typer.main.get_group(own) if groups else None
    return None

"""The installed channels, without a database, and the commands that they bring."""

from __future__ import annotations

from typing import Any

import typer

from coursewire.cli.lazy import command_group
from coursewire.plugins.loading import load_channels
from coursewire.plugins.registry import Registry
from coursewire.settings import Settings


def installed_channels() -> Registry:
    """Load the channels that are installed and that the settings allow; no database is needed.

    Raises:
        SettingsError: The settings cannot be used.
    """
    settings = Settings.load()
    return load_channels(allowed=settings.channels, hooks_file=settings.hooks_file)


def find_channel_group(name: str) -> Any:
    """Find the commands of a channel.

    Args:
        name: The channel's name or its code, in any case.

    Returns:
        The group of its commands; None when no channel has this name, or when it has no command.
    """
    for row in installed_channels():
        if name.casefold() not in (row.name.casefold(), row.channel.code.casefold()):
            continue
        own = command_group(name=row.name, help=f"Commands of {row.channel.title}.")
        groups = row.hook_caller.channel_commands()
        for group in groups:
            own.registered_commands += group.registered_commands
            own.registered_groups += group.registered_groups
        return typer.main.get_group(own) if groups else None
    return None

"""The stand-ins for LMSs that channels ship."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from coursewire.errors import ChannelLoadError, ConfigurationError
from coursewire.plugins.faults import describe
from coursewire.plugins.registry import LoadedChannel


def make_simulator(channel: LoadedChannel) -> Any:
    """Make the simulator that a channel ships; it is not started.

    Raises:
        ConfigurationError: The channel ships no simulator.
        ChannelLoadError: The simulator cannot be loaded.
    """

    if channel.channel.simulator is None:
        raise ConfigurationError(
            f"channel {channel.channel.code} has no simulator",
            where=channel.where,
            next_step="Ask its authors for one.",
        )
    module, _, name = channel.channel.simulator.partition(":")
    try:
        return getattr(import_module(module), name)()
    except (ImportError, AttributeError, TypeError) as error:
        raise ChannelLoadError(
            f"the simulator of channel {channel.channel.code} cannot be loaded",
            where=channel.where,
            why=describe(error),
            next_step="This is a fault of the plugin: report it to its authors.",
        ) from error

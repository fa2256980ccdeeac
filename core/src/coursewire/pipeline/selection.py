"""Which configurations are meant: for the command, for a host service, for whoever starts jobs by the dozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coursewire.errors import ConfigurationError

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.configurations.configuration import Configuration, Ready, Refused
    from coursewire.installation import Installation
    from coursewire.model.payload import Kind
    from coursewire.plugins.registry import LoadedChannel


@dataclass(frozen=True, slots=True)
class Selection:
    """The configurations that are meant, in the order of their creation.

    Attributes:
        ready: These may run.
        refused: These may not, and why.
        left_out: Their channel does not take the kind.
    """

    ready: tuple[Ready, ...]
    refused: tuple[Refused, ...]
    left_out: tuple[Configuration, ...] = field(default=())


def select(
    installation: Installation,
    kind: Kind,
    *,
    channel: str | None = None,
    customer: UUID | str | None = None,
    config: UUID | str | None = None,
) -> Selection:
    """The active configurations that are meant, or those that were named.

    Args:
        installation: Whose.
        kind: What is to be transmitted.
        channel: Only configurations of this channel, a code in any case.
        customer: Only configurations of this customer.
        config: Only this configuration; the beginning of its id is enough.

    Raises:
        ConfigurationError: None is meant, none can run, or one was named whose channel does not take the kind.
        UnknownChannelError: There is no such channel.
        ChannelLoadError: It cannot be used.
    """
    channels = {each.channel.code: each for each in installation.channels}
    found = installation.configurations.find(str(config)) if config else None
    if channel:
        named = [installation.channels.get(channel.upper())]
    else:
        named = [channels[found.channel]] if found and found.channel in channels else []
    refuse_other_kinds(kind, named or list(channels.values()))
    code = named[0].channel.code if channel else None
    runnable = installation.configurations.runnable(
        {code: each.channel for code, each in channels.items()},
        channel=code,
        customer=str(customer) if customer else None,
        uuids=[found.uuid] if found else None,
    )
    others = {code for code, each in channels.items() if not each.channel.capabilities.takes(kind)}
    meant = [each.configuration for each in runnable.ready]
    meant += [each.configuration for each in runnable.refused]
    selection = Selection(
        tuple(each for each in runnable.ready if each.configuration.channel not in others),
        tuple(each for each in runnable.refused if each.configuration.channel not in others),
        tuple(each for each in meant if each.channel in others),
    )
    if not selection.ready and not selection.refused:
        raise _nothing(kind, {"channel": code, "customer": customer, "config": config}, selection)
    return selection


def refuse_other_kinds(kind: Kind, channels: Sequence[LoadedChannel]) -> None:
    """Refuse what none of the channels sends.

    Raises:
        ConfigurationError: None of them takes this kind.
    """
    if any(each.channel.capabilities.takes(kind) for each in channels):
        return
    codes = [each.channel.code for each in channels]
    who = f"channel {codes[0]} does not send" if len(codes) == 1 else "no installed channel sends"
    answers = [
        f"{each.channel.code}: {getattr(each.channel.capabilities, kind.value).value}" for each in channels
    ]
    raise ConfigurationError(
        f"{who} {kind.value}",
        where=", ".join(each.where for each in channels),
        why="; ".join(answers),
        next_step="Send another kind, or install a channel that takes this one.",
    )


def _nothing(kind: Kind, named: dict[str, object], selection: Selection) -> ConfigurationError:
    if selection.left_out:
        names = ", ".join(f"{each.display_name} ({each.short_id})" for each in selection.left_out)
        return ConfigurationError(
            f"no active configuration takes {kind.value}",
            where=names,
            why="their channels do not send it",
            next_step="`coursewire config add` adds a configuration of a channel that does.",
        )
    meant = " ".join(f"--{name} {value}" for name, value in named.items() if value)
    return ConfigurationError(
        f"no active configuration fits {meant}" if meant else "there is no active configuration",
        next_step="`coursewire config list` shows what there is; `coursewire config add` adds one, "
        "`coursewire config activate` makes one active.",
    )

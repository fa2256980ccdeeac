"""A configuration as it is stored, its history, and what may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from coursewire.errors import SetupError
from coursewire.model.channel import Channel
from coursewire.model.configuration import ChannelConfig

ChannelLike = Channel | type[ChannelConfig]
"""A channel, or its configuration model with ``code`` set."""

SYSTEM = "coursewire"
"""The actor of changes that no person made."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One customer's settings for one channel, without its secrets.

    Attributes:
        uuid: Identity; never given to another.
        channel: Channel code.
        customer: UUID of the customer as text.
        active: Jobs take it.
        version: Counts up with every change.
        fields: What a person filled in, as it was given; it may be incorrect in a draft.
        secrets_set: Names of the secrets that are set.
        needs_reconnect_since: Since when the LMS refuses the credentials; None when it does not.
        needs_reconnect_reason: What the LMS said.
        removed_at: None unless it was removed.
    """

    uuid: UUID
    channel: str
    customer: str
    active: bool
    version: int
    fields: Mapping[str, Any]
    secrets_set: tuple[str, ...]
    needs_reconnect_since: datetime | None
    needs_reconnect_reason: str | None
    created_at: datetime
    updated_at: datetime
    removed_at: datetime | None

    @property
    def short_id(self) -> str:
        """The beginning of the UUID, for people."""
        return self.uuid.hex[:8]

    @property
    def where(self) -> str:
        """The place that errors name."""
        return f"configuration {self.uuid}, channel {self.channel}"

    @property
    def display_name(self) -> str:
        """The nickname, or channel and short id where it has none."""
        return str(self.fields.get("display_name") or f"{self.channel} {self.short_id}")


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a configuration's history.

    ``changes`` is ``{field: [old, new]}``; of a secret it only says "set", "changed" or "cleared".
    """

    version: int
    action: str
    actor: str
    changes: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Ready:
    """A configuration that may run, and its validated model with the secrets filled in."""

    configuration: Configuration
    config: ChannelConfig


@dataclass(frozen=True, slots=True)
class Refused:
    """A configuration that was asked for and may not run, and why."""

    configuration: Configuration
    error: SetupError


@dataclass(frozen=True, slots=True)
class Runnable:
    """The answer of :meth:`Configurations.runnable`, both in the order of creation."""

    ready: tuple[Ready, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A configuration with its encrypted secrets, inside this package only."""

    configuration: Configuration
    ciphertexts: Mapping[str, bytes] = field(repr=False)


def code_and_model(channel: ChannelLike) -> tuple[str, type[ChannelConfig]]:
    """A channel's code and its configuration model."""
    return (channel.code, channel.config) if isinstance(channel, Channel) else (channel.code, channel)

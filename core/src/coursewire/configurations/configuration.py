"""Stored configurations, their history, and the selection of those that may run."""

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
        uuid: Id, which is never given to another configuration.
        channel: Channel code.
        customer: UUID of the customer as text.
        active: True if jobs take the configuration.
        version: Number that counts up with every change.
        fields: Values that a person filled in; in a draft they may be incorrect.
        secrets_set: Names of the secrets that are set.
        needs_reconnect_since: Instant since which the LMS refuses a grant of access that only a person can renew; None if it
            does not.
        needs_reconnect_reason: Words of the LMS about it, redacted.
        failing_since: Instant since which the LMS refuses credentials that later runs try again; None if it takes them.
        failing_reason: Words of the LMS about it, redacted.
        next_try_at: Instant before which no run tries the refused credentials; None where none is refused.
        removed_at: Instant of removal; None for a configuration that exists.
        secrets_dropped: Names of the secrets that the change which gave this back erased, since they were entered for
            another destination; empty when it is merely read.
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
    failing_since: datetime | None
    failing_reason: str | None
    next_try_at: datetime | None
    created_at: datetime
    updated_at: datetime
    removed_at: datetime | None
    secrets_dropped: tuple[str, ...] = ()

    @property
    def dropped_in_words(self) -> str:
        """One sentence about the secrets that the change erased; "" where it erased none."""
        if not self.secrets_dropped:
            return ""
        return (
            f"Erased, since a secret goes only where it was entered for: {', '.join(self.secrets_dropped)}; "
            "enter them again for the new destination."
        )

    @property
    def short_id(self) -> str:
        """The beginning of the UUID, for people."""
        return self.uuid.hex[:8]

    @property
    def failing(self) -> str:
        """The sentence that says since when the LMS refuses the credentials and when they are tried again; "" if it does not."""
        if self.failing_since is None or self.next_try_at is None:
            return ""
        return (
            f"The LMS refuses the credentials since {self.failing_since:%Y-%m-%d %H:%M} UTC: {self.failing_reason}. "
            f"The first run after {self.next_try_at:%Y-%m-%d %H:%M} UTC tries them again."
        )

    @property
    def where(self) -> str:
        """Place of the configuration for messages of errors."""
        return f"configuration {self.uuid}, channel {self.channel}"

    @property
    def display_name(self) -> str:
        """Nickname of the configuration; without one its channel and short id."""
        return str(self.fields.get("display_name") or f"{self.channel} {self.short_id}")


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a configuration's history.

    ``changes`` is ``{field: [old, new]}``; of a secret it only says "set", "changed", "cleared", or
    "dropped", which a change of the destination does.
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
    """A configuration that was asked for and may not run, with the reason."""

    configuration: Configuration
    error: SetupError


@dataclass(frozen=True, slots=True)
class Runnable:
    """The result of :meth:`Configurations.runnable`: both lists are in the order of creation."""

    ready: tuple[Ready, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A configuration with its encrypted secrets, inside this package only."""

    configuration: Configuration
    ciphertexts: Mapping[str, bytes] = field(repr=False)


def code_and_model(channel: ChannelLike) -> tuple[str, type[ChannelConfig]]:
    """Return a channel's code and its configuration model."""
    return (channel.code, channel.config) if isinstance(channel, Channel) else (channel.code, channel)

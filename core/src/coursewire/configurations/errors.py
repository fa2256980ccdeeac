"""The errors of configurations, each with its place, cause and next step."""

from __future__ import annotations

from collections.abc import Iterable

from coursewire.configurations.configuration import Configuration
from coursewire.configurations.validation import Validity
from coursewire.errors import ConfigurationError, SecretKeyError, UnknownChannelError
from coursewire.suggest import did_you_mean


class UnreadableSecretError(SecretKeyError):
    """A secret of one configuration cannot be read; unlike a missing key this does not concern other configurations."""


def unknown(text: str) -> ConfigurationError:
    """Return the error that no configuration has this UUID, or one that begins so."""
    return ConfigurationError(
        f"there is no configuration {text!r}", next_step="`coursewire config list` shows what there is."
    )


def ambiguous(text: str, matches: list[str]) -> ConfigurationError:
    """Return the error that several UUIDs begin so."""
    return ConfigurationError(
        f"{len(matches)} configurations begin with {text!r}",
        why=", ".join(sorted(matches)[:10]),
        next_step="Give more of the id.",
    )


def removed(configuration: Configuration) -> ConfigurationError:
    """Return the error that the configuration was removed."""
    return ConfigurationError(
        "the configuration was removed",
        where=configuration.where,
        why=f"since {configuration.removed_at:%Y-%m-%d %H:%M} UTC",
        next_step="Add a new one.",
    )


def other_channel(configuration: Configuration, asked: str) -> ConfigurationError:
    """Return the error that the configuration belongs to another channel."""
    return ConfigurationError(
        f"the configuration belongs to another channel than {asked}",
        where=configuration.where,
        next_step=f"Ask for channel {configuration.channel}.",
    )


def not_active(configuration: Configuration) -> ConfigurationError:
    """Return the error that the configuration is a draft, which no job takes."""
    return ConfigurationError(
        "the configuration is not active",
        where=configuration.where,
        next_step=f"Run `coursewire config activate {configuration.short_id}`.",
    )


def not_installed(configuration: Configuration, channels: Iterable[str]) -> UnknownChannelError:
    """Return the error that the configuration's channel cannot be used here."""
    known = list(channels)
    return UnknownChannelError(
        "the channel of this configuration is not installed",
        where=configuration.where,
        why=did_you_mean(configuration.channel, known) if known else "no channel is installed",
        next_step="Install it; `coursewire channels` tells what is there, and what could not be loaded.",
    )


def needs_reconnect(configuration: Configuration) -> ConfigurationError:
    """Return the error that the LMS refused the configuration's credentials."""
    return ConfigurationError(
        "the configuration needs reconnecting",
        where=configuration.where,
        why=f"the LMS refused the credentials: {configuration.needs_reconnect_reason}",
        next_step=f"Correct them with `coursewire config edit {configuration.short_id}`, let an administrator "
        f"of the LMS grant access again with `coursewire config connect {configuration.short_id}` where the "
        f"channel has that, or run `coursewire config check {configuration.short_id}` once the LMS takes them "
        "again.",
    )


def not_tried_yet(configuration: Configuration) -> ConfigurationError:
    """Return the error that the LMS refused the configuration's credentials, and that it is too early to try them again."""
    return ConfigurationError(
        "the credentials are not tried yet",
        where=configuration.where,
        why=configuration.failing.rstrip("."),
        next_step=f"Nothing needs to be done if the LMS is mended by then. Correct them with `coursewire config edit "
        f"{configuration.short_id}`, or try them now with `coursewire config check {configuration.short_id}`.",
    )


def unreadable(configuration: Configuration, names: Iterable[str]) -> UnreadableSecretError:
    """Return the error that no key opens some of the configuration's secrets."""
    return UnreadableSecretError(
        f"stored secrets cannot be decrypted: {', '.join(names)}",
        where=configuration.where,
        why="they were written with a key that is not among those of COURSEWIRE_SECRET_KEY or the key file",
        next_step="Put the missing key behind the present one, or set these secrets again.",
    )


def changed_meanwhile(configuration: Configuration) -> ConfigurationError:
    """Return the error that the configuration was changed since the person saw it."""
    return ConfigurationError(
        "somebody else changed the configuration meanwhile",
        where=configuration.where,
        next_step=f"Look at it again with `coursewire config show {configuration.short_id}`, then repeat the change.",
    )


def no_customer(text: str) -> ConfigurationError:
    """Return the error that the customer is no UUID."""
    return ConfigurationError(
        f"{text!r} is not a customer",
        why="a customer is given by its UUID",
        next_step="Write it as 12345678-1234-1234-1234-123456789abc.",
        incorrect={"customer": "it is not a UUID"},
    )


def invalid(validity: Validity, what: str, where: str, next_step: str) -> ConfigurationError:
    """Return the error that fields are missing or incorrect; ``what`` is its first sentence."""
    return ConfigurationError(
        what,
        where=where,
        why=str(validity),
        next_step=next_step,
        missing=validity.missing,
        incorrect=validity.incorrect,
    )


def edit_it(configuration: Configuration) -> str:
    """Return the next step for an invalid configuration."""
    return f"Correct it with `coursewire config edit {configuration.short_id}`."

"""The store of configurations: drafts, active ones, their secrets and their history.

There is no list of channels here: the caller hands in the :class:`~coursewire.model.channel.Channel` (or its
configuration model). All methods are synchronous and block on the database; call them from async code with
``asyncio.to_thread``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from coursewire.configurations import errors as refusals
from coursewire.configurations.configuration import (
    SYSTEM,
    Change,
    ChannelLike,
    Configuration,
    Ready,
    Refused,
    Runnable,
    Stored,
    code_and_model,
)
from coursewire.configurations.destinations import destination, digest_of_destination, hosts_of
from coursewire.configurations.errors import UnreadableSecretError
from coursewire.configurations.rows import NOT_FAILING, ConfigurationRows
from coursewire.configurations.secret_values import UNREADABLE, OpenedSecrets, SecretValue, open_secrets
from coursewire.configurations.secrets import SecretBox
from coursewire.configurations.validation import Checked, Validity, check, sort_out
from coursewire.errors import ConfigurationError, UnknownChannelError
from coursewire.model.configuration import ChannelConfig
from coursewire.model.instant import Clock, utc_now
from coursewire.model.reasons import Reason

SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(minutes=15), timedelta(days=1)
"""Pauses between two tries of credentials that the LMS refuses: they grow from the one to the other."""

PLACEHOLDER = "not granted yet"
"""Stands for a secret that a grant of access is about to bring."""

if TYPE_CHECKING:
    import sqlalchemy as sa

    from coursewire.errors import CredentialsError


class Configurations:
    """The store of configurations; an active one was valid when it was last changed.

    Args:
        engine: The database, with its schema.
        secrets: Box that opens stored secrets, or a function that returns it and is called once, when there is a secret
            to read or write.
        clock: Function that returns the present instant.
        insecure_urls: True to allow plain http and private addresses for LMSs.
    """

    def __init__(
        self,
        engine: sa.Engine,
        secrets: SecretBox | Callable[[], SecretBox],
        *,
        clock: Clock = utc_now,
        insecure_urls: bool = False,
    ) -> None:
        self._rows = ConfigurationRows(engine)
        self._secrets = secrets
        self._clock = clock
        self._insecure_urls = insecure_urls

    def add(
        self,
        channel: ChannelLike,
        customer: str,
        fields: Mapping[str, Any],
        *,
        active: bool = False,
        actor: str,
        known_catalogs: Collection[object] | None = None,
    ) -> Configuration:
        """Add a configuration: a draft, which may be incomplete, or an active one, which must be valid.

        Args:
            channel: The channel.
            customer: UUID of the customer.
            fields: Fields of the channel's model by name; a secret as text or ``{"env": "NAME"}``. Null and
                blank text leave a field out.
            active: True to make it active at once.
            actor: Name of the person, for the history.
            known_catalogs: The customer's catalogs, to check ``catalogs_to_transmit`` against.

        Raises:
            ConfigurationError: The customer is no UUID, a field is unknown, a value must not be stored, or
                the configuration should be active and is not valid. Nothing was stored.
            SecretKeyError: There are secrets and no key to protect them with.
        """
        code, model = code_and_model(channel)
        where = f"channel {code}"
        customer = _customer(customer)
        plain, given_secrets = sort_out(model, fields, where)
        kept = {name: value for name, value in plain.items() if value is not None}
        secrets = {name: value for name, value in given_secrets.items() if value is not None}
        checked = self._check(model, kept, OpenedSecrets(secrets), known_catalogs)
        self._demand(checked, active, where, "Correct the fields, or add it as a draft.")
        changes: dict[str, Any] = {"channel": [None, code], "customer": [None, customer]}
        changes |= {name: [None, value] for name, value in kept.items()}
        changes |= dict.fromkeys(secrets, "set")
        if active:
            changes["active"] = [False, True]
        uuid = uuid4()
        self._rows.insert(
            uuid,
            Change(1, "added", actor, changes, self._clock()),
            channel=code,
            customer=customer,
            active=active,
            fields=kept,
            ciphertexts={name: self._box().encrypt(value.to_bytes()) for name, value in secrets.items()},
        )
        return self.get(uuid)

    def get(self, uuid: UUID) -> Configuration:
        """Return one configuration by its UUID.

        Raises:
            ConfigurationError: There is no such configuration, or it was removed.
        """
        return self._stored(uuid).configuration

    def find(self, text: str) -> Configuration:
        """Return the configuration with this UUID, or the only one whose UUID begins so.

        Raises:
            ConfigurationError: No UUID begins so, or several do.
        """
        start = text.strip().replace("-", "").lower()
        # Compared here: how databases order and cast UUIDs differs, and configurations are few.
        matches = [uuid for uuid in self._rows.uuids() if start and uuid.hex.startswith(start)]
        if len(matches) == 1:
            return self.get(matches[0])
        if matches:
            raise refusals.ambiguous(text, list(map(str, matches)))
        raise refusals.unknown(text)

    def list(
        self,
        *,
        channel: str | None = None,
        customer: str | None = None,
        active: bool | None = None,
        include_removed: bool = False,
    ) -> Sequence[Configuration]:
        """Return the configurations in the order of creation, without those that were removed."""
        found = self._rows.read(
            channel=channel,
            customer=None if customer is None else _customer(customer),
            active=active,
            include_removed=include_removed,
        )
        return [stored.configuration for stored in found]

    def edit(
        self,
        uuid: UUID,
        channel: ChannelLike,
        changes: Mapping[str, Any],
        *,
        actor: str,
        expected_version: int | None = None,
        known_catalogs: Collection[object] | None = None,
    ) -> Configuration:
        """Change the named fields; the others stay as they are.

        A change of a field of the channel's own clears "needs reconnect"; a change of a secret also drops stored tokens,
        which belong to the old one. A change of the destination drops tokens and all secrets that are not given again in
        the same change, so that they go only where they were entered for; ``secrets_dropped`` names them.

        Args:
            uuid: UUID of the configuration.
            channel: Channel of the configuration.
            changes: New values by field; None or blank text clears a field, so that it has its default again.
            actor: Name of the person, for the history.
            expected_version: Version that the person saw; None for the present one.
            known_catalogs: The customer's catalogs, to check ``catalogs_to_transmit`` against.

        Raises:
            ConfigurationError: A field cannot be stored, as in :meth:`add`, another person changed the configuration
                meanwhile, or an active configuration would lose secrets that it needs.
            SecretKeyError: A secret should be written and there is no key.
        """
        model = code_and_model(channel)[1]
        stored = self._stored(uuid, channel)
        old = stored.configuration
        _demand_version(old, expected_version)
        plain, given_secrets = sort_out(model, changes, old.where, old)
        kept = {name: value for name, value in {**old.fields, **plain}.items() if value is not None}
        secrets = self._open(stored)
        written = {
            name: value
            for name, value in given_secrets.items()
            # A secret that cannot be read counts as another one, so that it can be set again.
            if (name in stored.ciphertexts if value is None else value != secrets.values.get(name))
        }
        moved = self._moved(model, old.fields, kept, secrets.with_changes(written))
        dropped = frozenset(stored.ciphertexts) - given_secrets.keys() if moved else frozenset()
        written |= dict.fromkeys(dropped)
        noted = _differences(old, plain, written) | dict.fromkeys(sorted(dropped), "dropped")
        if not noted:
            return old
        checked = self._check(model, kept, secrets.with_changes(written), known_catalogs)
        next_step = "Correct the fields, or deactivate it first."
        if dropped:
            next_step = (
                f"Its secrets were entered for another destination: give {', '.join(sorted(dropped))} again in the same "
                "change, or deactivate it first."
            )
        self._demand(checked, old.active, old.where, next_step)
        values: dict[str, Any] = {"fields": json.dumps(kept)}
        if noted.keys() - ChannelConfig.model_fields.keys():
            values |= {"needs_reconnect_since_at": None, "needs_reconnect_reason": None, **NOT_FAILING}
        changed = self._change(
            old,
            Change(old.version + 1, "edited", actor, noted, self._clock()),
            values,
            secrets=written,
            drop_tokens=bool(written or moved),
        )
        return replace(changed, secrets_dropped=tuple(sorted(dropped)))

    def activate(
        self,
        uuid: UUID,
        channel: ChannelLike,
        *,
        actor: str,
        expected_version: int | None = None,
        known_catalogs: Collection[object] | None = None,
    ) -> Configuration:
        """Make a configuration active, so that jobs take it.

        Raises:
            ConfigurationError: The configuration is not valid; the error lists everything.
        """
        stored = self._stored(uuid, channel)
        old = stored.configuration
        _demand_version(old, expected_version)
        if old.active:
            return old
        checked = self._check_stored(stored, channel, known_catalogs)
        self._demand(checked, True, old.where, refusals.edit_it(old))
        change = Change(old.version + 1, "activated", actor, {"active": [False, True]}, self._clock())
        return self._change(old, change, {"active": True})

    def deactivate(self, uuid: UUID, *, actor: str, expected_version: int | None = None) -> Configuration:
        """Make a configuration a draft, which no job takes; items at the LMS stay there."""
        old = self.get(uuid)
        _demand_version(old, expected_version)
        if not old.active:
            return old
        change = Change(old.version + 1, "deactivated", actor, {"active": [True, False]}, self._clock())
        return self._change(old, change, {"active": False})

    def remove(self, uuid: UUID, *, actor: str, expected_version: int | None = None) -> Configuration:
        """Remove a configuration from all lists, and erase its secrets and tokens.

        Its row, records and history stay. Nothing is sent: items at the LMS stay there.
        """
        old = self.get(uuid)
        _demand_version(old, expected_version)
        changes: dict[str, Any] = {"active": [True, False]} if old.active else {}
        changes |= dict.fromkeys(old.secrets_set, "cleared")
        change = Change(old.version + 1, "removed", actor, changes, self._clock())
        return self._change(
            old,
            change,
            {"active": False, "removed_at": change.at},
            secrets=dict.fromkeys(old.secrets_set),
            drop_tokens=True,
        )

    def keep_grant(
        self,
        uuid: UUID,
        channel: ChannelLike,
        secrets: Mapping[str, str],
        *,
        actor: str,
        granted_to: ChannelConfig | None = None,
    ) -> Configuration:
        """Store the secrets of an administrator's grant of access, in place of those of an earlier grant.

        Tokens of the earlier grant are dropped and "needs reconnect" is cleared. Missing fields and changes meanwhile are
        no reason to refuse, since the LMS gives these secrets only once; another destination is one.

        Args:
            uuid: UUID of the configuration.
            channel: Channel of the configuration.
            secrets: The secrets in clear, by field.
            actor: Name of the person, for the history.
            granted_to: The configuration that the LMS was asked with; None leaves out the check of the destination.

        Raises:
            ConfigurationError: The configuration was removed, or has another destination by now.
        """
        written = {name: SecretValue(text) for name, text in secrets.items()}
        ciphertexts = {name: self._box().encrypt(value.to_bytes()) for name, value in written.items()}
        while True:
            stored = self._stored(uuid, channel)
            old = stored.configuration
            if granted_to is not None:
                ungranted = self._load(stored, channel, secrets.keys())
                if digest_of_destination(ungranted) != digest_of_destination(granted_to):
                    raise refusals.changed_meanwhile(old)
            noted = _differences(old, {}, written)
            if old.needs_reconnect_since is not None:
                noted["needs_reconnect"] = [old.needs_reconnect_reason, None]
            if self._rows.update(
                uuid,
                Change(old.version + 1, "connected", actor, noted, self._clock()),
                {"needs_reconnect_since_at": None, "needs_reconnect_reason": None, **NOT_FAILING},
                ciphertexts=ciphertexts,
                drop_tokens=True,
            ):
                return self.get(uuid)

    def load(self, uuid: UUID, channel: ChannelLike, *, ungranted: Collection[str] = ()) -> ChannelConfig:
        """Return the validated model of an active configuration or a draft, with its secrets filled in.

        Args:
            uuid: UUID of the configuration.
            channel: Channel of the configuration.
            ungranted: Names of secrets that a grant is about to bring; they hold :data:`PLACEHOLDER`, set or not.

        Raises:
            ConfigurationError: The configuration is not valid; the error lists the missing and incorrect fields.
            SecretKeyError: A secret cannot be read with the present key.
        """
        return self._load(self._stored(uuid, channel), channel, ungranted)

    def validity(
        self, uuid: UUID, channel: ChannelLike, *, known_catalogs: Collection[object] | None = None
    ) -> Validity:
        """Return the missing and incorrect fields of a configuration."""
        return self._check_stored(self._stored(uuid, channel), channel, known_catalogs).validity

    def runnable(
        self,
        channels: Mapping[str, ChannelLike],
        *,
        channel: str | None = None,
        customer: str | None = None,
        uuids: Collection[UUID] | None = None,
    ) -> Runnable:
        """Return the configurations that may run: active, not removed, valid, connected, with an installed channel.

        This is the one place that decides it. An inactive configuration is refused if it is asked for by its UUID, and
        left out otherwise.

        Args:
            channels: The installed channels by code.
            channel: Code of the channel; None for all channels.
            customer: UUID of the customer; None for all customers.
            uuids: UUIDs of the configurations; None for all.

        Raises:
            ConfigurationError: One of ``uuids`` does not exist, or was removed.
            SecretKeyError: There is no secret key at all.
        """
        stored = self._rows.read(
            uuids=uuids, channel=channel, customer=None if customer is None else _customer(customer)
        )
        if uuids is not None and channel is None and customer is None:
            for uuid in set(uuids) - {each.configuration.uuid for each in stored}:
                self._stored(uuid)  # raises, and says whether it never was or is no more
        ready: list[Ready] = []
        refused: list[Refused] = []
        for each in stored:
            configuration = each.configuration
            if not configuration.active and uuids is None:
                continue
            try:
                ready.append(Ready(configuration, self._may_run(each, channels)))
            except (ConfigurationError, UnknownChannelError, UnreadableSecretError) as error:
                refused.append(Refused(configuration, error))
        return Runnable(tuple(ready), tuple(refused))

    def mark_needs_reconnect(self, uuid: UUID, reason: str, *, actor: str = SYSTEM) -> bool:
        """Store that the LMS refuses a grant of access, so that no job runs until a person grants it again.

        Args:
            uuid: UUID of the configuration.
            reason: Words of the LMS, redacted.
            actor: Name of the person or job that found it, for the history.

        Returns:
            True the first time; False if it was stored before, since one notice is enough.
        """
        return self._note_reconnect(uuid, "needs reconnect", actor, reason)

    def mark_failing(self, uuid: UUID, reason: str, *, actor: str = SYSTEM) -> bool:
        """Store that the LMS refuses credentials that need no person, so that later runs try them again.

        The pause before the next try is as long as the LMS has refused them already, from a quarter of an hour to a
        day: an account is not locked by our knocking, and what the LMS mends is used within the day.

        Args:
            uuid: UUID of the configuration.
            reason: Words of the LMS, redacted.
            actor: Name of the person or job that found it, for the history.

        Returns:
            True the first time; False if it was stored before, since one notice is enough.
        """
        old, now = self.get(uuid), self._clock()
        since = old.failing_since or now
        pause = min(max(now - since, SHORTEST_PAUSE), LONGEST_PAUSE)
        change = Change(old.version, "credentials refused", actor, {"failing": [None, reason]}, now)
        return self._rows.note_failing(uuid, change, since=since, reason=reason, next_try=now + pause)

    def note_refusal(self, uuid: UUID, error: CredentialsError, *, actor: str = SYSTEM) -> bool:
        """Store a refusal of the credentials, for a person or for later runs, as the error says.

        Args:
            uuid: UUID of the configuration.
            error: The refusal.
            actor: Name of who met it, for the history.

        Returns:
            True the first time; False if it was stored before.
        """
        mark = self.mark_needs_reconnect if error.reason == Reason.GRANT_REFUSED else self.mark_failing
        return mark(uuid, error.why or error.what, actor=actor)

    def clear_reconnect(self, uuid: UUID, *, actor: str = SYSTEM) -> bool:
        """Store that the LMS takes the credentials again; return False if nothing was stored before."""
        old = self.get(uuid)
        change = Change(
            old.version, "credentials accepted", actor, {"failing": [old.failing_reason, None]}, self._clock()
        )
        healed = self._rows.note_failing(uuid, change, since=None, reason=None, next_try=None)
        return self._note_reconnect(uuid, "reconnected", actor, None) or healed

    def history(self, uuid: UUID) -> Sequence[Change]:
        """Return every change of a configuration, oldest first, even if it was removed."""
        return self._rows.history(uuid)

    def _stored(self, uuid: UUID, channel: ChannelLike | None = None) -> Stored:
        found = self._rows.read(uuids=[uuid], include_removed=True)
        if not found:
            raise refusals.unknown(str(uuid))
        configuration = found[0].configuration
        if configuration.removed_at is not None:
            raise refusals.removed(configuration)
        if channel is not None and code_and_model(channel)[0] != configuration.channel:
            raise refusals.other_channel(configuration, code_and_model(channel)[0])
        return found[0]

    def _may_run(self, stored: Stored, channels: Mapping[str, ChannelLike]) -> ChannelConfig:
        configuration = stored.configuration
        if not configuration.active:
            raise refusals.not_active(configuration)
        if configuration.channel not in channels:
            raise refusals.not_installed(configuration, channels)
        if configuration.needs_reconnect_since is not None:
            raise refusals.needs_reconnect(configuration)
        if configuration.next_try_at is not None and self._clock() < configuration.next_try_at:
            raise refusals.not_tried_yet(configuration)
        return self._load(stored, channels[configuration.channel])

    def _load(self, stored: Stored, channel: ChannelLike, ungranted: Collection[str] = ()) -> ChannelConfig:
        secrets = self._open(stored).with_changes(dict.fromkeys(ungranted, SecretValue(PLACEHOLDER)))
        model = code_and_model(channel)[1]
        checked = self._check(model, stored.configuration.fields, secrets, None)
        configuration = stored.configuration
        unreadable = [name for name, why in checked.validity.incorrect.items() if why == UNREADABLE]
        if unreadable:
            raise refusals.unreadable(configuration, unreadable)
        if checked.config is None:
            raise refusals.invalid(
                checked.validity,
                "the configuration is not valid",
                configuration.where,
                refusals.edit_it(configuration),
            )
        return checked.config

    def _check_stored(
        self, stored: Stored, channel: ChannelLike, known_catalogs: Collection[object] | None = None
    ) -> Checked:
        return self._check(
            code_and_model(channel)[1], stored.configuration.fields, self._open(stored), known_catalogs
        )

    def _check(
        self,
        model: type[ChannelConfig],
        fields: Mapping[str, Any],
        secrets: OpenedSecrets,
        known_catalogs: Collection[object] | None,
    ) -> Checked:
        return check(model, fields, secrets, insecure_urls=self._insecure_urls, known_catalogs=known_catalogs)

    def _moved(
        self,
        model: type[ChannelConfig],
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        secrets: OpenedSecrets,
    ) -> bool:
        """Return True if credentials would be sent elsewhere after a change of fields.

        Beside the fields that are declared as destination it asks the model for its hosts, since a channel may make them of
        other fields.
        """
        if before == after:
            return False
        if destination(model, before) != destination(model, after):
            return True
        old, new = (self._check(model, fields, secrets, None).config for fields in (before, after))
        return old is not None and new is not None and not hosts_of(new) <= hosts_of(old)

    @staticmethod
    def _demand(checked: Checked, active: bool, where: str, next_step: str) -> None:
        """Raise for values that may not be stored: in a draft only misplaced credentials, otherwise every fault."""
        if active and not checked.validity.valid:
            raise refusals.invalid(checked.validity, "the configuration cannot be active", where, next_step)
        if checked.unstorable:
            wrong = {name: checked.validity.incorrect[name] for name in sorted(checked.unstorable)}
            raise refusals.invalid(
                Validity(incorrect=wrong), "the configuration cannot be kept", where, "Correct the fields."
            )

    def _box(self) -> SecretBox:
        if not isinstance(self._secrets, SecretBox):
            self._secrets = self._secrets()
        return self._secrets

    def _open(self, stored: Stored) -> OpenedSecrets:
        return open_secrets(self._box(), stored.ciphertexts) if stored.ciphertexts else OpenedSecrets()

    def _change(
        self,
        old: Configuration,
        change: Change,
        values: Mapping[str, Any],
        *,
        secrets: Mapping[str, SecretValue | None] | None = None,
        drop_tokens: bool = False,
    ) -> Configuration:
        """Write one change, unless the configuration has another version by now."""
        ciphertexts = {
            name: None if value is None else self._box().encrypt(value.to_bytes())
            for name, value in (secrets or {}).items()
        }
        if not self._rows.update(old.uuid, change, values, ciphertexts=ciphertexts, drop_tokens=drop_tokens):
            raise refusals.changed_meanwhile(old)
        return self._rows.read(uuids=[old.uuid], include_removed=True)[0].configuration

    def _note_reconnect(self, uuid: UUID, action: str, actor: str, reason: str | None) -> bool:
        old, now = self.get(uuid), self._clock()
        changes = {"needs_reconnect": [old.needs_reconnect_reason, reason]}
        since: datetime | None = None if reason is None else now
        return self._rows.note_reconnect(
            uuid, Change(old.version, action, actor, changes, now), since=since, reason=reason
        )


def _differences(
    old: Configuration, fields: Mapping[str, Any], secrets: Mapping[str, SecretValue | None]
) -> dict[str, Any]:
    """Return the differences of a change, in the form of the history."""
    changes: dict[str, Any] = {
        name: [old.fields.get(name), value] for name, value in fields.items() if value != old.fields.get(name)
    }
    for name, value in secrets.items():
        changes[name] = "cleared" if value is None else "changed" if name in old.secrets_set else "set"
    return changes


def _customer(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise refusals.no_customer(text) from None


def _demand_version(configuration: Configuration, expected: int | None) -> None:
    if expected is not None and expected != configuration.version:
        raise refusals.changed_meanwhile(configuration)

"""The rows of configurations, read and written without any rule about them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from coursewire.configurations.configuration import Change, Configuration, Stored
from coursewire.storage.tables import records as tables

_CONFIGURATION = tables.configuration.c
_SECRET = tables.configuration_secret.c
_HISTORY = tables.configuration_history.c


@cache
def _queries(given: frozenset[str], include_removed: bool) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Return the queries for configurations and for their secrets; they are kept, since building takes longer than running."""
    every: dict[str, sa.ColumnElement[bool]] = {
        "uuids": _CONFIGURATION.uuid.in_(sa.bindparam("uuids", expanding=True)),
        "channel": _CONFIGURATION.channel == sa.bindparam("channel"),
        "customer": _CONFIGURATION.customer == sa.bindparam("customer"),
        "active": _CONFIGURATION.active == sa.bindparam("active"),
    }
    conditions = [condition for name, condition in every.items() if name in given]
    if not include_removed:
        conditions.append(_CONFIGURATION.removed_at.is_(None))
    theirs = _SECRET.configuration.in_(sa.select(_CONFIGURATION.uuid).where(*conditions))
    return (
        sa.select(tables.configuration)
        .where(*conditions)
        .order_by(_CONFIGURATION.created_at, _CONFIGURATION.uuid),
        sa.select(tables.configuration_secret).where(theirs).order_by(_SECRET.name),
    )


NOT_FAILING = {"failing_since_at": None, "failing_reason": None, "next_try_at": None}
"""Columns of a configuration whose credentials the LMS does not refuse, as far as is known."""


class ConfigurationRows:
    """Reads and writes configurations, each change in one short transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def uuids(self) -> Sequence[UUID]:
        """Return the UUIDs of all configurations that were not removed."""
        query = sa.select(_CONFIGURATION.uuid).where(_CONFIGURATION.removed_at.is_(None))
        with self._engine.connect() as connection:
            return connection.scalars(query).all()

    def read(
        self,
        *,
        uuids: Collection[UUID] | None = None,
        channel: str | None = None,
        customer: str | None = None,
        active: bool | None = None,
        include_removed: bool = False,
    ) -> list[Stored]:
        """Return the configurations that match every condition, in the order of creation, with two queries."""
        wanted = {"uuids": uuids if uuids is None else list(uuids), "channel": channel, "customer": customer}
        given = {name: value for name, value in {**wanted, "active": active}.items() if value is not None}
        query, secrets = _queries(frozenset(given), include_removed)
        ciphertexts: dict[UUID, dict[str, bytes]] = {}
        with self._engine.connect() as connection:
            rows = connection.execute(query, given).all()
            for row in connection.execute(secrets, given):
                ciphertexts.setdefault(row.configuration, {})[row.name] = bytes(row.ciphertext)
        return [
            Stored(_configuration(row, ciphertexts.get(row.uuid, {})), ciphertexts.get(row.uuid, {}))
            for row in rows
        ]

    def history(self, uuid: UUID) -> list[Change]:
        """Return every change of one configuration, oldest first."""
        query = sa.select(tables.configuration_history).where(_HISTORY.configuration == uuid)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_HISTORY.id)).all()
        return [Change(row.version, row.action, row.actor, json.loads(row.changes), row.at) for row in rows]

    def insert(
        self,
        uuid: UUID,
        change: Change,
        *,
        channel: str,
        customer: str,
        active: bool,
        fields: Mapping[str, Any],
        ciphertexts: Mapping[str, bytes],
    ) -> None:
        """Write a new configuration with its first change."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(tables.configuration),
                {
                    "uuid": uuid,
                    "channel": channel,
                    "customer": customer,
                    "fields": json.dumps(fields),
                    "active": active,
                    "version": change.version,
                    "created_at": change.at,
                    "updated_at": change.at,
                },
            )
            _write_secrets(connection, uuid, ciphertexts, change.at)
            _write_history(connection, uuid, change)

    def update(
        self,
        uuid: UUID,
        change: Change,
        values: Mapping[str, Any],
        *,
        ciphertexts: Mapping[str, bytes | None] | None = None,
        drop_tokens: bool = False,
    ) -> bool:
        """Write one change on top of the version before it.

        Args:
            uuid: UUID of the configuration.
            change: The change; its version is the new one.
            values: New values by column.
            ciphertexts: Encrypted secrets by name; None erases one.
            drop_tokens: True to erase stored tokens too.

        Returns:
            True; False if the configuration has another version by now, and nothing was written.
        """
        secrets = ciphertexts or {}
        with self._engine.begin() as connection:
            done = connection.execute(
                tables.configuration.update()
                .where(_CONFIGURATION.uuid == uuid, _CONFIGURATION.version == change.version - 1)
                .values(version=change.version, updated_at=change.at, **values)
            )
            if done.rowcount != 1:
                return False
            if secrets:
                connection.execute(
                    tables.configuration_secret.delete().where(
                        _SECRET.configuration == uuid, _SECRET.name.in_(list(secrets))
                    )
                )
            kept = {name: ciphertext for name, ciphertext in secrets.items() if ciphertext is not None}
            _write_secrets(connection, uuid, kept, change.at)
            if drop_tokens:
                connection.execute(tables.token.delete().where(tables.token.c.configuration == uuid))
            _write_history(connection, uuid, change)
        return True

    def note_reconnect(
        self, uuid: UUID, change: Change, *, since: datetime | None, reason: str | None
    ) -> bool:
        """Set or clear the note that the credentials are refused; the version stays.

        Returns:
            True; False if it was set, or cleared, before, and nothing was written.
        """
        noted = _CONFIGURATION.needs_reconnect_since_at
        with self._engine.begin() as connection:
            done = connection.execute(
                tables.configuration.update()
                .where(_CONFIGURATION.uuid == uuid, noted.is_not(None) if since is None else noted.is_(None))
                .values(needs_reconnect_since_at=since, needs_reconnect_reason=reason, **NOT_FAILING)
            )
            if done.rowcount != 1:
                return False
            _write_history(connection, uuid, change)
        return True

    def note_failing(
        self,
        uuid: UUID,
        change: Change,
        *,
        since: datetime | None,
        reason: str | None,
        next_try: datetime | None,
    ) -> bool:
        """Set, prolong or clear the note that the LMS refuses credentials which are tried again; the version stays.

        Returns:
            True; False if it was only prolonged, or was clear before, and nothing was written into the history.
        """
        noted = _CONFIGURATION.failing_since_at
        table = tables.configuration
        with self._engine.begin() as connection:
            this = table.update().where(_CONFIGURATION.uuid == uuid)
            done = connection.execute(
                this.where(noted.is_not(None) if since is None else noted.is_(None)).values(
                    failing_since_at=since, failing_reason=reason, next_try_at=next_try
                )
            )
            if done.rowcount != 1:
                if since is not None:
                    connection.execute(this.values(failing_reason=reason, next_try_at=next_try))
                return False
            _write_history(connection, uuid, change)
        return True


def _configuration(row: sa.Row[Any], secrets: Collection[str]) -> Configuration:
    return Configuration(
        uuid=row.uuid,
        channel=row.channel,
        customer=row.customer,
        active=row.active,
        version=row.version,
        fields=json.loads(row.fields),
        secrets_set=tuple(secrets),
        needs_reconnect_since=row.needs_reconnect_since_at,
        needs_reconnect_reason=row.needs_reconnect_reason,
        failing_since=row.failing_since_at,
        failing_reason=row.failing_reason,
        next_try_at=row.next_try_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        removed_at=row.removed_at,
    )


def _write_secrets(
    connection: sa.Connection, uuid: UUID, ciphertexts: Mapping[str, bytes], at: datetime
) -> None:
    if ciphertexts:
        connection.execute(
            tables.configuration_secret.insert(),
            [
                {"configuration": uuid, "name": name, "ciphertext": ciphertext, "updated_at": at}
                for name, ciphertext in ciphertexts.items()
            ],
        )


def _write_history(connection: sa.Connection, uuid: UUID, change: Change) -> None:
    connection.execute(
        sa.insert(tables.configuration_history),
        {
            "configuration": uuid,
            "version": change.version,
            "action": change.action,
            "actor": change.actor[:255],
            "changes": json.dumps(change.changes),
            "at": change.at,
        },
    )

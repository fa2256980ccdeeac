"""The version of the database's schema: reading it, demanding it, bringing it up to date.

There is no way down: a downgrade would have to throw away what was recorded. To go back, restore the backup
that was made before the upgrade.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, select, text

from coursewire.errors import DatabaseError
from coursewire.storage.database.driver_errors import describe
from coursewire.storage.database.engine import writing

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012")
"""All revisions, oldest first: one for each file in ``migrations/versions``. Listed here because the check
at the start of every command must not wait for Alembic to be imported."""

VERSION_TABLE = "schema_version"
"""Not Alembic's default name, so that another service's migrations can live in the same database."""

LOCK_TIMEOUT_S = 60
"""Time for which a second process waits while the first one migrates."""

_VERSIONS = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))
_LOCK_KEY = int.from_bytes(hashlib.sha256(b"coursewire schema").digest()[:8], signed=True)


class SchemaStatus(StrEnum):
    """The schema of a database, compared with this release."""

    CURRENT = "current"
    EMPTY = "empty"
    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The schema of a database.

    Attributes:
        current: Revision of the database; None if it has none.
        newest: Revision of this release.
        status: Result of the comparison.
    """

    current: str | None
    newest: str
    status: SchemaStatus


def schema_state(engine: Engine) -> SchemaState:
    """Read which schema a database has; changes nothing."""
    with engine.connect() as connection:
        return _state(connection)


def require_current(engine: Engine) -> None:
    """Check that the schema is the one of this release.

    Raises:
        DatabaseError: The schema is missing, older or newer.
    """
    state = schema_state(engine)
    if state.status is SchemaStatus.CURRENT:
        return
    if state.status is SchemaStatus.NEWER:
        raise _too_new(engine, state)
    empty = state.status is SchemaStatus.EMPTY
    raise DatabaseError(
        "the database is not set up" if empty else "the database is of an older release",
        where=describe(engine.url),
        why="" if empty else f"its schema is {state.current}, this release works with {state.newest}",
        next_step="Run 'coursewire init'." if empty else "Make a backup, then run 'coursewire init'.",
    )


def migrate(engine: Engine) -> list[str]:
    """Bring the schema up to date, from whatever revision it has.

    Processes that do so at once wait for each other. On SQLite and PostgreSQL a migration that fails leaves
    no trace; MySQL and MariaDB commit each table at once.

    Returns:
        The revisions that were applied, oldest first; an empty list if there was nothing to do.

    Raises:
        DatabaseError: The database is of a newer release, or another process keeps migrating.
    """
    # Alembic is imported here because only 'coursewire init' needs it and it is slow to import.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    applied: list[str] = []

    def note(*, step: Any, **_: Any) -> None:
        applied.append(str(step.up_revision_id))

    with _sole_migration(engine) as connection:
        state = _state(connection)
        if state.status is SchemaStatus.NEWER:
            raise _too_new(engine, state)
        config = Config(attributes={"connection": connection, "on_version_apply": note})
        folder = str(Path(__file__).with_name("migrations"))
        config.set_main_option("script_location", folder.replace("%", "%%"))
        command.upgrade(config, "head")
    return applied


def create(engine: Engine, tables: MetaData) -> None:
    """Make all tables of an empty database at once: for tests, which need not wait for Alembic.

    Args:
        engine: The database.
        tables: The tables to create, ``coursewire.storage.tables.metadata``.
    """
    with writing(engine) as connection:
        tables.create_all(connection)
        _VERSIONS.create(connection)
        connection.execute(_VERSIONS.insert().values(version_num=REVISIONS[-1]))


def _state(connection: Connection) -> SchemaState:
    newest = REVISIONS[-1]
    current = None
    if inspect(connection).has_table(VERSION_TABLE):
        current = connection.scalar(select(_VERSIONS.c.version_num))
    if current is None:
        status = SchemaStatus.EMPTY
    elif current not in REVISIONS:
        status = SchemaStatus.NEWER
    else:
        status = SchemaStatus.CURRENT if current == newest else SchemaStatus.OLDER
    return SchemaState(current, newest, status)


def _too_new(engine: Engine, state: SchemaState) -> DatabaseError:
    return DatabaseError(
        "the database is of a newer release",
        where=describe(engine.url),
        why=f"its schema is {state.current}, this release knows up to {state.newest}",
        next_step="Run: pip install --upgrade coursewire",
    )


@contextmanager
def _sole_migration(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that no migration of another process overlaps."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        if engine.dialect.name not in ("mysql", "mariadb"):
            yield connection
            return
        # Its table statements commit, so that the lock must be one that outlives transactions. Its name is
        # the server's, not the database's.
        name = hashlib.sha256(f"coursewire schema {engine.url.database}".encode()).hexdigest()[:40]
        got = connection.scalar(text("SELECT GET_LOCK(:name, :s)"), {"name": name, "s": LOCK_TIMEOUT_S})
        if got != 1:
            raise DatabaseError(
                "another process is setting up the database",
                where=describe(engine.url),
                why=f"it did not finish within {LOCK_TIMEOUT_S} s",
                next_step="Run 'coursewire init' again when it has.",
            )
        try:
            yield connection
        finally:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})

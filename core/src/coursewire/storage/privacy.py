"""Forgetting a learner in every table that holds personal data, found by the marks in the schema.

A table with a personal ``username`` column is about that learner, one with a personal ``email`` column alone is
about that address: such rows are deleted. The log of attempts stays without personal data, so that the counts
of past runs still add up. A marked table with neither column stops everything: it was added without saying how it
forgets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    update,
)

from coursewire.errors import ContractError, LeaseHeldError
from coursewire.model.kinds import OUTCOMES
from coursewire.storage.database.engine import writing
from coursewire.storage.tables import metadata
from coursewire.storage.tables.records import lease, outcome_record, token, transmission

NAMES = ("email", "remote_id", "remote_key")
"""Personal columns beside ``username`` that hold another name of the learner."""

FREE_TEXT = ("message", "excerpt")
"""Personal columns of rows about somebody else in which the learner may be mentioned."""

FORGOTTEN = "forgotten"
"""Text in place of the outcome in the log of attempts."""


def forget(engine: Engine, username: str, *, now: datetime) -> dict[str, int]:
    """Delete the personal data of a learner, at every customer; the data at an LMS stays there.

    A learner whom the source still names comes back with the next run, so the source must forget first. The embedded
    source is covered here.

    Args:
        engine: The database.
        username: Username at the platform, or the e-mail address of a learner without an account.
        now: The present instant.

    Returns:
        The numbers of rows that were deleted or scrubbed, by table; tables without any are left out.

    Raises:
        LeaseHeldError: Outcomes are being sent, and that run would store the learner again.
        ContractError: A table holds personal data, and nothing says how it is deleted. Nothing was changed.
    """
    handled = [*_about_learners(), *_about_addresses()]
    _demand_all(handled)
    counts: dict[str, int] = {}
    with writing(engine) as connection:
        _demand_quiet(connection, now)
        names = _names(connection, username)
        counts["transmission"] = _scrub_attempts(connection, username)
        for table, column in _mentions():
            counts[table.name] = counts.get(table.name, 0) + _scrub(connection, table, column, names)
        counts["token"] = _delete(connection, token, token.c.subject.in_([_digest(name) for name in names]))
        for table in reversed(metadata.sorted_tables):
            if table in handled:
                column = table.c.username if "username" in table.c else table.c.email
                mine = column == username if column.name == "username" else column.in_(names)
                counts[table.name] = counts.get(table.name, 0) + _delete(connection, table, mine)
    _wipe(engine)
    return {name: count for name, count in counts.items() if count}


def personal_columns(table: Table) -> list[Column[object]]:
    """Return the columns of a table that hold personal data."""
    return [column for column in table.columns if column.info.get("personal")]


def _about_learners() -> list[Table]:
    return [table for table in metadata.tables.values() if _is_personal(table, "username")]


def _about_addresses() -> list[Table]:
    return [
        table
        for table in metadata.tables.values()
        if "username" not in table.c and _is_personal(table, "email")
    ]


def _is_personal(table: Table, name: str) -> bool:
    return any(column.name == name for column in personal_columns(table))


def _demand_all(handled: Collection[Table]) -> None:
    for table in metadata.tables.values():
        if personal_columns(table) and table not in handled and table is not transmission:
            raise ContractError(
                f"the table {table.name} holds personal data and has neither a username nor an email",
                why="nothing says which of its rows are about whom, so nothing was forgotten",
                next_step="This is a fault of Coursewire: report it.",
            )


def _demand_quiet(connection: Connection, now: datetime) -> None:
    running = or_(*(lease.c.name.startswith(f"{kind}:") for kind in OUTCOMES))
    held = connection.scalar(
        select(lease.c.name).where(running, lease.c.owner.is_not(None), lease.c.expires_at > now).limit(1)
    )
    if held is not None:
        raise LeaseHeldError(
            "nothing was forgotten",
            where=held,
            why="outcomes are being sent, and the run would write the learner down again",
            next_step="Wait until it ends, or stop it, and forget then.",
        )


def _names(connection: Connection, username: str) -> set[str]:
    """Return every name and id of the learner in the tables."""
    names = {username}
    for table in _about_learners():
        for column in personal_columns(table):
            if column.name in NAMES:
                found = connection.scalars(select(column).where(table.c.username == username).distinct())
                names.update(str(name) for name in found if name)
    return names


def _scrub_attempts(connection: Connection, username: str) -> int:
    t, mine = transmission.c, outcome_record.c
    keys = connection.execute(
        select(mine.configuration, mine.kind, mine.outcome_key).where(mine.username == username)
    ).all()
    scrubbed = 0
    for configuration, kind, key in keys:
        same = (t.configuration == configuration, t.kind == kind, t.item == key)
        nothing = dict.fromkeys(("message", "excerpt", "fingerprint"))
        scrubbed += connection.execute(
            update(transmission).where(*same).values(item=FORGOTTEN, **nothing)
        ).rowcount
    return scrubbed


def _mentions() -> Iterator[tuple[Table, Column[object]]]:
    """Yield the columns of other people's rows that may name the learner."""
    for table in metadata.tables.values():
        for column in personal_columns(table):
            if column.name in FREE_TEXT or column.name.endswith("_by"):
                yield table, column


def _scrub(connection: Connection, table: Table, column: Column[object], names: Collection[str]) -> int:
    named: ColumnElement[bool] = false()
    for name in names:
        # Not LIKE: it folds capitals on some databases, and names may hold its wildcards.
        exact = column == name if column.name.endswith("_by") else _contains(connection, column, name)
        named = or_(named, exact)
    return connection.execute(update(table).where(named).values({column.name: None})).rowcount


def _contains(connection: Connection, column: Column[object], name: str) -> ColumnElement[bool]:
    if connection.dialect.name == "postgresql":
        return func.strpos(column, literal(name)) > 0
    return func.instr(column, literal(name)) > 0


def _delete(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    return connection.execute(delete(table).where(condition)).rowcount


def _digest(subject: str) -> str:
    """Return the digest by which a stored token names its subject."""
    return hashlib.sha256(subject.encode()).hexdigest()


def _wipe(engine: Engine) -> None:
    """Make SQLite write its file anew, because deleted rows stay readable in it until their space is used again."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.commit()
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

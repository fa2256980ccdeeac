"""Upserts: rows are inserted or overwritten by their key, with one statement on every database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Executable, Table


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Collection[str],
    keep: Collection[str] = (),
) -> None:
    """Insert rows, or overwrite those that are there.

    Args:
        connection: Connection in a transaction.
        table: Table that gets the rows.
        rows: Values by column; all rows have the same columns.
        key: Columns of a unique constraint, by which rows are the same.
        keep: Columns whose values stay in an existing row.
    """
    if not rows:
        return
    statement = _statement(table, connection.dialect.name, tuple(rows[0]), tuple(key), tuple(keep))
    connection.execute(statement, list(rows))


@lru_cache(maxsize=128)
def _statement(
    table: Table, dialect: str, columns: tuple[str, ...], key: tuple[str, ...], keep: tuple[str, ...]
) -> Executable:
    """Return the statement for rows with these columns; it is kept, since building it takes longer than running it."""
    changing = [name for name in columns if name not in key and name not in keep]
    # Only the module of the database at hand: each takes a while to import.
    if dialect in ("mysql", "mariadb"):
        into = import_module("sqlalchemy.dialects.mysql").insert(table)
        statement: Executable = into.on_duplicate_key_update({name: into.inserted[name] for name in changing})
    else:
        new = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
        statement = new.on_conflict_do_update(
            index_elements=list(key), set_={name: new.excluded[name] for name in changing}
        )
    return statement

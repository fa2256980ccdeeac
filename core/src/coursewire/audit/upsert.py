"""Inserting or overwriting rows by their key, in one statement on every database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import mysql, postgresql, sqlite


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
        connection: In a transaction.
        table: Where.
        rows: All with the same columns.
        key: The columns of a unique constraint that tells rows apart.
        keep: Columns that an existing row keeps as they are.
    """
    if not rows:
        return
    changing = [name for name in rows[0] if name not in key and name not in keep]
    if connection.dialect.name in ("mysql", "mariadb"):
        into = mysql.insert(table)
        statement: Any = into.on_duplicate_key_update({name: into.inserted[name] for name in changing})
    else:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = dialect.insert(table)
        statement = new.on_conflict_do_update(
            index_elements=list(key), set_={name: new.excluded[name] for name in changing}
        )
    connection.execute(statement, list(rows))

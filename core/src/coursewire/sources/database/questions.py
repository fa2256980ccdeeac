"""Bulk queries: parts of statements that the source and the loader share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, tuple_
from sqlalchemy.exc import StatementError

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection
    from sqlalchemy.exc import SQLAlchemyError

CHUNK_VALUES = 900
"""Most values in one IN list: older SQLite takes 999 variables in a statement."""

Key = tuple[Any, ...]


def chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Yield the keys in chunks that fit into one statement."""
    step = CHUNK_VALUES // max(len(keys[0]), 1) if keys else 1
    for start in range(0, len(keys), step):
        yield keys[start : start + step]


def in_keys(columns: Sequence[Column[Any]], keys: Sequence[Key]) -> ColumnElement[bool]:
    """Return the condition that the values of ``columns`` together are one of ``keys``."""
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def look_up(
    connection: Connection, columns: Sequence[Column[Any]], keys: Sequence[Key], value: Column[Any]
) -> dict[Key, Any]:
    """Return the column ``value`` by key, for the keys that are in the table, with one statement for a chunk of keys."""
    return {
        tuple(row[:-1]): row[-1]
        for chunk in chunks(keys)
        for row in connection.execute(select(*columns, value).where(in_keys(columns, chunk)))
    }


def known(connection: Connection, columns: Sequence[Column[Any]], keys: Sequence[Key]) -> set[Key]:
    """Return those of ``keys`` that are in the table of ``columns``."""
    return set(look_up(connection, columns, list(dict.fromkeys(keys)), columns[0]))


def short_cause(error: SQLAlchemyError) -> str:
    """Return the driver's message without the statement and its values, which may be personal."""
    cause = error.orig if isinstance(error, StatementError) and error.orig else error
    return str(cause).partition("\n")[0]

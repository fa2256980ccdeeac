"""Records and attempts as lines: of a table, or of JSON objects."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Engine, Table, select

from coursewire.audit.browse import HIDDEN


def stream(
    engine: Engine, table: Table, *, configurations: Collection[UUID] | None = None
) -> Iterator[dict[str, Any]]:
    """All rows of a table with configurations, oldest first, without holding them.

    Args:
        engine: The database.
        table: ``content_record``, ``outcome_record`` or ``transmission``.
        configurations: Only rows of these; None for all.
    """
    query = select(*(table.c[name] for name in columns_of(table))).order_by(table.c.id)
    if configurations is not None:
        query = query.where(table.c.configuration.in_(configurations))
    with engine.connect() as connection:
        for found in connection.execution_options(yield_per=1000).execute(query):
            yield dict(found._mapping)


def columns_of(table: Table) -> list[str]:
    """The columns that are exported: all but what is core's own business."""
    return [column.name for column in table.columns if column.name not in HIDDEN]


def csv_lines(rows: Iterator[dict[str, Any]], table: Table) -> Iterator[bytes]:
    """A heading and a line for each row, in UTF-8; instants as ISO 8601."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns_of(table))
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def json_lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """An object on a line of its own for each row, in UTF-8."""
    for row in rows:
        # SQLAlchemy's names of columns are a kind of text that is not taken for one.
        yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _cell(value: Any) -> Any:
    """Text of an LMS that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(value, datetime):
        return value.isoformat()
    formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if formula else value

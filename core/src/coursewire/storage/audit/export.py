"""Records and attempts as lines: of a table, or of JSON objects."""

from __future__ import annotations

import csv
import heapq
import io
from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Engine, Table, select

from coursewire.storage.audit.queries import HIDDEN

PAGE_ROWS = 1000
FEWEST_ROWS = 50
"""Rows that an export reads at once: of all configurations, and of each where they are many."""


class ExportFormat(StrEnum):
    """The forms in which a table is exported."""

    CSV = "csv"
    JSONL = "jsonl"


def stream(
    engine: Engine, table: Table, *, configurations: Collection[UUID] | None = None
) -> Iterator[dict[str, Any]]:
    """All rows of a table with configurations, oldest first, without holding them.

    No connection is held between two pages either: who stops reading half-way leaves nothing behind.

    Args:
        engine: The database.
        table: ``content_record``, ``outcome_record`` or ``transmission``.
        configurations: Only rows of these; None for all.
    """
    if configurations is None:
        yield from _oldest_first(engine, table, [], PAGE_ROWS)
        return
    rows = max(PAGE_ROWS // max(len(configurations), 1), FEWEST_ROWS)
    each = [_oldest_first(engine, table, [table.c.configuration == one], rows) for one in configurations]
    yield from heapq.merge(*each, key=itemgetter("id"))


def _oldest_first(
    engine: Engine, table: Table, conditions: list[ColumnElement[bool]], rows: int
) -> Iterator[dict[str, Any]]:
    columns, last = [table.c[name] for name in columns_of(table)], 0
    while True:
        query = select(*columns).where(*conditions, table.c.id > last).order_by(table.c.id).limit(rows)
        with engine.connect() as connection:
            page = [dict(found._mapping) for found in connection.execute(query)]
        yield from page
        if len(page) < rows:
            return
        last = page[-1]["id"]


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

"""Export of records and attempts as lines: of CSV, or of JSON objects."""

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

from coursewire.printable import in_json, one_line
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
    """Stream the rows of a table with configurations, oldest first, without holding them in memory.

    No connection is held between two pages: a reader who stops half-way leaves nothing open.

    Args:
        engine: The database.
        table: ``content_record``, ``outcome_record`` or ``transmission``.
        configurations: UUIDs of the configurations whose rows are wanted; None for all.
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
    """Return the columns that are exported: all but those of internal use."""
    return [column.name for column in table.columns if column.name not in HIDDEN]


def csv_lines(rows: Iterator[dict[str, Any]], table: Table) -> Iterator[bytes]:
    """Yield a heading and a line of CSV for each row, in UTF-8, with instants as ISO 8601."""
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
    """Yield one JSON object on one line for each row, in UTF-8."""
    for row in rows:
        # SQLAlchemy's names of columns are a kind of text that is not taken for one.
        yield in_json(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS))


def _cell(value: Any) -> Any:
    """Return a cell's text, with an apostrophe in front if a spreadsheet would take it for a formula."""
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return value
    formula = value.startswith(("\t", "\r", "\n")) or value.lstrip().startswith(_FORMULA)
    return f"'{one_line(value)}" if formula else one_line(value)


_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")

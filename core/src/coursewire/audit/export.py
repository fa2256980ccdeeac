"""The log of attempts as lines: of a table, or of JSON objects."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson

from coursewire.audit.tables import transmission


def csv_lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """A heading and a line for each attempt, in UTF-8."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, [column.name for column in transmission.columns])
    writer.writeheader()
    for row in rows:
        row["at"] = row["at"].isoformat()
        writer.writerow({name: _harmless(value) for name, value in row.items()})
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def json_lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """An object on a line of its own for each attempt, in UTF-8."""
    for row in rows:
        # SQLAlchemy's names of columns are a kind of text that is not taken for one.
        yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _harmless(value: Any) -> Any:
    """Text of an LMS that a spreadsheet would take for a formula gets an apostrophe in front."""
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )

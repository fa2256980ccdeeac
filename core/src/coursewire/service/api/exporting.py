"""Whole tables as files: CSV for spreadsheets, JSON lines for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import Query
from fastapi.responses import StreamingResponse
from more_itertools import batched

from coursewire.storage.audit.export import ExportFormat, csv_lines, json_lines, stream

if TYPE_CHECKING:
    from sqlalchemy import Table

    from coursewire.service.authorization import Access

FormatIn = Annotated[ExportFormat, Query(alias="format")]

EXPORTED: dict[str, Any] = {
    "response_class": StreamingResponse,
    "responses": {
        200: {"content": {"application/jsonl": {}, "text/csv": {}}, "description": "All, oldest first."}
    },
}
"""The arguments with which such a route is declared."""


LINES_A_PART = 200
"""Lines of an export that go out together."""


def exported(
    access: Access, table: Table, configuration: UUID | None, form: ExportFormat
) -> StreamingResponse:
    """Return all rows of a table that are within reach, oldest first, as they are read."""
    rows = stream(access.installation.engine, table, configurations=access.within(configuration))
    lines = csv_lines(rows, table) if form is ExportFormat.CSV else json_lines(rows)
    media_type = "text/csv; charset=utf-8" if form is ExportFormat.CSV else "application/jsonl"
    name = f"{table.name.replace('_', '-')}s.{form.value}"
    # Each part that is sent costs a change of threads.
    parts = (b"".join(some) for some in batched(lines, LINES_A_PART))
    return StreamingResponse(
        parts, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )

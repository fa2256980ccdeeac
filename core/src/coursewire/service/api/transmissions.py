"""``/transmissions``: every attempt, and its export."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query
from fastapi.responses import StreamingResponse
from more_itertools import batched
from pydantic import BaseModel, Field

from coursewire.audit import transmissions
from coursewire.audit.export import csv_lines, json_lines
from coursewire.model.payload import Kind
from coursewire.service.api.records import within
from coursewire.service.guard import GuardedRouter, Reach, needs
from coursewire.service.paging import API, After, Limit, Page, cursor_of, keys_of
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{API}/transmissions", tags=["transmissions"])

READ = Annotated[Reach, needs(Right.READ)]

LINES_A_PART = 200
"""Lines of an export that go out together."""
Text = Annotated[str | None, Query(max_length=255)]


class TransmissionOut(BaseModel):
    """One attempt for one item."""

    id: int
    configuration: UUID
    kind: str
    item: str = Field(description="Content key, or key of the outcome's record.")
    operation: str
    result: str
    reason: str | None
    message: str | None
    fingerprint: str | None
    http_status: int | None
    excerpt: str | None = Field(description="The part of the answer that is about this item.")
    duration_ms: int | None
    batch: str | None
    batch_size: int | None
    job: UUID
    at: datetime


class Format(StrEnum):
    """Forms of an export."""

    JSONL = "jsonl"
    CSV = "csv"


@router.get("", summary="Attempts")
def list_transmissions(
    reach: READ,
    configuration: UUID | None = None,
    kind: Kind | None = None,
    item: Text = None,
    result: Text = None,
    job: UUID | None = None,
    since: datetime | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[TransmissionOut]:
    """Attempts, the newest first."""
    before = keys_of(after, int)
    rows = transmissions.history(
        reach.installation.engine,
        configurations=within(reach, configuration),
        kind=kind,
        item=item,
        result=result,
        job=job,
        since=since,
        before_id=before[0] if before else None,
        limit=limit + 1,
    )
    following = cursor_of(rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(items=[TransmissionOut(**row) for row in rows[:limit]], next=following)


@router.get(
    "/export",
    summary="Export",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/jsonl": {}, "text/csv": {}}, "description": "All, oldest first."}
    },
)
def export(
    reach: READ,
    configuration: UUID | None = None,
    format_: Annotated[Format, Query(alias="format")] = Format.JSONL,
) -> StreamingResponse:
    """The whole log, oldest first, as it is read."""
    rows = transmissions.stream(reach.installation.engine, configurations=within(reach, configuration))
    lines: Iterator[bytes] = csv_lines(rows) if format_ is Format.CSV else json_lines(rows)
    media_type = "text/csv; charset=utf-8" if format_ is Format.CSV else "application/jsonl"
    headers = {"Content-Disposition": f'attachment; filename="transmissions.{format_.value}"'}
    # Each part that is sent costs a change of threads.
    parts = (b"".join(some) for some in batched(lines, LINES_A_PART))
    return StreamingResponse(parts, media_type=media_type, headers=headers)

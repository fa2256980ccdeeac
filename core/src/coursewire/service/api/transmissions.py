"""``/transmissions``: every attempt, and its export."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from coursewire.model.kinds import Kind
from coursewire.service.api.exporting import EXPORTED, FormatIn, exported
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.paging import API, After, Limit, Page, cursor_of, keys_of
from coursewire.service.rights import Right
from coursewire.storage.audit import transmissions
from coursewire.storage.audit.export import ExportFormat
from coursewire.storage.tables.records import transmission

router = GuardedRouter(prefix=f"{API}/transmissions", tags=["transmissions"])

READ = Annotated[Access, needs(Right.READ)]
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


@router.get("", summary="Attempts")
def list_transmissions(
    access: READ,
    configuration: UUID | None = None,
    kind: Kind | None = None,
    item: Text = None,
    result: Text = None,
    job: UUID | None = None,
    since: datetime | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[TransmissionOut]:
    """List attempts, the newest first."""
    before = keys_of(after, int)
    rows = transmissions.history(
        access.installation.engine,
        configurations=access.within(configuration),
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


@router.get("/export", summary="Export", **EXPORTED)
def export(
    access: READ, configuration: UUID | None = None, format_: FormatIn = ExportFormat.JSONL
) -> StreamingResponse:
    """Export the whole log, oldest first, as it is read."""
    return exported(access, transmission, configuration, format_)

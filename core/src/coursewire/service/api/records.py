"""``/content-records`` and ``/outcome-records``: the records of what the LMSs hold; retry; why."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table

from coursewire.model.kinds import Kind
from coursewire.model.reasons import Surface
from coursewire.service.api.exporting import EXPORTED, FormatIn, exported
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.explanations import Explanations
from coursewire.service.paging import API, After, Limit, Page, cursor_of, keys_of
from coursewire.service.problems import Problem
from coursewire.service.rights import Right
from coursewire.storage.audit.export import ExportFormat
from coursewire.storage.audit.queries import page
from coursewire.storage.audit.requeue import FAILED_STATES
from coursewire.storage.audit.states import State
from coursewire.storage.tables.records import content_record, outcome_record

router = GuardedRouter(prefix=API, tags=["records"])

READ = Annotated[Access, needs(Right.READ)]
OPERATE = Annotated[Access, needs(Right.OPERATE)]
Reason = Annotated[str | None, Query(max_length=60)]
Search = Annotated[
    str, Query(max_length=255, description="The beginning of a key or name, letter by letter.")
]


class RecordOut(BaseModel):
    """The members that records of every kind have."""

    configuration: UUID
    state: State
    operation: str | None = Field(description="What is still to be done at the LMS.")
    present: bool = Field(description="The LMS holds it, or may hold it.")
    remote_key: str
    remote_id: str | None
    attempts: int
    reason: str | None
    explanation: str = Field(description="The reason in words, with the next step.")
    message: str | None
    not_before_at: datetime | None
    attempted_at: datetime | None
    confirmed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ContentRecordOut(RecordOut):
    """The record of what an LMS holds of one content item."""

    content_key: str
    content_type: str
    title: str


class OutcomeRecordOut(RecordOut):
    """The record of what an LMS was told of one outcome."""

    outcome_key: str
    kind: Kind
    enrollment: str
    course_key: str
    subsection: str
    username: str


@router.get("/content-records", summary="What the LMSs hold")
def list_content_records(
    access: READ,
    configuration: UUID | None = None,
    state: State | None = None,
    reason: Reason = None,
    search: Search = "",
    after: After = None,
    limit: Limit = 50,
) -> Page[ContentRecordOut]:
    """List content records, the newest first."""
    equal = {"state": state.value if state else None, "reason": reason}
    rows, following = record_page(
        access, content_record, configuration, equal, (search, ("content_key",)), after, limit
    )
    return Page(items=[ContentRecordOut(**row) for row in rows], next=following)


@router.get("/content-records/export", summary="Export", **EXPORTED)
def export_content_records(
    access: READ, configuration: UUID | None = None, format_: FormatIn = ExportFormat.JSONL
) -> StreamingResponse:
    """Export all content records, oldest first, as they are read."""
    return exported(access, content_record, configuration, format_)


@router.get("/outcome-records/export", summary="Export", **EXPORTED)
def export_outcome_records(
    access: READ, configuration: UUID | None = None, format_: FormatIn = ExportFormat.JSONL
) -> StreamingResponse:
    """Export all outcome records, oldest first, as they are read. They name learners."""
    return exported(access, outcome_record, configuration, format_)


@router.get("/outcome-records", summary="What the LMSs were told")
def list_outcome_records(
    access: READ,
    configuration: UUID | None = None,
    kind: Kind | None = None,
    state: State | None = None,
    reason: Reason = None,
    search: Search = "",
    after: After = None,
    limit: Limit = 50,
) -> Page[OutcomeRecordOut]:
    """List outcome records, the newest first; ``search`` looks among usernames and course keys."""
    equal = {
        "state": state.value if state else None,
        "reason": reason,
        "kind": kind.value if kind else None,
    }
    searched = (search, ("username", "course_key"))
    rows, following = record_page(access, outcome_record, configuration, equal, searched, after, limit)
    return Page(items=[OutcomeRecordOut(**row) for row in rows], next=following)


def record_page(
    access: Access,
    table: Table,
    configuration: UUID | None,
    equal: dict[str, Any],
    searched: tuple[str, tuple[str, ...]],
    after: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """Return one page of records with their reasons in words, and the cursor of the next one; None at the end."""
    before = keys_of(after, int)
    rows = page(
        access.installation.engine,
        table,
        configurations=access.within(configuration),
        equal=equal,
        search=searched[0],
        search_in=searched[1],
        before_id=before[0] if before else None,
        limit=limit + 1,
    )
    following = cursor_of(rows[limit - 1]["id"]) if len(rows) > limit else None
    explanations = Explanations(access)
    for row in rows[:limit]:
        row["words"] = explanations.of(row["configuration"], row["reason"] or "")
        row["explanation"] = " ".join(filter(None, row["words"]))
    return rows[:limit], following


class Retry(BaseModel):
    """The items that the next run shall try again."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Kind.CONTENT
    keys: list[str] | None = Field(
        default=None, max_length=10_000, description="These; all in `states` without it."
    )
    states: list[State] = Field(default=list(FAILED_STATES), min_length=1)
    reason: str = Field(default="", max_length=255, description="Why; kept with each item.")


class Retried(BaseModel):
    """The number of items that go again."""

    released: int


@router.post("/configurations/{uuid}/retry", summary="Try again")
def retry(uuid: UUID, body: Retry, access: OPERATE) -> Retried:
    """Let the next run try items again, without pause and even if the LMS refused them before."""
    found = access.configuration(uuid)
    count = access.host.retry(
        found.uuid,
        body.kind,
        states=body.states,
        keys=body.keys,
        actor=access.caller.name,
        reason=body.reason,
    )
    return Retried(released=count)


@router.get("/configurations/{uuid}/why", summary="Why it is sent or not")
async def why(
    uuid: UUID,
    access: READ,
    item: Annotated[str | None, Query(max_length=255, description="A content key.")] = None,
    learner: Annotated[str | None, Query(max_length=255)] = None,
    course: Annotated[str | None, Query(max_length=255)] = None,
    kind: Annotated[Kind, Query(description="Of the outcomes.")] = Kind.COMPLETIONS,
) -> list[dict[str, Any]]:
    """Show every decision on the way of an item, or of a learner's outcomes in a course, in the order of a run."""
    found = await asyncio.to_thread(access.configuration, uuid)
    if item is not None and learner is None and course is None:
        return await access.host.why(found, item=item, on=Surface.CONSOLE)
    if item is None and learner and course and kind.is_outcome:
        return await access.host.why(found, learner=learner, course=course, kind=kind, on=Surface.CONSOLE)
    raise Problem(
        422, "it is not said what is meant", "Give item, or learner and course with a kind of outcome."
    )

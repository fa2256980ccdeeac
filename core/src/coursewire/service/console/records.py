"""The pages of records, of transmissions, and of the whole history of one item."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Form, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.errors import CoursewireError
from coursewire.model.kinds import Kind
from coursewire.model.payload import ResultKind
from coursewire.model.reasons import Surface
from coursewire.service.api.records import record_page
from coursewire.service.api.transmissions import list_transmissions
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.console.site import CONSOLE, go, render
from coursewire.service.console.words import colour_of
from coursewire.service.paging import API
from coursewire.service.problems import Problem
from coursewire.service.rights import Right
from coursewire.storage.audit import transmissions
from coursewire.storage.audit.records import OutcomeRecord, Record
from coursewire.storage.audit.requeue import FAILED_STATES
from coursewire.storage.audit.states import State
from coursewire.storage.tables.records import content_record, outcome_record

router = GuardedRouter(prefix=CONSOLE, include_in_schema=False)

READ = Annotated[Access, needs(Right.READ)]
Text = Annotated[str, Query(max_length=255)]
After = Annotated[str | None, Query(max_length=1000)]

ATTEMPTS = 200
RETRYABLE = (*FAILED_STATES, State.PLANNED)


@router.get("/records")
def records(
    request: Request,
    access: READ,
    what: Text = "content",
    configuration: Text = "",
    state: Text = "",
    search: Text = "",
    after: After = None,
) -> Response:
    """Show the list, with its filters."""
    if state and state not in set(State):
        raise Problem(422, f"there is no state {state!r}")
    table, searched = (
        (outcome_record, ("username", "course_key"))
        if what == "outcomes"
        else (content_record, ("content_key",))
    )
    rows, following = record_page(
        access, table, _uuid(configuration), {"state": state or None}, (search, searched), after, 50
    )
    for row in rows:
        row["colour"] = colour_of(row["state"])
    return render(
        request,
        "records.html",
        caller=access.caller,
        what="outcomes" if what == "outcomes" else "content",
        rows=rows,
        following=following,
        names=_names(access),
        states=[each.value for each in State],
        chosen={"configuration": configuration, "state": state, "search": search},
    )


@router.get("/transmissions")
def all_transmissions(
    request: Request,
    access: READ,
    configuration: Text = "",
    result: Text = "",
    item: Text = "",
    job: Text = "",
    after: After = None,
) -> Response:
    """Show the list, with its filters."""
    found = list_transmissions(
        access,
        configuration=_uuid(configuration),
        result=result or None,
        item=item or None,
        job=_uuid(job),
        after=after,
        limit=50,
    )
    return render(
        request,
        "transmissions.html",
        caller=access.caller,
        api=API,
        rows=[{**row.model_dump(), "colour": colour_of(row.result)} for row in found.items],
        following=found.next,
        names=_names(access),
        results=[each.value for each in ResultKind],
        chosen={"configuration": configuration, "result": result, "item": item, "job": job},
    )


@router.get("/configurations/{uuid}/{kind}/item")
async def item(
    uuid: UUID, kind: Kind, request: Request, access: READ, key: Annotated[str, Query(max_length=255)] = ""
) -> Response:
    """Show everything about one item: how it stands, why, every attempt, and what the LMS confirmed."""
    configuration = await run_in_threadpool(access.configuration, uuid)
    stored = access.host.records(uuid, kind)
    record: Record | None = (await asyncio.to_thread(stored.fetch, [key])).get(key)
    attempts = await asyncio.to_thread(
        transmissions.history,
        access.installation.engine,
        configurations=[uuid],
        kind=kind,
        item=key,
        limit=ATTEMPTS,
    )
    held = (await asyncio.to_thread(stored.confirmed_payloads, [key])).get(key)
    told, why_not = None, ""
    try:
        told = await _why(access, configuration, kind, key, record)
    except CoursewireError as error:
        why_not = str(error)
    title = getattr(record, "title", "") or (told["title"] if told else "") or _learner(record) or key
    return render(
        request,
        "item.html",
        caller=access.caller,
        uuid=uuid,
        name=configuration.display_name,
        kind=kind.value,
        key=key,
        title=title,
        record=record,
        colour=colour_of(record.state) if record else "",
        own=access.installation.channels.reasons_of(configuration.channel),
        facts=_facts(record) if record else [],
        may_retry=record is not None
        and record.state in RETRYABLE
        and access.caller.may(Right.OPERATE, configuration.customer),
        steps=told["decisions"] if told else [],
        answer=told["answer"] if told else None,
        operation=told["operation"] if told else None,
        why_not=why_not or "Nothing more is known.",
        attempts=[{**row, "colour": colour_of(row["result"])} for row in attempts],
        payload=orjson.dumps(held, option=orjson.OPT_INDENT_2).decode() if held else "",
    )


@router.post("/configurations/{uuid}/{kind}/retry")
def retry(
    uuid: UUID,
    kind: Kind,
    request: Request,
    access: Annotated[Access, needs(Right.OPERATE)],
    key: Annotated[str, Form(max_length=255)],
    reason: Annotated[str, Form(max_length=255)] = "",
) -> Response:
    """Let the next run try one item again."""
    configuration = access.configuration(uuid)
    access.host.retry(
        configuration.uuid, kind, states=RETRYABLE, keys=[key], actor=access.caller.name, reason=reason
    )
    return go(request, f"/configurations/{uuid}/plan/{kind.value}")


async def _why(
    access: Access, configuration: Any, kind: Kind, key: str, record: Record | None
) -> dict[str, Any] | None:
    if not kind.is_outcome:
        (told,) = await access.host.why(configuration, item=key, on=Surface.CONSOLE)
        return told
    if not isinstance(record, OutcomeRecord):
        return None
    told_of_all = await access.host.why(
        configuration, learner=record.username, course=record.course_key, kind=kind, on=Surface.CONSOLE
    )
    return next((each for each in told_of_all if each["key"] == key), None)


def _facts(record: Record) -> list[tuple[str, Any]]:
    return [
        ("learner", getattr(record, "username", "")),
        ("course", getattr(record, "course_key", "")),
        ("subsection", getattr(record, "subsection", "")),
        ("pending", record.operation.value if record.operation else ""),
        ("remote key", record.remote_key),
        ("remote id", record.remote_id),
        ("attempts", record.attempts),
        ("catalogs", ", ".join(getattr(record, "catalogs", ()))),
    ]


def _learner(record: Record | None) -> str:
    return " · ".join(filter(None, (getattr(record, "username", ""), getattr(record, "course_key", ""))))


def _names(access: Access) -> dict[UUID, str]:
    return {each.uuid: each.display_name for each in access.configurations()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Problem(422, f"{text[:40]!r} is no id") from None

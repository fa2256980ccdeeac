"""The page of a configuration's plan: item by item, with what changed, and the guard's question."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.model.kinds import Kind
from coursewire.pipeline.plan import PlanItem
from coursewire.pipeline.selection import RunRequest
from coursewire.service.api.jobs import find_plan
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.console.site import CONSOLE, render
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{CONSOLE}/configurations", include_in_schema=False)

SHOWN = 200
LONGEST_VALUE = 400
NOTHING = "–"


@router.get("/{uuid}/plan/{kind}")
async def plan(
    uuid: UUID, kind: Kind, request: Request, access: Annotated[Access, needs(Right.READ)]
) -> Response:
    """Show the page."""
    configuration = await run_in_threadpool(access.configuration, uuid)
    loaded = access.installation.channels.get(configuration.channel)
    kinds = [each for each in Kind if loaded.channel.capabilities.takes(each)]
    found = await find_plan(access, configuration, RunRequest(kind), most=SHOWN)
    updated = [item.key for item in found.items if item.fields]
    held = await asyncio.to_thread(access.host.records(uuid, kind).confirmed_payloads, updated)
    items = [
        {**shown.model_dump(), "changes": _changes(item, held.get(item.key, {}))}
        for shown, item in zip(found.summary.items, found.items, strict=True)
    ]
    return render(
        request,
        "plan.html",
        caller=access.caller,
        uuid=uuid,
        name=configuration.display_name,
        kind=kind.value,
        kinds=[each.value for each in kinds],
        own=loaded.channel.reasons,
        plan={**found.summary.model_dump(), "items": items},
        may_start=configuration.active and access.caller.may(Right.OPERATE, configuration.customer),
    )


def _changes(item: PlanItem, held: dict[str, Any]) -> list[dict[str, str]]:
    wanted = item.payload if isinstance(item.payload, dict) else {}
    return [
        {"path": path, "old": value_at(held, path), "new": value_at(wanted, path)} for path in item.fields
    ]


def value_at(data: Any, path: str) -> str:
    """Return the value at a path such as ``title[0].value``, as text; :data:`NOTHING` where there is none."""
    for part in path.replace("[", ".[").split("."):
        try:
            data = data[int(part[1:-1])] if part.startswith("[") else data[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return NOTHING
    return str(data)[:LONGEST_VALUE]

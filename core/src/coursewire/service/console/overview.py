"""The first page: customers and their channels, with health and last runs, and attempts over time."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.service.authorization import Access, GuardedRouter, needs, public
from coursewire.service.console.site import CONSOLE, home_of, render
from coursewire.service.rights import Right
from coursewire.service.stats import Stats

router = GuardedRouter(include_in_schema=False)

DAYS = 14


@router.get("/")
@public
def front(request: Request) -> Response:
    """Lead to the console."""
    return RedirectResponse(f"{home_of(request)}/")


@router.get(CONSOLE)
@public
def without_slash(request: Request) -> Response:
    """Lead to the first page, by a path and never by the Host header."""
    return RedirectResponse(f"{home_of(request)}/")


@router.get(f"{CONSOLE}/")
async def overview(request: Request, access: Annotated[Access, needs(Right.READ)]) -> Response:
    """Show the page."""
    stats: Stats = request.app.state.stats
    configurations = await run_in_threadpool(access.configurations)
    names = await stats.customer_names({each.customer for each in configurations})
    counts = await stats.standing()
    columns = await stats.traffic(
        None if access.customers is None else [each.uuid for each in configurations], DAYS
    )
    channels = {each.channel.code: each.channel.title for each in access.installation.channels}
    rows: list[dict[str, Any]] = []
    for each in configurations:
        found = counts[each.uuid]
        health, words = found.health(each)
        rows.append(
            {
                "uuid": each.uuid,
                "name": each.display_name,
                "customer_name": names[each.customer],
                "channel_title": channels.get(each.channel, f"{each.channel} (not installed)"),
                "present": found.present,
                "waiting": found.waiting,
                "skipped": found.skipped,
                "failed": found.failed,
                "in_doubt": found.in_doubt,
                "health": health,
                "health_text": words,
                "last_run": found.last_run,
            }
        )
    return render(request, "overview.html", caller=access.caller, rows=rows, columns=columns)

"""The pages of jobs: the list, and one job with its progress."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.model.kinds import Kind
from coursewire.pipeline.selection import RunRequest
from coursewire.service.api.jobs import list_jobs, show_job
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.console.site import CONSOLE, go, render
from coursewire.service.console.words import colour_of
from coursewire.service.problems import Problem
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{CONSOLE}/jobs", include_in_schema=False)

READ = Annotated[Access, needs(Right.READ)]
OPERATE = Annotated[Access, needs(Right.OPERATE)]
UNDER_WAY = ("waiting", "running")


@router.get("")
def jobs(
    request: Request, access: READ, after: Annotated[str | None, Query(max_length=1000)] = None
) -> Response:
    """List the jobs."""
    found = list_jobs(access, after=after, limit=50)
    rows = [{**job.model_dump(), "colour": colour_of(job.state)} for job in found.items]
    names = {each.uuid: each.display_name for each in access.configurations()}
    return render(
        request,
        "jobs.html",
        caller=access.caller,
        jobs=rows,
        names=names,
        following=found.next,
        first=after is None,
    )


@router.get("/{uuid}")
def job(uuid: UUID, request: Request, access: READ) -> Response:
    """Show one job."""
    return render(request, "job.html", caller=access.caller, **_job(uuid, access))


@router.get("/{uuid}/part")
def part(uuid: UUID, request: Request, access: READ) -> Response:
    """Show the part of a job's page that changes while it runs."""
    return render(request, "job_part.html", caller=access.caller, **_job(uuid, access))


@router.post("")
async def start(
    request: Request,
    access: OPERATE,
    configuration: Annotated[UUID, Form()],
    kind: Annotated[Kind, Form()],
    confirm_retire: Annotated[int | None, Form(ge=0)] = None,
) -> Response:
    """Start a job, and show it."""
    found = await run_in_threadpool(access.configuration, configuration)
    asked = RunRequest(kind, confirm_retire=confirm_retire, actor=access.caller.name)
    started = await access.host.start(asked, found)
    return go(request, f"/jobs/{started.job.uuid}")


@router.post("/{uuid}/stop")
def stop(uuid: UUID, request: Request, access: OPERATE) -> Response:
    """Let a job end after the requests under way."""
    watched = access.host.background.find(uuid)
    if watched is None:
        raise Problem(404, f"there is no job {uuid}", "No such job runs in this process.")
    access.configuration_of_job(uuid, watched.job.configuration.uuid)
    access.host.stop(uuid)
    return go(request, f"/jobs/{uuid}")


def _job(uuid: UUID, access: Access) -> dict[str, Any]:
    found = show_job(uuid, access)
    configuration = access.configuration_of_job(uuid, found.configuration)
    # A job of this process may have ended without a row; one of another process has only its row.
    state = found.progress.state if found.progress and found.progress.state in UNDER_WAY else found.state
    return {
        "job": {**found.model_dump(), "state": state, "colour": colour_of(state)},
        "progress": found.progress,
        "running": state in UNDER_WAY,
        "name": configuration.display_name,
        "own": access.installation.channels.reasons_of(configuration.channel),
    }

"""The way to the LMS's page on which its administrator gives access, and back with the code."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.inbound.code_grants import CodeGrants
from coursewire.service.authorization import SESSION_COOKIE, Access, GuardedRouter, needs
from coursewire.service.console.site import CONSOLE, address_of, go, render
from coursewire.service.problems import Problem
from coursewire.service.rights import Right

router = GuardedRouter(prefix=CONSOLE, include_in_schema=False)

ADMINISTER = Annotated[Access, needs(Right.ADMINISTER)]
BACK = f"{CONSOLE}/connected"


@router.post("/configurations/{uuid}/connect")
async def connect(uuid: UUID, request: Request, access: ADMINISTER) -> Response:
    """Lead to the LMS's page, by a link: a form of ours may lead nowhere else."""
    found = await run_in_threadpool(access.configuration, uuid)
    grants = CodeGrants(access.installation)
    url = await run_in_threadpool(
        grants.start, uuid, session=_session(request), redirect_uri=redirect_uri(request)
    )
    channel = access.installation.channels.get(found.channel).channel
    return render(
        request,
        "connect.html",
        caller=access.caller,
        url=url,
        uuid=uuid,
        name=found.display_name,
        title=channel.title,
        redirect=redirect_uri(request),
    )


@router.get("/connected")
async def connected(request: Request, access: ADMINISTER) -> Response:
    """Take what the LMS sent the browser back with. What went wrong is a page with the next step."""
    found = await CodeGrants(access.installation).finish(
        dict(request.query_params), session=_session(request), actor=access.caller.name
    )
    return go(request, f"/configurations/{found.uuid}?note=connected")


def redirect_uri(request: Request) -> str:
    """Return the address to which the LMS sends the browser; the one that is registered there must be the same."""
    return f"{address_of(request)}{BACK}"


def _session(request: Request) -> str:
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        raise Problem(403, "this is for people who are signed in here", "A token has the REST API for it.")
    return cookie

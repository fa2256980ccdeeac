"""The page of learners whose results wait for an id."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Form, Query, Response
from starlette.requests import Request

from coursewire.service.api.learners import LinkIn, link_learner, unmatched_page
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.console.site import CONSOLE, go, render
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{CONSOLE}/learners", include_in_schema=False)


@router.get("")
def learners(
    request: Request,
    access: Annotated[Access, needs(Right.READ)],
    after: Annotated[str | None, Query(max_length=1000)] = None,
    linked: Annotated[str, Query(max_length=255)] = "",
) -> Response:
    """List the learners."""
    found, following = unmatched_page(access, None, after, 50)
    rows: list[dict[str, Any]] = [
        {
            "configuration": configuration,
            "one": one,
            "may_link": access.caller.may(Right.OPERATE, configuration.customer),
        }
        for configuration, one in found
    ]
    done = f"{linked} is linked; the next run sends what waits." if linked else ""
    return render(request, "learners.html", caller=access.caller, rows=rows, following=following, done=done)


@router.post("/link")
def link(
    request: Request,
    access: Annotated[Access, needs(Right.OPERATE)],
    configuration: Annotated[UUID, Form()],
    learner: Annotated[str, Form(min_length=1, max_length=255)],
    remote_id: Annotated[str, Form(min_length=1, max_length=255)],
) -> Response:
    """Say which id a learner has at an LMS."""
    link_learner(configuration, learner, LinkIn(remote_id=remote_id), access)
    return go(request, f"/learners?linked={quote(learner)}")

"""The routes of channels that the LMS, or its learners, may call, below ``/channels/<code>``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from coursewire.inbound.desk import Caller, Inbound, Mounted, customer_of, refuse
from coursewire.model.inbound import InboundAnswer, InboundRequest
from coursewire.service.authorization import SESSION_COOKIE, GuardedRouter, public
from coursewire.service.console.site import address_of, root_of
from coursewire.service.problems import MEDIA_TYPE
from coursewire.service.rate import INBOUND, address
from coursewire.service.rights import Right

if TYPE_CHECKING:
    from coursewire.installation import Installation

LearnerOf = Callable[[Request], str | Awaitable[str]]
"""Tells who is signed in at the platform that this service belongs to: a username, "" for nobody. It runs in the
event loop, so that one that asks a database is a coroutine function."""

CREDENTIALS = ("authorization", "cookie")


def nobody(_request: Request) -> str:
    """Return "": without a platform nobody is signed in as a learner."""
    return ""


def header_learner(name: str) -> LearnerOf:
    """Return the learner whom a proxy names in a header, having checked the session of the platform.

    Only a proxy may be able to reach the service then: whoever else sets the header is believed as well.
    """
    return lambda request: request.headers.get(name, "")


def router(installation: Installation, learner_of: LearnerOf) -> GuardedRouter:
    """Return the routes of all installed channels.

    Args:
        installation: The installation, whose channels are served.
        learner_of: Says which learner is calling.
    """
    inbound = Inbound(installation)
    found = GuardedRouter(tags=["inbound"])
    for mounted in inbound.routes():
        found.add_api_route(
            mounted.path,
            _endpoint(inbound, mounted, learner_of),
            methods=[mounted.route.method],
            summary=mounted.route.summary or None,
            openapi_extra={"parameters": _path_parameters(mounted.path)},
            operation_id=f"{mounted.channel.channel.code.lower()} {mounted.route.method} {mounted.route.path}",
            response_class=Response,
            responses={
                "default": {
                    "description": "As the LMS expects it; errors are problems.",
                    "content": {MEDIA_TYPE: {}, "application/json": {}, "text/html": {}},
                }
            },
        )
    return found


def _path_parameters(path: str) -> list[dict[str, object]]:
    """Return the parameters of a path for the OpenAPI document."""
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)(?::\w+)?\}", path)
    ]


def _endpoint(inbound: Inbound, mounted: Mounted, learner_of: LearnerOf) -> Any:
    @public  # who may call is the route's own declaration, looked at below
    async def call(request: Request) -> Response:
        state = request.app.state
        state.rates.demand(INBOUND, f"inbound {mounted.path}", address(request))
        route = mounted.route
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > route.max_body_bytes:
            return _response(InboundAnswer.problem(413, "The body is too large"))
        caller = await _caller(request, learner_of)
        values = {name: str(value) for name, value in request.path_params.items()}
        query = tuple(request.query_params.multi_items())
        asked = InboundRequest(
            method=request.method,
            url=address_of(request) + request.url.path.removeprefix(root_of(request)),
            path=values,
            query=query,
            headers={name: value for name, value in request.headers.items() if name not in CREDENTIALS},
            body=await request.body(),
            customer=customer_of(route, values, query),
            learner=caller.learner if caller else "",
        )
        refusal = refuse(route, asked, caller)
        return _response(refusal or await inbound.answer(mounted, asked))

    return call


async def _caller(request: Request, learner_of: LearnerOf) -> Caller | None:
    """Return the caller: by API token, by session of the console, or as a learner of the platform."""
    state = request.app.state
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    known = None
    if scheme.lower() == "bearer" and token:
        known = await run_in_threadpool(state.tokens.caller, token.strip())
    elif (cookie := request.cookies.get(SESSION_COOKIE)) and request.method == "GET":
        known = await run_in_threadpool(state.accounts.caller, cookie)
    told = learner_of(request)
    learner = await told if inspect.isawaitable(told) else told
    if known is None:
        return Caller(learner=learner) if learner else None
    fetch, read = known.customers(Right.FETCH), known.customers(Right.READ)
    customers = None if fetch is None or read is None else fetch | read
    return Caller(customers=customers, learner=learner)


def _response(answer: InboundAnswer) -> Response:
    headers = dict(answer.headers)
    return Response(answer.body, answer.status, headers, answer.media_type)

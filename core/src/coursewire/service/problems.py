"""Errors as RFC 9457 writes them: ``application/problem+json`` with what, where, why and the next step."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from coursewire import errors
from coursewire.service.headers import SAFE

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

LOG = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "What failed."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Why, as far as it is known."},
        "where": {"type": "string"},
        "next_step": {"type": "string", "description": "What the reader can do now."},
        "code": {"type": "string", "description": "Stable name of the kind of error."},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "Fields at fault."},
    },
}

STATUSES: tuple[tuple[type[errors.CoursewireError], int], ...] = (
    (errors.UnknownChannelError, 404),
    (errors.ConfigurationError, 422),
    (errors.GrantError, 422),
    (errors.LeaseHeldError, 409),
    (errors.GuardError, 409),
    (errors.SourceError, 503),
    (errors.DatabaseError, 503),
    (errors.SendError, 502),
)
"""The first class that fits decides; any other of our errors is a 500 whose words are for the operator."""


class Problem(Exception):  # noqa: N818 - it is an answer
    """An error that is answered as a problem."""

    def __init__(
        self, status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.more = status, title, detail, more
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the problem as it goes over the wire; empty members are left out."""
        body = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        body |= self.more
        filled = {name: value for name, value in body.items() if value not in ("", None)}
        return Response(orjson.dumps(filled), self.status, {**SAFE, **self.headers}, MEDIA_TYPE)


def of_error(error: errors.CoursewireError) -> Problem:
    """Return the problem that one of our errors is to a caller."""
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    more: dict[str, Any] = {"where": error.where, "next_step": error.next_step, "code": error.code}
    if isinstance(error, errors.ConfigurationError):
        faults = [{"field": name, "why": "it is missing"} for name in error.missing]
        faults += [{"field": name, "why": why} for name, why in error.incorrect.items()]
        more["errors"] = faults or None
    return Problem(status, error.what, error.why, **more)


def _methods_of(request: Request) -> set[str]:
    """Return the methods that the path of a request takes, over all routes that have it."""
    routes = request.app.routes
    fitting = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in fitting for method in getattr(route, "methods", None) or ()}


def install(app: FastAPI, *, page: Callable[[Request, Problem], Response | None]) -> None:
    """Let every error of the application leave as a problem.

    Args:
        app: The application.
        page: Gives the page that a person sees, None for a program.
    """

    def leave(request: Request, problem: Problem) -> Response:
        return page(request, problem) or problem.response()

    async def ours(request: Request, error: Any) -> Response:
        return leave(request, of_error(error))

    async def problem(request: Request, error: Any) -> Response:
        return leave(request, error)

    async def http(request: Request, error: Any) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(_methods_of(request)))
        return leave(request, Problem(error.status_code, str(error.detail), headers=headers))

    async def invalid(request: Request, error: Any) -> Response:
        # Without the input: it may hold a secret.
        faults = [{"field": ".".join(map(str, each["loc"])), "why": each["msg"]} for each in error.errors()]
        return leave(request, Problem(422, "the request cannot be understood", errors=faults))

    async def unexpected(request: Request, error: Any) -> Response:
        reference = uuid.uuid4().hex[:12]
        LOG.error("%s %s failed [%s]", request.method, request.url.path, reference, exc_info=error)
        step = f"It is a fault of Coursewire or of a plugin; its log tells more under {reference}."
        told = Problem(500, "this should not have happened", next_step=step, code="unexpected")
        return leave(request, told)

    app.add_exception_handler(errors.CoursewireError, ours)
    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unexpected)

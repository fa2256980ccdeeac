"""Authorization: the one layer that decides who may call what. A route that names no right cannot be made.

::

    router = GuardedRouter(prefix="/jobs")


    @router.get("/{uuid}")
    def show(uuid: UUID, reach: Annotated[Reach, needs(Right.READ)]) -> Job: ...

What a caller may not see is not there: 404, as for what does not exist.
"""

from __future__ import annotations

import hmac
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, params
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.errors import ConfigurationError
from coursewire.service.problems import MEDIA_TYPE, Problem
from coursewire.service.rights import Caller, Right

if TYPE_CHECKING:
    from coursewire.configurations.configuration import Configuration
    from coursewire.host import Host
    from coursewire.installation import Installation

SESSION_COOKIE = "coursewire_session"
CSRF_HEADER = "X-CSRF-Token"
HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
CHALLENGE = 'Bearer realm="coursewire"'

_bearer = HTTPBearer(auto_error=False, description="An API token: `coursewire access token`.")
_cookie = APIKeyCookie(name=SESSION_COOKIE, auto_error=False, description="The console's session.")


async def identify(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Caller | None:
    """Return the caller, by token or else by session; None for a stranger.

    Raises:
        Problem: 401 for a token that is not good; 403 for a change by a browser without its proof.
    """
    if bearer is not None:
        caller: Caller | None = await run_in_threadpool(request.app.state.tokens.caller, bearer.credentials)
        if caller is None:
            detail = "It is unknown, revoked or over."
            raise Problem(401, "the token is not good", detail, {"WWW-Authenticate": CHALLENGE})
        return caller
    if not cookie:
        return None
    caller = await run_in_threadpool(request.app.state.accounts.caller, cookie)
    if caller is not None and request.method not in HARMLESS:
        given = request.headers.get(CSRF_HEADER) or await _form_field(request)
        if not hmac.compare_digest(given.encode(), caller.csrf.encode()):
            raise Problem(403, "the form is too old", "Load the page again, and repeat what you did.")
    return caller


async def _form_field(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        return ""
    return str((await request.form()).get("csrf", ""))


@dataclass(frozen=True, slots=True)
class Access:
    """The access that a caller has by the right that a route needs.

    Attributes:
        caller: The caller.
        right: The right that the route needs.
        host: Does what is asked.
    """

    caller: Caller
    right: Right
    host: Host

    @property
    def installation(self) -> Installation:
        """The installation that is called."""
        return self.host.installation

    @property
    def customers(self) -> frozenset[str] | None:
        """The customers within reach; None for all."""
        return self.caller.customers(self.right)

    def holds(self, customer: str) -> bool:
        """Tell whether a customer is within reach."""
        return self.caller.may(self.right, customer)

    def demand_all(self) -> None:
        """Refuse who has the right for some customers only.

        Raises:
            Problem: 403.
        """
        if self.customers is not None:
            raise Problem(
                403, "this needs the right for all customers", f"The right is {self.right.value!r}."
            )

    def demand(self, customer: str) -> None:
        """Refuse a customer that is out of reach.

        Raises:
            Problem: 404, or 403 for one that the caller may see but not change.
        """
        if not self.holds(customer):
            raise self._refusal(customer, f"there is no customer {customer}")

    def configuration(self, uuid: UUID) -> Configuration:
        """Return a configuration within reach.

        Raises:
            Problem: 404, or 403 for one that the caller may see but not change.
        """
        missing = f"there is no configuration {uuid}"
        try:
            found = self.installation.configurations.get(uuid)
        except ConfigurationError as error:
            # Since when it is removed is for those who see all customers: whose it was is not looked at here.
            raise Problem(404, missing, error.why if self.customers is None else "") from None
        if not self.holds(found.customer):
            raise self._refusal(found.customer, missing)
        return found

    def configuration_of_job(self, job: UUID, configuration: UUID) -> Configuration:
        """Return the configuration of a job within reach.

        Raises:
            Problem: 404, which names the job only, so that nothing is told of another customer's configuration; or 403 for
                one that the caller may see but not change.
        """
        try:
            return self.configuration(configuration)
        except Problem as problem:
            if problem.status != 404:
                raise
        raise Problem(404, f"there is no job {job}")

    def configurations(
        self, *, channel: str | None = None, customer: str | None = None
    ) -> list[Configuration]:
        """Return all configurations within reach, oldest first."""
        found = self.installation.configurations.list(channel=channel, customer=customer)
        return [each for each in found if self.holds(each.customer)]

    def within(self, configuration: UUID | None) -> list[UUID] | None:
        """Return the ids of the configurations that a list is about; None for all there are.

        Raises:
            Problem: As for :meth:`configuration`.
        """
        if configuration is not None:
            return [self.configuration(configuration).uuid]
        return None if self.customers is None else [each.uuid for each in self.configurations()]

    def _refusal(self, customer: str, missing: str) -> Problem:
        if self.caller.may(Right.READ, customer):
            return Problem(
                403, f"{self.caller.name} may not do this", f"It needs the right {self.right.value!r}."
            )
        return Problem(404, missing)


def needs(right: Right) -> Any:
    """Return the dependency by which a route gets its :class:`Access`, for callers who have a right."""

    async def access(request: Request, caller: Annotated[Caller | None, Depends(identify)]) -> Access:
        if caller is None:
            detail = "Send an API token as a bearer, or sign in."
            raise Problem(401, "it is not known who asks", detail, {"WWW-Authenticate": CHALLENGE})
        if not caller.has(right):
            raise Problem(403, f"{caller.name} may not do this", f"It needs the right {right.value!r}.")
        return Access(caller, right, request.app.state.host)

    access.right = right  # type: ignore[attr-defined]  # read by right_of
    return Depends(access)


def public(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Mark an endpoint that anybody may call."""
    endpoint.is_public = True  # type: ignore[attr-defined]  # read by right_of
    return endpoint


def right_of(endpoint: Callable[..., Any]) -> Right | None:
    """Return the right that an endpoint needs; None for a public one.

    Raises:
        TypeError: It does not say; such a route must not be.
    """
    for parameter in inspect.signature(endpoint, eval_str=True).parameters.values():
        for each in (parameter.default, *get_args(parameter.annotation)[1:]):
            right = getattr(each.dependency, "right", None) if isinstance(each, params.Depends) else None
            if isinstance(right, Right):
                return right
    if getattr(endpoint, "is_public", False):
        return None
    raise TypeError(
        f"{endpoint.__module__}.{endpoint.__qualname__} does not say who may call it: "
        "give it Annotated[Reach, needs(...)], or mark it @public"
    )


_REFUSALS = {
    400: "The body cannot be read.",
    401: "It is not known who asks.",
    403: "The caller lacks the right.",
    404: "There is no such thing, or none within reach.",
    413: "The body is too large.",
    409: "Something else stands in the way: another change, another run, or the guard.",
    422: "The request cannot be understood, or a value cannot be used.",
    503: "The database or the source does not answer.",
}


class GuardedRoute(APIRoute):
    """A route that says who may call it, and documents the refusals that follow from that."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        right = right_of(endpoint)
        # Who is asked for nothing may still send a token that is no good.
        statuses = set(_REFUSALS) if right else {401, 422}
        responses = {
            status: {
                "description": _REFUSALS[status],
                "content": {MEDIA_TYPE: {"schema": {"$ref": PROBLEM_REF}}},
            }
            for status in statuses
        }
        options["responses"] = {**responses, **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)


PROBLEM_REF = "#/components/schemas/Problem"


class GuardedRouter(APIRouter):
    """A router whose routes all are guarded."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=GuardedRoute, **options)

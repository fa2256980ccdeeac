"""A stand-in for Degreed's API v1: tokens by scope, batches of courses, batches of completions.

The requests are those known to be taken. What Degreed answers is not documented any more: a batch is taken
whole or refused whole, and the refusal names what is at fault, unless it is told not to.
"""

from __future__ import annotations

import base64
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

import coursewire as cw
from coursewire.testing.simulator import json_response
from coursewire_degreed.simulated import (
    NEGOTIATED_CALLS,
    DegreedSimulator,
    JsonObject,
    RefusedError,
    read_form,
)
from coursewire_degreed.v1.client import COMPLETION_SCOPE, CONTENT_SCOPE
from coursewire_degreed.v1.config import DegreedV1Config

if TYPE_CHECKING:
    from collections.abc import Sequence

M = TypeVar("M", bound=BaseModel)

COURSES = "/api/v1/provider/content/course"
COMPLETIONS = "/api/v1/provider/completion/course"
LARGEST_BATCH = 500

_Filled = Annotated[str, Field(min_length=1)]


def _day(value: str) -> str:
    if len(value) != len("2026-01-01"):
        raise ValueError("write a day as yyyy-mm-dd")
    date.fromisoformat(value)
    return value


_Day = Annotated[str, AfterValidator(_day)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Course(_Strict):
    """A course as it is created or changed."""

    contentId: _Filled  # noqa: N815 - Degreed's names
    title: _Filled
    description: Annotated[str, Field(max_length=2000)] = ""
    imageUrl: str | None = None  # noqa: N815
    url: str | None = None
    language: str | None = None
    authors: list[str] | None = None
    categoryTags: list[str] | None = None  # noqa: N815
    videoUrl: str | None = None  # noqa: N815
    difficulty: str | None = None
    duration: float | None = None
    publishDate: _Day | None = None  # noqa: N815
    format: str | None = None
    institution: str | None = None
    costType: str | None = None  # noqa: N815


class CourseName(BaseModel):
    """A course as it is deleted: whatever else is said of it does not count."""

    contentId: _Filled  # noqa: N815


class CompletionName(_Strict):
    """A completion as it is taken back."""

    id: _Filled
    email: _Filled | None = None
    employeeId: _Filled | None = None  # noqa: N815
    completionDate: _Day | None = None  # noqa: N815


class Completion(CompletionName):
    """A completion as it is reported."""

    completionDate: _Day  # noqa: N815


class DegreedV1Simulator(DegreedSimulator):
    """One organisation by API v1.

    Attributes:
        name_refused: A refused batch says which item was at fault.
    """

    code: ClassVar[str] = DegreedV1Config.code
    all_scopes = (CONTENT_SCOPE, COMPLETION_SCOPE)

    company = "SIMULATED"
    provider = "EDX"
    user = "4711"
    password = "simulated-password-91"

    def __init__(
        self,
        *,
        clock: cw.Clock = cw.utc_now,
        keep_bodies: bool = True,
        calls_per_minute: int = NEGOTIATED_CALLS,
    ) -> None:
        super().__init__(clock=clock, keep_bodies=keep_bodies, calls_per_minute=calls_per_minute)
        self.name_refused = True

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the token endpoint, courses and completions."""
        return [
            web.post(self.token_paths[0], self._token),
            web.post(COURSES, self.api(CONTENT_SCOPE, self._put_courses)),
            web.delete(COURSES, self.api(CONTENT_SCOPE, self._delete_courses)),
            web.post(COMPLETIONS, self.api(COMPLETION_SCOPE, self._put_completions)),
            web.delete(COMPLETIONS, self.api(COMPLETION_SCOPE, self._delete_completions)),
        ]

    def sample_config(self) -> dict[str, Any]:
        """Return a configuration whose client, account and organisation this Degreed knows."""
        return {
            "key": self.client_id,
            "secret": self.client_secret,
            "degreed_company_id": self.company,
            "degreed_base_url": self.url,
            "degreed_user_id": self.user,
            "degreed_user_password": self.password,
            "provider_id": self.provider,
            "calls_per_minute": self.calls_per_minute,
        }

    # -- tokens ----------------------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        try:
            if request.headers.get("Authorization") != f"Basic {pair}":
                raise RefusedError(401, "unauthorized", "The client is unknown.")
            form = await read_form(request, "grant_type", "username", "password", "scope")
            if form["grant_type"] != "password":
                raise RefusedError(400, "bad-request", "The grant type is not password.")
            if (form["username"], form["password"]) != (self.user, self.password):
                raise RefusedError(401, "unauthorized", "The account is unknown.")
            return self.issue(frozenset({form["scope"]}))
        except RefusedError as refusal:
            return refusal.response()

    # -- courses ---------------------------------------------------------------------------------

    def _put_courses(self, _request: web.Request, body: JsonObject) -> web.Response:
        rows = self._rows(body, "courses", provider=True)
        courses = [self._valid(Course, row, "contentId") for row in rows]
        _demand_unique([course.contentId for course in courses])
        for course in courses:
            if self.is_poisoned(course.contentId):
                raise self._refusal("the course is not allowed here", {"contentId": course.contentId})
        for course in courses:
            self.items[course.contentId] = course.model_dump()
            self.arrivals[course.contentId] += 1
        return _taken(len(courses))

    def _delete_courses(self, _request: web.Request, body: JsonObject) -> web.Response:
        rows = self._rows(body, "courses", provider=True)
        names = [self._valid(CourseName, row, "contentId").contentId for row in rows]
        for name in names:
            if name not in self.items:
                raise self._refusal("the course could not be found", {"contentId": name}, status=404)
        for name in names:
            del self.items[name]
        return _taken(len(names))

    # -- completions -----------------------------------------------------------------------------

    def _put_completions(self, _request: web.Request, body: JsonObject) -> web.Response:
        rows = self._rows(body, "completions")
        completions = [self._valid(Completion, row, "id") for row in rows]
        for completion in completions:
            self._check(completion)
        for completion in completions:
            kept = completion.model_dump(exclude_none=True)
            self.completions[_name(completion)] = kept
            self.told(_name(completion), kept)
        return _taken(len(completions))

    def _delete_completions(self, _request: web.Request, body: JsonObject) -> web.Response:
        rows = self._rows(body, "completions")
        completions = [self._valid(CompletionName, row, "id") for row in rows]
        for completion in completions:
            self._check(completion)
            if _name(completion) not in self.completions:
                raise self._refusal("there is no such completion", _named(completion), status=404)
        for completion in completions:
            gone = self.completions.pop(_name(completion))
            self.told(_name(completion), {**gone, "deleted": True})
        return _taken(len(completions))

    def _check(self, completion: CompletionName) -> None:
        if (completion.email is None) is (completion.employeeId is None):
            raise self._refusal("one of email and employeeId is wanted", _named(completion))
        if not self.known(completion.email or completion.employeeId):
            raise self._refusal("the user is unknown", _named(completion))
        if self.is_poisoned(completion.email or completion.employeeId or "", completion.id):
            raise self._refusal("the completion is not allowed here", _named(completion))
        if completion.id not in self.items:
            raise self._refusal("the course is unknown", _named(completion))

    # -- batches ---------------------------------------------------------------------------------

    def _rows(self, body: JsonObject, field: str, *, provider: bool = False) -> list[Any]:
        """Return the items of a batch, whose envelope must be right."""
        rows = body.get(field)
        if set(body) != {field, "orgCode", *(("providerCode",) if provider else ())}:
            raise RefusedError(400, "bad-request", "The batch has other fields.")
        if body["orgCode"] != self.company or (provider and body["providerCode"] != self.provider):
            raise RefusedError(403, "forbidden", "The organisation or provider is another.")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise RefusedError(400, "bad-request", f"{field} is a list of objects.")
        if len(rows) > LARGEST_BATCH:
            raise RefusedError(413, "too-large", f"A batch has {LARGEST_BATCH} items at most.")
        return rows

    def _valid(self, model: type[M], row: JsonObject, name: str) -> M:
        try:
            return model.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            what = {field: row[field] for field in (name, "email", "employeeId") if field in row}
            raise self._refusal(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", what) from None

    def _refusal(self, detail: str, item: JsonObject, *, status: int = 400) -> RefusedError:
        code = "not-found" if status == 404 else "bad-request"
        refusal = RefusedError(status, code, detail)
        if self.name_refused:
            refusal.errors[0] |= item
        return refusal


def _demand_unique(names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise RefusedError(400, "bad-request", "A course is in the batch twice.")


def _named(completion: CompletionName) -> JsonObject:
    return completion.model_dump(exclude_none=True, exclude={"completionDate"})


def _name(completion: CompletionName) -> str:
    return f"{completion.email or completion.employeeId} {completion.id}"


def _taken(count: int) -> web.Response:
    return json_response({"status": "success", "count": count})

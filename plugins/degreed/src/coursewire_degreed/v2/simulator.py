"""A stand-in for Degreed's API v2: tokens, courses with their skills, and completions.

Behaviour is that of https://developer.degreed.com (2026) and of the payloads known to arrive. It is stricter
where nothing is known: an unknown attribute, or one of a wrong type, is refused.
"""

from __future__ import annotations

import itertools
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

import coursewire as cw
from coursewire.testing.simulator import json_response
from coursewire_degreed.simulated import (
    NEGOTIATED_CALLS,
    DegreedSimulator,
    JsonObject,
    RefusedError,
    read_form,
)
from coursewire_degreed.v2.client import COURSES
from coursewire_degreed.v2.config import COMPLETION_SCOPES, CONTENT_SCOPES, Degreed2Config
from coursewire_degreed.v2.content import TYPE
from coursewire_degreed.v2.outcomes import COMPLETIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

USUAL_PAGE, LARGEST_PAGE = 100, 1000

M = TypeVar("M", bound=BaseModel)

_Filled = Annotated[str, Field(min_length=1)]


def _hyphens(name: str) -> str:
    return name.replace("_", "-")


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _instant(value: Any) -> Any:
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00:00"):
        raise ValueError("a date and a time are wanted")
    datetime.fromisoformat(value)
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=_hyphens)


class Course(_Strict):
    """The attributes of a course."""

    title: _Filled
    external_id: _Filled
    duration: Annotated[int, Field(ge=0)]
    duration_type: Literal["Seconds", "Minutes", "Hours", "Days"]
    provider_code: str | None = None
    cost_units: Annotated[int, Field(ge=0)] | None = None
    cost_unit_type: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    format: str | None = None
    difficulty: str | None = None
    video_url: str | None = None
    summary: Annotated[str, Field(max_length=2000)] | None = None
    url: str | None = None
    obsolete: bool = False
    image_url: str | None = None
    language: str | None = None


class Completion(_Strict):
    """The attributes of a completion."""

    user_id: _Filled
    user_identifier_type: Literal["UserId", "Email", "EmployeeId", "AliasUid", "AliasEmail"]
    content_id: _Filled
    content_id_type: Annotated[Literal["externalid", "id", "contenturl"], BeforeValidator(_lower)]
    content_type: Annotated[Literal["article", "book", "course", "event", "video"], BeforeValidator(_lower)]
    completed_at: Annotated[str, BeforeValidator(_instant)]
    is_verified: bool | None = None
    percentile: Annotated[float, Field(ge=0, le=100)] | None = None


class Degreed2Simulator(DegreedSimulator):
    """One organisation by API v2.

    Attributes:
        courses: By Degreed's own id: ``attributes``, and ``skills`` as names.
        unknown_skills: Names that Degreed refuses.
    """

    code: ClassVar[str] = Degreed2Config.code
    all_scopes = (*CONTENT_SCOPES, *COMPLETION_SCOPES)

    def __init__(
        self,
        *,
        clock: cw.Clock = cw.utc_now,
        keep_bodies: bool = True,
        calls_per_minute: int = NEGOTIATED_CALLS,
    ) -> None:
        super().__init__(clock=clock, keep_bodies=keep_bodies, calls_per_minute=calls_per_minute)
        self.courses: dict[str, JsonObject] = {}
        self.unknown_skills: set[str] = set()
        self._urls: dict[str, str] = {}
        self._ids = itertools.count(1001)
        self._snapshots: dict[str, tuple[int, list[JsonObject]]] = {}

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the token endpoint, courses, skills and completions."""
        read, write, complete = "content:read", "content:write", "completions:write"
        return [
            web.post(self.token_paths[0], self._token),
            web.get(COURSES, self.api(read, self._list_courses)),
            web.post(COURSES, self.api(write, self._create_course)),
            web.get(f"{COURSES}/{{id}}", self.api(read, self._show_course)),
            web.patch(f"{COURSES}/{{id}}", self.api(write, self._change_course)),
            web.delete(f"{COURSES}/{{id}}", self.api(write, self._delete_course)),
            web.patch("/api/v2/content/{id}/relationships/skills", self.api(write, self._set_skills)),
            web.post(COMPLETIONS, self.api(complete, self._create_completion)),
            web.patch(f"{COMPLETIONS}/{{id}}", self.api(complete, self._change_completion)),
            web.delete(f"{COMPLETIONS}/{{id}}", self.api(complete, self._delete_completion)),
        ]

    def sample_config(self) -> dict[str, Any]:
        """Return a configuration whose API key this Degreed knows."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "degreed_base_url": self.url,
            "calls_per_minute": self.calls_per_minute,
        }

    def reset(self) -> None:
        """Forget courses, completions, requests and the window of calls; tokens stay good."""
        super().reset()
        self.courses.clear()
        self._urls.clear()
        self._snapshots.clear()

    def lose(self, key: str) -> None:
        """Let somebody delete a course."""
        if key in self.items:
            self._forget(self.items[key]["id"])

    def is_live(self, key: str) -> bool:
        """Tell whether learners can see a course."""
        return key in self.items and not self.items[key]["attributes"]["obsolete"]

    def add_course(self, external_id: str, **attributes: Any) -> str:
        """Put a course in as if somebody else had made it; its id."""
        given = {"title": "A course", "duration": 1, "duration-type": "Hours", "external-id": external_id}
        return self._keep({**given, **attributes})

    # -- tokens ----------------------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        try:
            form = await read_form(request, "grant_type", "scope", "client_id", "client_secret")
            if form["grant_type"] != "client_credentials":
                raise RefusedError(400, "bad-request", "The grant type is not client_credentials.")
            if (form["client_id"], form["client_secret"]) != (self.client_id, self.client_secret):
                raise RefusedError(403, "forbidden", "The credentials or the scopes are incorrect.")
            return self.issue(frozenset(form["scope"].split(",")))
        except RefusedError as refusal:
            return refusal.response()

    # -- courses ---------------------------------------------------------------------------------

    def _list_courses(self, request: web.Request, _body: JsonObject) -> web.Response:
        query = request.query
        if set(query) - {"limit", "next", "filter[external_id]"}:
            raise RefusedError(400, "bad-request", "There is a parameter that is not known.")
        limit = query.get("limit", str(USUAL_PAGE))
        if not limit.isdecimal() or not 1 <= int(limit) <= LARGEST_PAGE:
            raise RefusedError(400, "bad-request", f"A page has 1 to {LARGEST_PAGE} items.")
        start, rows = 0, self._wanted(query.get("filter[external_id]"))
        if "next" in query:
            start, rows = self._snapshots.pop(query["next"], (0, []))
            if not start:
                raise RefusedError(400, "bad-request", "The page is not to be had any more.")
        page = self.page_of(rows, start=start, size=int(limit), of=request.path)
        links = {"self": f"{self.url}{request.rel_url}", "next": None}
        if page.next_start is not None:
            cursor = secrets.token_urlsafe(6)
            self._snapshots[cursor] = (page.next_start, rows)
            links["next"] = f"{self.url}{COURSES}?limit={limit}&next={cursor}"
        return json_response({"links": links, "data": page.rows})

    def _wanted(self, external_id: str | None) -> list[JsonObject]:
        if external_id is None:
            return [self._shown(course_id) for course_id in self.courses]
        return [self._shown(self.items[external_id]["id"])] if external_id in self.items else []

    def _show_course(self, request: web.Request, _body: JsonObject) -> web.Response:
        return self._answer(self._course_id(request))

    def _create_course(self, _request: web.Request, body: JsonObject) -> web.Response:
        given = _attributes(body, allowed={"type", "attributes"}, kind=TYPE)
        course_id = self._keep(given)
        self.arrivals[given["external-id"]] += 1
        return self._answer(course_id, status=201)

    def _change_course(self, request: web.Request, body: JsonObject) -> web.Response:
        course_id = self._course_id(request)
        given = _attributes(body, allowed={"type", "id", "attributes"}, kind=TYPE, its_id=course_id)
        self._keep({**self.courses[course_id]["attributes"], **given}, course_id)
        return self._answer(course_id)

    def _delete_course(self, request: web.Request, body: JsonObject) -> web.Response:
        course_id = self._course_id(request)
        if body:
            raise RefusedError(400, "bad-request", "A deletion has no body.")
        self._forget(course_id)
        return web.Response(status=204)

    def _set_skills(self, request: web.Request, body: JsonObject) -> web.Response:
        course_id = self._course_id(request)
        rows = body.get("data")
        if set(body) != {"data"} or not isinstance(rows, list):
            raise RefusedError(400, "bad-request", "data is a list of skills.")
        for row in rows:
            if not isinstance(row, dict) or set(row) != {"type", "id"} or row["type"] != "skills":
                raise RefusedError(400, "bad-request", "A skill has a type and an id.")
            if not isinstance(row["id"], str) or not row["id"] or row["id"] in self.unknown_skills:
                raise RefusedError(400, "bad-request", f"There is no skill {row['id']!r}.")
        self.courses[course_id]["skills"] = [row["id"] for row in rows]
        return json_response({"data": rows}, status=201)

    def _course_id(self, request: web.Request) -> str:
        course_id = request.match_info["id"]
        if course_id not in self.courses:
            raise RefusedError(404, "not-found", "The course could not be found.")
        return course_id

    def _keep(self, attributes: JsonObject, course_id: str | None = None) -> str:
        """Store the attributes of a course, unless they are wrong or another course's."""
        kept = _valid(Course, attributes).model_dump(by_alias=True)
        if self.is_poisoned(kept["external-id"]):
            raise RefusedError(400, "bad-request", f"The course {kept['external-id']} is not allowed here.")
        holders = (self.items.get(kept["external-id"], {}).get("id"), self._urls.get(kept["url"] or ""))
        if any(holder not in (None, course_id) for holder in holders):
            raise RefusedError(409, "conflict", "The external id or the URL is in use already.")
        if course_id is None:
            course_id = f"c{next(self._ids)}"
            course = {"id": course_id, "attributes": kept, "skills": []}
        else:
            course = {**self.courses[course_id], "attributes": kept}
            self._forget(course_id)
        self.courses[course_id] = self.items[kept["external-id"]] = course
        if kept["url"]:
            self._urls[kept["url"]] = course_id
        return course_id

    def _forget(self, course_id: str) -> None:
        attributes = self.courses.pop(course_id)["attributes"]
        del self.items[attributes["external-id"]]
        self._urls.pop(attributes["url"] or "", None)

    def _shown(self, course_id: str) -> JsonObject:
        link = {"self": f"{self.url}{COURSES}/{course_id}"}
        return {
            "type": TYPE,
            "id": course_id,
            "attributes": self.courses[course_id]["attributes"],
            "links": link,
        }

    def _answer(self, course_id: str, *, status: int = 200) -> web.Response:
        return json_response({"data": self._shown(course_id)}, status=status)

    # -- completions -----------------------------------------------------------------------------

    def _create_completion(self, _request: web.Request, body: JsonObject) -> web.Response:
        given = _attributes(body, allowed={"type", "attributes"})
        return self._complete(f"p{next(self._ids)}", given, status=201)

    def _change_completion(self, request: web.Request, body: JsonObject) -> web.Response:
        completion_id = self._completion_id(request)
        allowed = {"type", "id", "attributes"}
        given = _attributes(body, allowed=allowed, kind="completions", its_id=completion_id)
        return self._complete(completion_id, {**self.completions[completion_id]["attributes"], **given})

    def _delete_completion(self, request: web.Request, _body: JsonObject) -> web.Response:
        gone = self.completions.pop(self._completion_id(request))
        self.told(_name(gone["attributes"]), {**gone, "deleted": True})
        return web.Response(status=204)

    def _completion_id(self, request: web.Request) -> str:
        completion_id = request.match_info["id"]
        if completion_id not in self.completions:
            raise RefusedError(404, "not-found", "The completion could not be found.")
        return completion_id

    def _complete(self, completion_id: str, attributes: JsonObject, *, status: int = 200) -> web.Response:
        completion = _valid(Completion, attributes)
        if not self.known(completion.user_id):
            raise RefusedError(400, "bad-request", "Invalid user identifier.", source="user-id")
        if self.is_poisoned(completion.user_id, completion.content_id):
            raise RefusedError(400, "bad-request", "The completion is not allowed here.")
        if completion.content_id not in self.items:
            raise RefusedError(404, "not-found", f"The content {completion.content_id} could not be found.")
        kept = {"type": "completions", "id": completion_id, "attributes": attributes}
        self.completions[completion_id] = kept
        self.told(_name(attributes), kept)
        return json_response({"data": kept}, status=status)


def _name(attributes: JsonObject) -> str:
    return f"{attributes['user-id']} {attributes['content-id']}"


def _attributes(
    body: JsonObject, *, allowed: set[str], kind: str | None = None, its_id: str | None = None
) -> JsonObject:
    """Return the attributes in a document, whose other members must be right."""
    data = body.get("data")
    if set(body) != {"data"} or not isinstance(data, dict) or not set(data) <= allowed:
        raise RefusedError(400, "bad-request", f"data is an object with {', '.join(sorted(allowed))}.")
    if (kind is not None and data.get("type") != kind) or (its_id is not None and data.get("id") != its_id):
        raise RefusedError(409, "conflict", "type or id is not that of the resource.")
    attributes = data.get("attributes")
    if not isinstance(attributes, dict) or not attributes:
        raise RefusedError(400, "bad-request", "There are no attributes.")
    return dict(attributes)


def _valid(model: type[M], attributes: JsonObject) -> M:
    try:
        return model.model_validate(attributes)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise RefusedError(400, "bad-request", f"{field}: {first['msg']}", source=field) from None

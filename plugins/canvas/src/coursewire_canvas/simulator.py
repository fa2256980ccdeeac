"""A stand-in for Canvas: tokens, accounts, courses and, in a module of its own, the gradebook; as strict as Canvas and stricter with parameters.

Behaviour is that of Canvas's REST documentation (developerdocs.instructure.com/services/canvas, 2025). Two
things are stricter on purpose: an unknown course parameter is refused where Canvas ignores it, and so is a
value of a wrong type. Paths and answers that the channel does not use are left out.
"""

from __future__ import annotations

import itertools
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from aiohttp import web

import coursewire as cw
from coursewire.testing.authorize import AuthorizePage
from coursewire.testing.simulator import Simulator, json_response
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.simulated_gradebook import GRADEABLE, INTEGRATION_USER, SimulatedGradebook
from coursewire_canvas.simulated_refusals import (
    JsonObject,
    RefusedError,
    invalid,
    message,
    not_found,
    unauthorized,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT_ACCOUNT = 1
ACCOUNT = 17
OTHER_ACCOUNT = 18
PAGE = 10
LARGEST_PAGE = 100
LONGEST = 255
BY_INTEGRATION_ID = "sis_integration_id:"

COURSE_PARAMETERS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "course_code": str,
    "integration_id": str,
    "start_at": str,
    "end_at": str,
    "syllabus_body": str,
    "default_view": str,
    "image_url": str,
    "is_public": bool,
    "self_enrollment": bool,
    "restrict_enrollments_to_course_dates": bool,
    "indexed": (bool, int),
}
"""Parameters of a course that the channel sends, and their types."""

EVENTS = {"claim": "unpublished", "offer": "available", "conclude": "completed", "delete": "deleted"}
"""Events of an update and the state each leads to; "undelete" leads to unpublished, too."""
RIGHTS = (
    "read_sis",
    "manage_sis",
    "manage_courses_add",
    "manage_courses_admin",
    "manage_courses_publish",
    "manage_courses_conclude",
    "manage_courses_delete",
    "read_roster",
    "read_email_addresses",
    "view_user_logins",
    "view_all_grades",
    "manage_grades",
    "manage_assignments_add",
    "manage_assignments_delete",
)


class CanvasSimulator(Simulator):
    """One Canvas with a root account and two accounts below it.

    Attributes:
        rights: What the token's user may do; take names out to see a Canvas that refuses.
        may_undelete: Whether deleted courses can be restored.
        token_lifetime_s: How long an access token lasts.
        gradebook: Users, enrolments, assignments and grades.
        authorize: The page on which an administrator grants access.
    """

    code: ClassVar[str] = CanvasConfig.code
    token_paths = ("/login/oauth2/token",)

    client_id = "10000000000042"
    client_secret = "simulated-client-secret"
    refresh_token = "simulated~refresh-token"
    authorization_code = "simulated-code"

    def __init__(self, *, clock: cw.Clock = cw.utc_now, keep_bodies: bool = True) -> None:
        super().__init__(clock=clock, keep_bodies=keep_bodies)
        self.outcomes: list[JsonObject] = []
        self.rights = set(RIGHTS)
        self.may_undelete = True
        self.token_lifetime_s = 3600
        self.accounts: dict[int, int | None] = {ROOT_ACCOUNT: None, ACCOUNT: 1, OTHER_ACCOUNT: 1}
        self.courses: dict[int, JsonObject] = {}
        self.gradebook = SimulatedGradebook(self)
        self.authorize = AuthorizePage("/login/oauth2/auth", self.client_id, self)
        self._access_tokens: dict[str, datetime] = {}
        self._ids = itertools.count(1001)

    def routes(self) -> Sequence[web.RouteDef]:
        """The token endpoint, accounts, courses, and the gradebook."""
        api = self._api
        return [
            *self.authorize.routes(),
            web.post(self.token_paths[0], self._token),
            web.get("/api/v1/accounts", api(self._list_accounts)),
            web.get("/api/v1/accounts/{account}", api(self._show_account)),
            web.get("/api/v1/accounts/{account}/permissions", api(self._show_permissions)),
            web.get("/api/v1/accounts/{account}/courses", api(self._list_courses)),
            web.post("/api/v1/accounts/{account}/courses", api(self._create_course)),
            web.get("/api/v1/courses/{course}", api(self._show_course)),
            web.put("/api/v1/courses/{course}", api(self._update_course)),
            web.delete("/api/v1/courses/{course}", api(self._end_course)),
            *self.gradebook.routes(api),
        ]

    def sample_config(self) -> dict[str, Any]:
        """A configuration whose developer key, grant and account this Canvas knows."""
        return {
            "canvas_base_url": self.url,
            "canvas_account_id": ACCOUNT,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }

    def enroll(self, course: str, email: str) -> None:
        """Put a student into a course; both are put in if they are missing."""
        self.gradebook.enroll(course, email)

    def reset(self) -> None:
        """Forget courses, people, grades, tokens and requests; rights and accounts stay."""
        super().reset()
        self.gradebook.clear()
        self.courses.clear()
        self._access_tokens.clear()

    def expire_tokens(self) -> None:
        """Let every access token be over, before its time."""
        self._access_tokens.clear()

    def lose(self, key: str) -> None:
        """Delete a course so that nobody can restore it."""
        course = self.items.pop(key, None)
        if course is not None:
            del self.courses[course["id"]]

    def is_live(self, key: str) -> bool:
        """Tell whether learners can work in a course."""
        return key in self.items and self.items[key]["workflow_state"] == "available"

    def add_course(self, integration_id: str | None, *, account: int = ACCOUNT, **fields: Any) -> JsonObject:
        """Put a course in as if somebody else had made it; returns the stored object."""
        course: JsonObject = {
            "id": next(self._ids),
            "account_id": account,
            "root_account_id": ROOT_ACCOUNT,
            "workflow_state": "unpublished",
            "name": "Unnamed Course",
            "course_code": None,
            "integration_id": integration_id,
            "sis_course_id": None,
            "start_at": None,
            "end_at": None,
            "image_url": None,
            **fields,
        }
        self.courses[course["id"]] = course
        if integration_id is not None:
            self.items[integration_id] = course
        return course

    # -- the way of every API call -----------------------------------------------------------------

    def _api(self, handler: Callable[[web.Request, JsonObject], Any]) -> Any:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                self._check_token(request)
                raw = await request.read()
                body, headers = handler(request, self._body(request, raw))
            except RefusedError as refusal:
                return json_response(refusal.body, status=refusal.status, headers=refusal.headers)
            return json_response(body, headers={"X-Request-Cost": "0.01", **headers})

        return answer

    def _check_token(self, request: web.Request) -> None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        expires_at = self._access_tokens.get(value)
        if scheme != "Bearer" or expires_at is None or expires_at <= self.clock():
            raise RefusedError(
                401,
                {"errors": [{"message": "Invalid access token."}]},
                {"WWW-Authenticate": 'Bearer realm="canvas-lms"'},
            )

    @staticmethod
    def _body(request: web.Request, raw: bytes) -> JsonObject:
        if not raw:
            return {}
        if request.content_type != "application/json":
            raise message(415, "send JSON")
        try:
            body = orjson.loads(raw)
        except ValueError as error:
            raise message(400, "the body is not JSON") from error
        if not isinstance(body, dict):
            raise message(400, "the body is not an object")
        return body

    # -- tokens ------------------------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if request.content_type != "application/x-www-form-urlencoded":
            return json_response({"error": "invalid_request"}, status=400)
        if form.get("client_id") != self.client_id or form.get("client_secret") != self.client_secret:
            return json_response(
                {"error": "invalid_client", "error_description": "unknown client"}, status=401
            )
        grant = form.get("grant_type")
        if grant not in ("refresh_token", "authorization_code"):
            return json_response({"error": "unsupported_grant_type"}, status=400)
        name, known = (
            ("refresh_token", self.refresh_token)
            if grant == "refresh_token"
            else ("code", self.authorization_code)
        )
        granted = self.authorize.redeem(str(form.get("code")), str(form.get("redirect_uri")))
        if form.get(name) != known and granted is None:
            return json_response(
                {"error": "invalid_grant", "error_description": f"{name} not found"}, status=400
            )
        value = "simulated~" + secrets.token_urlsafe(32)
        self._access_tokens[value] = self.clock() + timedelta(seconds=self.token_lifetime_s)
        answer = {
            "access_token": value,
            "token_type": "Bearer",
            "user": {"id": INTEGRATION_USER, "name": "Integration"},
            "expires_in": self.token_lifetime_s,
        }
        if grant == "authorization_code":
            answer["refresh_token"] = self.refresh_token
        return json_response(answer)

    # -- accounts ----------------------------------------------------------------------------------

    def _list_accounts(self, request: web.Request, _body: JsonObject) -> tuple[Any, dict[str, str]]:
        return self.page(request, [self._account_object(account) for account in self.accounts])

    def _show_account(self, request: web.Request, _body: JsonObject) -> tuple[Any, dict[str, str]]:
        return self._account_object(self.account_of(request)), {}

    def _show_permissions(self, request: web.Request, _body: JsonObject) -> tuple[Any, dict[str, str]]:
        self.account_of(request)
        return {right: right in self.rights for right in request.query.getall("permissions[]", [])}, {}

    def account_of(self, request: web.Request) -> int:
        """The account that the path names."""
        text = request.match_info["account"]
        account = ROOT_ACCOUNT if text == "self" else int(text) if text.isdecimal() else 0
        if account not in self.accounts:
            raise not_found()
        return account

    def _account_object(self, account: int) -> JsonObject:
        parent = self.accounts[account]
        return {
            "id": account,
            "name": f"Account {account}",
            "parent_account_id": parent,
            "root_account_id": None if parent is None else ROOT_ACCOUNT,
            "workflow_state": "active",
        }

    # -- courses -----------------------------------------------------------------------------------

    def _list_courses(self, request: web.Request, _body: JsonObject) -> tuple[Any, dict[str, str]]:
        account = self.account_of(request)
        states = set(request.query.getall("state[]", []))
        term = request.query.get("search_term", "").lower()
        found = [
            course
            for course in self.courses.values()
            if account in (course["account_id"], self.accounts[course["account_id"]])
            and ("all" in states or course["workflow_state"] in (states or {*EVENTS.values()} - {"deleted"}))
            and (not term or term in f"{course['name']}\n{course['course_code']}".lower())
        ]
        page, headers = self.page(request, found)
        return [self._shown(course) for course in page], headers

    def _show_course(self, request: web.Request, _body: JsonObject) -> tuple[Any, dict[str, str]]:
        course = self.course_of(request)
        wanted = request.query.getall("include[]", [])
        if course["workflow_state"] == "deleted" and "all_courses" not in wanted:
            raise not_found()
        shown = self._shown(course, syllabus="syllabus_body" in wanted)
        if "total_students" in wanted:
            of_course = [key for key, state in self.gradebook.enrollments.items() if state in GRADEABLE]
            shown["total_students"] = sum(where == course["id"] for where, _ in of_course)
        return shown, {}

    def _create_course(self, request: web.Request, body: JsonObject) -> tuple[Any, dict[str, str]]:
        account = self.account_of(request)
        self.demand("manage_courses_add")
        if not set(body) <= {"course", "offer", "enroll_me"}:
            raise message(400, f"unknown parameters: {sorted(set(body) - {'course', 'offer'})}")
        fields = self._checked(body.get("course"))
        fields.pop("image_url", None)  # Canvas takes it only in an update
        self._demand_harmless(fields.get("integration_id"))
        integration_id = fields.pop("integration_id", None)
        state = "available" if body.get("offer") is True else "unpublished"
        course = self.add_course(integration_id, account=account, **fields, workflow_state=state)
        self.arrivals[integration_id or f"course {course['id']}"] += 1
        return self._shown(course), {}

    def _update_course(self, request: web.Request, body: JsonObject) -> tuple[Any, dict[str, str]]:
        course = self.course_of(request)
        self.demand("manage_courses_admin")
        self._demand_harmless(course["integration_id"])
        given = body.get("course")
        event = given.pop("event", None) if isinstance(given, dict) else None
        deleted = course["workflow_state"] == "deleted"
        if event == "undelete":
            if not self.may_undelete:
                raise unauthorized()
            course["workflow_state"] = "unpublished" if deleted else course["workflow_state"]
        elif deleted:
            raise not_found()
        elif event is not None:
            if event not in EVENTS:
                raise invalid("event", "invalid", f"{event!r} is not an event")
            if event == "offer":
                self.demand("manage_courses_publish")
        fields = self._checked(given, course)
        if event in EVENTS:
            course["workflow_state"] = EVENTS[event]
        if "integration_id" in fields:
            self.items.pop(course["integration_id"], None)
            self.items[fields["integration_id"]] = course
        course.update(fields)
        return self._shown(course), {}

    def _end_course(self, request: web.Request, body: JsonObject) -> tuple[Any, dict[str, str]]:
        course = self.course_of(request)
        event = body.get("event", request.query.get("event"))
        if event not in ("conclude", "delete"):
            raise message(400, "event must be conclude or delete")
        self.demand(f"manage_courses_{event}")
        if course["workflow_state"] == "deleted":
            raise not_found()
        course["workflow_state"] = EVENTS[event]
        return {event: True}, {}

    def course_of(self, request: web.Request) -> JsonObject:
        """The course that the path names, by id or integration id."""
        text = request.match_info["course"]
        if text.startswith(BY_INTEGRATION_ID):
            course: JsonObject | None = self.items.get(text.removeprefix(BY_INTEGRATION_ID))
        else:
            course = self.courses.get(int(text)) if text.isdecimal() else None
        if course is None:
            raise not_found()
        return course

    def _checked(self, given: Any, course: JsonObject | None = None) -> JsonObject:
        """The parameters of a course, refused when one is unknown, of a wrong type, too long or taken."""
        if not isinstance(given, dict):
            raise message(400, "course is missing")
        fields: JsonObject = dict(given)
        for name, value in fields.items():
            if name not in COURSE_PARAMETERS:
                raise invalid(name, "unknown", f"Canvas knows no course parameter {name!r}")
            fits: bool = isinstance(value, COURSE_PARAMETERS[name])
            if not fits:
                raise invalid(name, "invalid", f"{type(value).__name__} is not the type of {name}")
            if name in ("name", "course_code", "integration_id") and len(value) > LONGEST:
                raise invalid(name, "too_long", f"is too long (maximum is {LONGEST} characters)")
            if name in ("start_at", "end_at"):
                _check_date(name, value)
        if "manage_sis" not in self.rights:
            fields.pop("integration_id", None)  # Canvas ignores it
        holder = self.items.get(fields.get("integration_id", ""))
        if holder is not None and holder is not course:
            raise invalid("integration_id", "taken", "integration_id is already in use")
        return fields

    def _demand_harmless(self, integration_id: str | None) -> None:
        if integration_id is not None and self.is_poisoned(integration_id):
            raise invalid("name", "invalid", "is not a name that is allowed here")

    def may(self, right: str) -> bool:
        """Tell whether the token's user has a right."""
        return right in self.rights

    def demand(self, right: str) -> None:
        """Refuse a user who lacks a right."""
        if right not in self.rights:
            raise unauthorized()

    def _shown(self, course: JsonObject, *, syllabus: bool = False) -> JsonObject:
        hidden = set() if syllabus else {"syllabus_body"}
        if "read_sis" not in self.rights:
            hidden |= {"integration_id", "sis_course_id"}
        return {name: value for name, value in course.items() if name not in hidden}

    # -- pages -------------------------------------------------------------------------------------

    def page(self, request: web.Request, rows: Sequence[JsonObject]) -> tuple[Any, dict[str, str]]:
        """One page and its Link header, which Canvas writes without spaces after the commas."""
        size = self.page_size(max(1, min(int(request.query.get("per_page", PAGE)), LARGEST_PAGE)))
        number = max(1, int(request.query.get("page", 1)))
        page = self.page_of(rows, start=(number - 1) * size, size=size, of=request.path)
        numbers: Iterable[tuple[str, int | None]] = (
            ("current", number),
            ("next", number + 1 if page.next_start is not None else None),
            ("prev", number - 1 if number > 1 else None),
            ("first", 1),
            ("last", page.last_start // size + 1),
        )
        links = ",".join(
            f'<{self.url}{request.rel_url.update_query({"page": str(at), "per_page": str(size)})}>; rel="{rel}"'
            for rel, at in numbers
            if at is not None
        )
        return page.rows, {"Link": links}


def _check_date(name: str, value: str) -> None:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise invalid(name, "invalid", f"{value!r} is not an ISO 8601 date") from error
    if instant.tzinfo is None:
        raise invalid(name, "invalid", f"{value!r} has no zone")

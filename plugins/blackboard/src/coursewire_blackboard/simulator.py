"""A stand-in for Blackboard Learn: the grant, tokens, courses and their content; the gradebook is a module of its own.

Behaviour is that of Learn's REST reference and developer documentation. Stricter on purpose: a field that Learn
does not know, or a value of a wrong type, is refused.
"""

from __future__ import annotations

import base64
import itertools
import secrets
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from aiohttp import web

import coursewire as cw
from coursewire.testing.authorize import AuthorizePage
from coursewire.testing.simulator import Simulator, json_response
from coursewire_blackboard.config import BlackboardConfig
from coursewire_blackboard.simulated_gradebook import SimulatedGradebook
from coursewire_blackboard.simulated_refusals import JsonObject, RefusedError, checked, missing, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

API = "/learn/api/public"
LARGEST_PAGE = 100
AVAILABLE = ("Yes", "No", "Disabled", "Term")
VISIBLE = ("Yes", "No", "PartiallyVisible")
DAY = timedelta(hours=24)

COURSE_FIELDS: dict[str, Any] = {
    "courseId": str,
    "externalId": str,
    "name": str,
    "description": str,
    "availability": {"available": AVAILABLE},
}
CONTENT_FIELDS: dict[str, Any] = {
    "title": str,
    "body": str,
    "position": int,
    "availability": {"available": VISIBLE, "allowGuests": bool, "allowObservers": bool},
    "contentHandler": {"id": str, "isBbPage": bool},
}
LONGEST = {"courseId": 50, "externalId": 256, "name": 255, "description": 4000, "title": 255}
ENTITLEMENTS = (
    "system.course.VIEW",
    "system.course.CREATE",
    "system.course.properties.MODIFY",
    "system.course.DELETE",
    "course.content.CREATE",
    "course.content.MODIFY",
    "course.user.VIEW",
    "course.gradebook.MODIFY",
    "course.configure-properties.EXECUTE",
)


class BlackboardSimulator(Simulator):
    """One Learn, and the developer portal that counts its calls.

    Attributes:
        entitlements: What the token's user may do; take names out to see a Learn that refuses.
        daily_calls: How many calls the developer group has in 24 hours.
        throttle_status: Status of the answer when they are used up: 429, or 403 as older gateways give.
        token_lifetime_s: How long an access token lasts.
        ultra: New courses are Ultra courses.
        polls: How often a task is asked for before a course is deleted.
        gradebook: Users, memberships, columns and grades.
        authorize: The page on which a user grants access.
        refresh_tokens: Those that are good; each for one use.
    """

    code: ClassVar[str] = BlackboardConfig.code
    token_paths: ClassVar[tuple[str, ...]] = (f"{API}/v1/oauth2/token",)

    client_id = "6c1f0000-made-up-application-key"
    client_secret = "simulated-application-secret"

    def __init__(self, *, clock: cw.Clock = cw.utc_now, keep_bodies: bool = True) -> None:
        super().__init__(clock=clock, keep_bodies=keep_bodies)
        self.entitlements = set(ENTITLEMENTS)
        self.daily_calls = 10_000
        self.throttle_status = 429
        self.token_lifetime_s = 3600
        self.ultra = False
        self.polls = 0
        self.courses: dict[str, JsonObject] = {}
        self.contents: dict[str, JsonObject] = {}
        self.outcomes: dict[str, Any] = {}
        self.gradebook = SimulatedGradebook(self)
        self.authorize = AuthorizePage(f"{API}/v1/oauth2/authorizationcode", self.client_id, self)
        self.refresh_tokens: set[str] = set()
        self.calls: Counter[str] = Counter()
        self._window_ends: datetime | None = None
        self._access_tokens: dict[str, datetime] = {}
        self._tasks: dict[str, tuple[str, int]] = {}
        self._ids = itertools.count(101)

    def routes(self) -> Sequence[web.RouteDef]:
        """The grant, the token endpoint, courses, content, and the gradebook."""
        api, one = self._api, f"{API}/{{version}}/courses/{{course}}"
        contents = f"{API}/v1/courses/{{course}}/contents"
        return [
            *self.authorize.routes(),
            web.post(self.token_paths[0], self._token),
            web.get(
                f"{API}/v1/users/me", api(lambda _request, _body: {"id": "_1_1", "userName": "integration"})
            ),
            web.get(f"{API}/v3/courses", api(self._list_courses)),
            web.post(f"{API}/v3/courses", api(self._create_course, 201)),
            web.get(f"{API}/v3/courses/{{course}}", api(self._show_course)),
            web.patch(f"{API}/v3/courses/{{course}}", api(self._update_course)),
            web.delete(f"{API}/v3/courses/{{course}}", self._delete_course),
            web.get(f"{one}/tasks/{{task}}", api(self._show_task)),
            web.get(contents, api(self._list_contents)),
            web.post(contents, api(self._create_content, 201)),
            web.get(f"{contents}/{{content}}/children", api(self._list_contents)),
            web.post(f"{contents}/{{content}}/children", api(self._create_content, 201)),
            web.patch(f"{contents}/{{content}}", api(self._update_content)),
            *self.gradebook.routes(api),
        ]

    def sample_config(self) -> dict[str, Any]:
        """A configuration with a grant of its own: a refresh token is good for one configuration only."""
        return {
            "blackboard_base_url": self.url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.grant(),
        }

    def grant(self) -> str:
        """A refresh token as if a user had just granted access."""
        token = "simulated-refresh-" + secrets.token_urlsafe(24)
        self.refresh_tokens.add(token)
        return token

    def enroll(self, course: str, email: str) -> None:
        """Put a student into a course; both are put in if they are missing."""
        self.gradebook.enroll(course, email)

    def is_live(self, key: str) -> bool:
        """Tell whether students can open the course, and find our page in it."""
        course = self.items.get(key)
        return course is not None and course["availability"]["available"] in ("Yes", "Term")

    def lose(self, key: str) -> None:
        """Let somebody delete a course."""
        course = self.items.pop(key, None)
        if course is not None:
            self.remove(course["id"])

    def expire_tokens(self) -> None:
        """Let every access token be over, before its time."""
        self._access_tokens.clear()

    def reset(self) -> None:
        """Forget courses, people, grades, access tokens and calls; grants and entitlements stay."""
        super().reset()
        self.gradebook.clear()
        for kept in (self.courses, self.contents, self._access_tokens, self._tasks, self.calls):
            kept.clear()
        self._window_ends = None

    def add_course(self, external_id: str, **fields: Any) -> JsonObject:
        """Put a course in as if somebody else had made it; returns the stored object."""
        number = next(self._ids)
        course: JsonObject = {
            "id": f"_{number}_1",
            "uuid": f"{number:032x}",
            "externalId": external_id,
            "courseId": external_id,
            "name": external_id,
            "availability": {"available": "Yes"},
            "ultraStatus": "Ultra" if self.ultra else "Classic",
            **fields,
        }
        self.courses[course["id"]] = course
        self.items[external_id] = course
        return course

    def remove(self, course_id: str) -> None:
        """Take a course away for good, with all that is in it."""
        course = self.courses.pop(course_id, None)
        if course is not None:
            self.items.pop(course["externalId"], None)
        for content_id in [key for key, each in self.contents.items() if each["_course"] == course_id]:
            del self.contents[content_id]
        self.gradebook.forget(course_id)

    def page_in(self, key: str) -> JsonObject | None:
        """The page that students read in a course, by our key."""
        course = self.items.get(key)
        pages = [
            each
            for each in self.contents.values()
            if course is not None and each["_course"] == course["id"] and each["_parent"]
        ]
        return pages[-1] if pages else None

    # -- the way of every API call ---------------------------------------------------------------------

    def _api(self, handler: Callable[[web.Request, JsonObject], Any], status: int = 200) -> Any:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                body = await self._admit(request)
                return json_response(handler(request, body), status=status, headers=self._quota())
            except RefusedError as refused:
                return json_response(
                    refused.body, status=refused.status, headers={**self._quota(), **refused.headers}
                )

        return answer

    async def _admit(self, request: web.Request) -> JsonObject:
        now = self.clock()
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        expires_at = self._access_tokens.get(value)
        if scheme != "Bearer" or expires_at is None or expires_at <= now:
            raise refusal(401, "Bearer token is invalid")
        if self._window_ends is None or now >= self._window_ends:
            self._window_ends = now + DAY
            self.calls.clear()
        self.calls["made"] += 1
        if self.calls["made"] > self.daily_calls:
            left = str(int((self._window_ends - now).total_seconds()))
            name = "Retry-After" if self.throttle_status == 429 else "X-Rate-Limit-Reset"
            raise refusal(self.throttle_status, "The rate limit of the application is exceeded", {name: left})
        raw = await request.read()
        if not raw:
            return {}
        if request.content_type != "application/json":
            raise refusal(415, "send JSON")
        try:
            body = orjson.loads(raw)
        except ValueError:
            raise refusal(400, "the body is not JSON") from None
        if not isinstance(body, dict):
            raise refusal(400, "the body is not an object")
        return body

    def _quota(self) -> dict[str, str]:
        left = max(0, self.daily_calls - self.calls["made"])
        return {"X-Rate-Limit-Limit": str(self.daily_calls), "X-Rate-Limit-Remaining": str(left)}

    def demand(self, entitlement: str) -> None:
        """Refuse a user who lacks an entitlement."""
        if entitlement not in self.entitlements:
            raise refusal(403, f"User does not have the entitlement {entitlement}")

    def paged(self, request: web.Request, rows: Sequence[JsonObject]) -> JsonObject:
        """One page of a list; ``paging`` is there only when more follow."""
        start = int(request.query.get("offset", 0))
        size = min(int(request.query.get("limit", LARGEST_PAGE)), LARGEST_PAGE)
        page = self.page_of(rows, start=start, size=size, of=request.path)
        answer: JsonObject = {"results": page.rows}
        if page.next_start is not None:
            following = request.rel_url.update_query({"offset": str(page.next_start), "limit": str(size)})
            answer["paging"] = {"nextPage": str(following)}
        return answer

    # -- tokens ----------------------------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return _oauth_error(401, "invalid_client", "Invalid client credentials")
        given = {name: str(form.get(name, "")) for name in ("code", "redirect_uri", "code_verifier")}
        scope = "read write delete offline"
        match form.get("grant_type"):
            case "refresh_token":
                used = str(form.get("refresh_token"))
                if used not in self.refresh_tokens:
                    return _oauth_error(400, "invalid_grant", "Invalid refresh token")
                self.refresh_tokens.remove(used)  # from here on only the new one is good
            case "authorization_code":
                if not given["redirect_uri"]:
                    return _oauth_error(400, "invalid_request", "Missing redirect uri")
                granted = self.authorize.redeem(given["code"], given["redirect_uri"], given["code_verifier"])
                if granted is None:
                    return _oauth_error(400, "invalid_grant", "Invalid authorization code")
                scope = granted
            case _:
                return _oauth_error(400, "unsupported_grant_type", "Unsupported grant type")
        value = "simulated-access-" + secrets.token_urlsafe(24)
        self._access_tokens[value] = self.clock() + timedelta(seconds=self.token_lifetime_s)
        answer = {
            "access_token": value,
            "token_type": "bearer",
            "expires_in": self.token_lifetime_s,
            "scope": scope,
            "user_id": "simulated-user",
        }
        if "offline" in scope.split():
            answer["refresh_token"] = self.grant()
        return json_response(answer)

    # -- courses ---------------------------------------------------------------------------------------

    def _list_courses(self, request: web.Request, _body: JsonObject) -> JsonObject:
        self.demand("system.course.VIEW")
        part = request.query.get("externalId", "").lower()
        found = [course for course in self.courses.values() if part in course["externalId"].lower()]
        return self.paged(request, [self._shown(course) for course in found])

    def _show_course(self, request: web.Request, _body: JsonObject) -> JsonObject:
        return self._shown(self.course_of(request))

    def _create_course(self, _request: web.Request, body: JsonObject) -> JsonObject:
        self.demand("system.course.CREATE")
        fields = self._checked(body)
        for name in ("courseId", "name"):
            if not fields.get(name):
                raise refusal(400, f"{name} is required")
        if set("\"()&/'+ ") & set(fields["courseId"]):
            raise refusal(400, "The Course ID has characters that are not allowed")
        key = str(fields.setdefault("externalId", fields["courseId"]))
        taken = ((each["externalId"], each["courseId"]) for each in self.courses.values())
        if any(key == external or fields["courseId"] == own for external, own in taken):
            raise refusal(409, "Unique ID conflicts: a course with this id exists")
        course = self.add_course(key, **fields)
        self.arrivals[key] += 1
        return self._shown(course)

    def _update_course(self, request: web.Request, body: JsonObject) -> JsonObject:
        course = self.course_of(request)
        self.demand("system.course.properties.MODIFY")
        if "courseId" in body:
            raise refusal(400, "courseId cannot be changed")
        fields = self._checked({"externalId": course["externalId"], **body})
        if self.items.get(fields["externalId"], course) is not course:
            raise refusal(409, "Unique ID conflicts: a course with this id exists")
        self.items.pop(course["externalId"], None)
        course.update(fields)
        self.items[course["externalId"]] = course
        return self._shown(course)

    async def _delete_course(self, request: web.Request) -> web.Response:
        try:
            await self._admit(request)
            course = self.course_of(request)
            self.demand("system.course.DELETE")
        except RefusedError as refused:
            return json_response(
                refused.body, status=refused.status, headers={**self._quota(), **refused.headers}
            )
        task = f"_{next(self._ids)}_1"
        self._tasks[task] = (course["id"], self.polls)
        if not self.polls:
            self.remove(course["id"])
        location = f"{API}/v1/courses/{course['id']}/tasks/{task}"
        return web.Response(status=202, headers={"Location": location, **self._quota()})

    def _show_task(self, request: web.Request, _body: JsonObject) -> JsonObject:
        course_id, left = self._tasks.get(request.match_info["task"], ("", -1))
        if left < 0:
            raise missing("task")
        self._tasks[request.match_info["task"]] = (course_id, max(0, left - 1))
        if left == 0:
            self.remove(course_id)
        return {"id": request.match_info["task"], "status": "Running" if left else "Complete"}

    def course_of(self, request: web.Request) -> JsonObject:
        """The course that the path names, by Learn's id or by ``externalId:``."""
        text = request.match_info["course"]
        kind, _, value = text.partition(":")
        course = self.items.get(value) if kind == "externalId" else self.courses.get(text)
        if course is None:
            raise missing("course")
        return course

    def _checked(self, body: JsonObject) -> JsonObject:
        if self.is_poisoned(str(body.get("externalId"))):
            raise refusal(400, "The course is not liked here")
        return checked(body, COURSE_FIELDS, LONGEST)

    def _shown(self, course: JsonObject) -> JsonObject:
        seen = "course.configure-properties.EXECUTE" in self.entitlements
        return {name: value for name, value in course.items() if seen or name not in ("externalId", "uuid")}

    # -- content ---------------------------------------------------------------------------------------

    def _list_contents(self, request: web.Request, _body: JsonObject) -> JsonObject:
        course, parent = self.course_of(request), request.match_info.get("content")
        if parent is not None and parent not in self.contents:
            raise missing("content")
        found = [
            _public(each)
            for each in self.contents.values()
            if (each["_course"], each["_parent"]) == (course["id"], parent)
        ]
        return self.paged(request, found)

    def _create_content(self, request: web.Request, body: JsonObject) -> JsonObject:
        course, parent = self.course_of(request), request.match_info.get("content")
        self.demand("course.content.CREATE")
        fields = checked(body, CONTENT_FIELDS, LONGEST)
        handler = fields.get("contentHandler", {})
        if not fields.get("title") or not handler.get("id"):
            raise refusal(400, "title and contentHandler.id are required")
        folder = handler["id"] == "resource/x-bb-folder"
        if parent is None and not folder:
            raise refusal(400, "only folders may stand at the top")
        if parent is not None:
            above = self.contents.get(parent)
            if above is None:
                raise missing("content")
            if course["ultraStatus"] == "Ultra" and not above["contentHandler"].get("isBbPage"):
                raise refusal(400, "in an Ultra course a document must be the child of a page (isBbPage)")
        content_id = f"_{next(self._ids)}_1"
        kept = {"availability": {"available": "Yes"}, **fields, "id": content_id}
        self.contents[content_id] = {**kept, "_course": course["id"], "_parent": parent}
        return kept

    def _update_content(self, request: web.Request, body: JsonObject) -> JsonObject:
        self.course_of(request)
        self.demand("course.content.MODIFY")
        content = self.contents.get(request.match_info["content"])
        if content is None:
            raise missing("content")
        if "contentHandler" in body:
            raise refusal(400, "contentHandler cannot be changed")
        content.update(checked(body, CONTENT_FIELDS, LONGEST))
        return _public(content)


def _public(content: JsonObject) -> JsonObject:
    return {name: value for name, value in content.items() if not name.startswith("_")}


def _oauth_error(status: int, code: str, description: str) -> web.Response:
    return json_response({"error": code, "error_description": description}, status=status)

"""A stand-in for one Cornerstone portal.

It polls our course list with a memory and a clock of its own, takes a course only when its time of change is newer than
what it has, launches learners with session tokens that end after two hours, and takes results by the callback and
by its own APIs. It is as strict as Cornerstone is known to be, and refuses what Cornerstone is not known to take.
"""

from __future__ import annotations

import base64
import re
import secrets
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from uuid import UUID, uuid5

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import coursewire as cw
from coursewire.testing.inbound import Caller
from coursewire.testing.simulator import Simulator, json_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coursewire.testing.inbound import InboundCall

COURSE_LIST = "/channels/csod/course-list"
SAVE = "/channels/csod/save-learner-information"
CALLBACK = "/services/x/content-online-content-api/v1"
TOKEN = "/services/api/oauth2/token"
TRANSCRIPTS = "/services/api/v1/transcripts"
ASSIGNMENTS = "/services/api/v1/LearningAssignments"
SESSION_TOKEN_LIFETIME = timedelta(hours=2)
TOKEN_LIFETIME_S = 3600
PEOPLE = UUID("5c9b0000-0000-4000-8000-000000000000")
"""Name space of the GUIDs that learners get."""

_Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Partner(_Strict):
    Name: Annotated[str, Field(max_length=500)]


class Course(_Strict):
    """An entry of the course list, as the connector takes it."""

    ID: Annotated[str, Field(min_length=1, max_length=50, pattern=r'^[^.|\\/<>"%&\s]+$')]
    Title: _Text
    Description: str
    URL: Annotated[str, Field(pattern=r"^https?://\S+$")]
    IsActive: bool
    LastModifiedUTC: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$")]
    Languages: Annotated[list[_Text], Field(min_length=1)]
    Partners: Annotated[list[_Partner], Field(min_length=1)]
    Thumbnail: str | None = None
    Subjects: list[_Text] | None = None
    Duration: Annotated[str, Field(pattern=r"^\d{2,}:[0-5]\d:00$")] | None = None
    IsMobile: bool = True


class Progress(_Strict):
    """One entry of a progress post."""

    courseId: _Text  # noqa: N815 - Cornerstone's names
    userGuid: _Text  # noqa: N815
    status: Literal["In Progress", "Completed"]
    completionDate: str | None = None  # noqa: N815
    successStatus: str | None = None  # noqa: N815


class Transcript(_Strict):
    """The body of a call of the Transcript API, which names the learner in one way."""

    learningObjectId: _Text  # noqa: N815
    userGuid: _Text | None = None  # noqa: N815
    externalId: _Text | None = None  # noqa: N815
    ignoreWorkflow: bool | None = None  # noqa: N815


class CornerstoneSimulator(Simulator):
    """A running portal.

    ``items`` are courses by the id that we gave them, ``outcomes`` what the transcript says, by learner and course.

    Args:
        clock: The portal's own; it need not agree with ours.
        keep_bodies: Keep request bodies in :attr:`seen`.
        count: Courses a poll; 0 leaves it to us.
        says: What a poll says that the portal has: ``newest``, the latest time of change it took; ``clock``, when it
            polled last; ``nothing``.
        known_only: Results are taken only of learners in :attr:`learners`.

    Attributes:
        learners: Username, or id in the portal, to GUID.
        assignments: Assignment id to (GUID, course id, status), for the Learning Assignments API.
        refused: Courses that the portal did not take from a list, and why.
        throttle_s: Answer 429 with this ``Retry-After``; 0 for no limit.
    """

    code: ClassVar[str] = "CSOD"
    token_paths: ClassVar[tuple[str, ...]] = (TOKEN,)

    key = "simulated-key"
    secret = "simulated-secret-7d21"
    client_id = "simulated-client"
    client_secret = "simulated-client-secret-55b0"

    def __init__(
        self,
        *,
        clock: cw.Clock = cw.utc_now,
        keep_bodies: bool = True,
        count: int = 0,
        says: str = "newest",
        known_only: bool = False,
    ) -> None:
        super().__init__(clock=clock, keep_bodies=keep_bodies)
        self.count = count
        self.says = says
        self.known_only = known_only
        self.learners: dict[str, str] = {}
        self.outcomes: dict[str, Any] = {}
        self.assignments: dict[str, tuple[str, str, str]] = {}
        self.refused: list[str] = []
        self.throttle_s = 0
        self.has: datetime | None = None
        self._session_tokens: dict[str, datetime] = {}
        self._tokens: dict[str, datetime] = {}

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the portal's endpoints."""
        return [
            web.post(f"{CALLBACK}/progress", self._progress),
            web.post(TOKEN, self._token),
            web.get(f"{TRANSCRIPTS}/overview", self._overview),
            web.patch(f"{TRANSCRIPTS}/complete", self._complete),
            web.patch(f"{TRANSCRIPTS}/progress", self._start_training),
            web.get(ASSIGNMENTS, self._find_assignments),
            web.patch(f"{ASSIGNMENTS}/{{id}}", self._change_assignment),
        ]

    def sample_config(self, api: str = "transcript") -> dict[str, Any]:
        """Fields of a configuration that fits: by the portal's APIs, with e-mail addresses as its user ids."""
        fields: dict[str, Any] = {"cornerstone_base_url": self.url, "completion_api": api}
        if api == "callback":
            return {**fields, "key": self.key, "secret": self.secret}
        application = {"client_id": self.client_id, "client_secret": self.client_secret}
        return {**fields, **application, "learner_id": "email", "learner_field": "externalId"}

    def reset(self) -> None:
        """Forget courses, learners and results."""
        super().reset()
        self.learners.clear()
        self.assignments.clear()
        self.refused.clear()
        self.has = None

    def is_live(self, key: str) -> bool:
        """Tell whether learners can see a course."""
        return bool(self.items.get(key, {}).get("IsActive"))

    def expire_tokens(self) -> None:
        """Let every token, of sessions and of applications, be over."""
        self._tokens.clear()
        self._session_tokens.clear()

    # -- what the portal asks us ---------------------------------------------------------------------

    async def fetch(self, call: InboundCall, customer: str) -> None:
        """Poll until a list is empty, or says nothing new, and so acknowledge everything."""
        for _ in range(1000):
            before = self.has
            if not await self.poll(call, customer) or (self.says == "newest" and self.has == before):
                return

    async def poll(self, call: InboundCall, customer: str, **headers: str) -> list[dict[str, Any]]:
        """Ask for the course list once, and take what is newer than what the portal has.

        Raises:
            RuntimeError: The answer was no list.
        """
        answer = await self.ask(call, customer, **headers)
        listed = orjson.loads(answer.body)
        if answer.status != 200 or not isinstance(listed, list):
            raise RuntimeError(f"the course list was answered {answer.status}: {answer.body[:200]!r}")
        for course in listed:
            self._take(course)
        if self.says == "clock":
            self.has = self.clock()
        return listed

    async def ask(self, call: InboundCall, customer: str, **headers: str) -> cw.InboundAnswer:
        """Ask for the course list once, and do nothing with the answer: as if it were lost."""
        query = [("ciid", customer)] + ([("count", str(self.count))] if self.count else [])
        if self.has is not None and self.says != "nothing":
            headers = {"If-Modified-Since": format_datetime(self.has, usegmt=True), **headers}
        return await call(
            "GET", COURSE_LIST, query=query, headers=headers, caller=Caller(customers=[customer])
        )

    def _take(self, data: dict[str, Any]) -> None:
        try:
            course = Course.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            self.refused.append(f"{data.get('ID')}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
            return
        if self.is_poisoned(course.ID):
            self.refused.append(f"{course.ID}: refused whatever it holds")
            return
        changed = datetime.fromisoformat(course.LastModifiedUTC)
        if self.says == "newest":
            self.has = max(self.has or changed, changed)
        held = self.items.get(course.ID)
        if held is None or datetime.fromisoformat(held["LastModifiedUTC"]) < changed:
            self.items[course.ID] = data
            self.arrivals[course.ID] += 1

    def arrive(self, learner: str) -> dict[str, str]:
        """Return the parameters of a learner's launch of a course."""
        token = f"{secrets.token_urlsafe(12)}+/="
        self._session_tokens[token] = self.clock() + SESSION_TOKEN_LIFETIME
        guid = self.learners.setdefault(learner, str(uuid5(PEOPLE, learner)))
        host = re.sub(r"^https?://|:\d+$", "", self.url)
        return {
            "userGuid": guid,
            "sessionToken": token,
            "callbackUrl": CALLBACK,
            "fqdn": host,
            "subdomain": host.partition(".")[0],
        }

    async def launch(self, call: InboundCall, customer: str, course: str, learner: str) -> None:
        """Send a learner to us, who lands at a front end that hands on what was brought.

        Raises:
            RuntimeError: It was not taken.
        """
        brought = {"enterpriseUUID": customer, "courseKey": course, **self.arrive(learner)}
        answer = await call("POST", SAVE, body=orjson.dumps(brought), caller=Caller(learner=learner))
        if answer.status != 200:
            raise RuntimeError(f"the launch was answered {answer.status}: {answer.body[:200]!r}")

    # -- the callback --------------------------------------------------------------------------------

    async def _progress(self, request: web.Request) -> web.Response:
        if refusal := self._throttled():
            return refusal
        pair = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return _error(401, "the user name or password is wrong")
        ends_at = self._session_tokens.get(request.query.get("sessionToken", ""))
        if ends_at is None or ends_at <= self.clock():
            return _error(401, "the session token is unknown or over")
        body = await _json(request)
        if not isinstance(body, list) or len(body) != 1:
            return _error(400, "an array with one entry is wanted")
        try:
            progress = Progress.model_validate(body[0])
        except ValidationError as error:
            return _error(400, _first(error))
        if (progress.status == "Completed") != (progress.completionDate is not None):
            return _error(400, "completionDate belongs to Completed, and to nothing else")
        if self.is_poisoned(progress.userGuid, progress.courseId):
            return _error(400, "this result is refused")
        if progress.userGuid not in self.learners.values():
            return _error(404, "the user does not exist")
        if progress.courseId not in self.items:
            return _error(404, "the course does not exist")
        self._note(progress.userGuid, progress.courseId, body[0])
        return json_response({"status": "Success"})

    def _note(self, learner: str, course: str, told: dict[str, Any]) -> None:
        """Keep a result; of a completion that is there, status and date stay."""
        key = f"{learner} {course}"
        held = self.outcomes.get(key, {})
        final = held if held.get("status") == "Completed" else {}
        kept = {name: final[name] for name in ("status", "completionDate") if name in final}
        self.outcomes[key] = {**told, **kept}
        self.arrivals[key] += 1

    # -- the portal's APIs ---------------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        body = await _json(request)
        if request.content_type != "application/json" or not isinstance(body, dict):
            return _error(415, "the body must be application/json")
        if body.get("grantType") != "client_credentials" or not body.get("scope"):
            return _error(400, "grantType and scope are wanted")
        if (body.get("clientId"), body.get("clientSecret")) != (self.client_id, self.client_secret):
            return _error(401, "the client is not registered")
        token = secrets.token_hex(24)
        self._tokens[token] = self.clock() + timedelta(seconds=TOKEN_LIFETIME_S)
        return json_response(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": TOKEN_LIFETIME_S,
                "scope": body["scope"],
            }
        )

    def _refusal(self, request: web.Request) -> web.Response | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        ends_at = self._tokens.get(token) if scheme == "Bearer" else None
        if ends_at is None or ends_at <= self.clock():
            return _error(401, "the access token is unknown or over")
        return self._throttled()

    def _throttled(self) -> web.Response | None:
        if not self.throttle_s:
            return None
        body = {"status": "429", "error": {"code": "429", "message": "too many requests"}}
        return json_response(body, status=429, headers={"Retry-After": str(self.throttle_s)})

    async def _overview(self, request: web.Request) -> web.Response:
        learner = request.query.get("externalId") or request.query.get("userGuid")
        found = [told for key, told in self.outcomes.items() if key.split(" ")[0] == learner]
        return self._refusal(request) or json_response({"data": found, "totalRecords": len(found)})

    async def _complete(self, request: web.Request) -> web.Response:
        today = self.clock().date().isoformat()
        return await self._training(request, {"status": "Completed", "completionDate": today}, final=True)

    async def _start_training(self, request: web.Request) -> web.Response:
        return await self._training(request, {"status": "In Progress", "completionDate": None}, final=False)

    async def _training(self, request: web.Request, told: dict[str, Any], *, final: bool) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            wanted = Transcript.model_validate(await _json(request))
        except ValidationError as error:
            return _error(400, _first(error))
        if (wanted.userGuid is None) is (wanted.externalId is None):
            return _error(400, "name the learner by userGuid or by externalId")
        if wanted.ignoreWorkflow is not None and not final:
            return _error(400, "ignoreWorkflow belongs to completions")
        learner = str(wanted.userGuid or wanted.externalId)
        known = self.learners if wanted.externalId else self.learners.values()
        if self.is_poisoned(learner, wanted.learningObjectId):
            return _error(400, "this result is refused")
        if self.known_only and learner not in known:
            return _error(404, "the user does not exist")
        if wanted.learningObjectId not in self.items:
            return _error(404, "the learning object does not exist")
        self._note(learner, wanted.learningObjectId, {**wanted.model_dump(exclude_none=True), **told})
        return json_response({"status": "Success"})

    async def _find_assignments(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        asked = (request.query.get("userId"), request.query.get("loId"))
        found = [
            {"assignmentId": key, "userId": learner, "loId": course, "status": status}
            for key, (learner, course, status) in self.assignments.items()
            if (learner, course) == asked
        ]
        return json_response(found)

    async def _change_assignment(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        body, key = await _json(request), request.match_info["id"]
        if key not in self.assignments:
            return _error(404, "the assignment does not exist")
        if not isinstance(body, dict) or set(body) - {"Status", "LastAccessDate"} or not body.get("Status"):
            return _error(400, "Status is wanted")
        learner, course, _ = self.assignments[key]
        self.assignments[key] = (learner, course, body["Status"])
        self._note(learner, course, {"userGuid": learner, "status": body["Status"]})
        return json_response({"status": "Success"})


async def _json(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        return None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _error(status: int, message: str) -> web.Response:
    return json_response({"status": str(status), "error": {"message": message}}, status=status)

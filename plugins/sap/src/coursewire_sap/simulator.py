"""A stand-in for one SAP SuccessFactors Learning tenant.

It has both token endpoints, the course import, both endpoints of completions and the user search. It is as
strict as SAP is known to be, and refuses what SAP is not known to take: one wrong course refuses its whole
batch, a field that it does not know is wrong, one import call is taken per window, and nobody reports a
completion for somebody else but the service user. Whatever arrives twice is recorded twice.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, cast
from urllib.parse import parse_qsl

import orjson
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from signxml.exceptions import InvalidInput, InvalidSignature
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

import coursewire as cw
from coursewire.testing.simulator import Simulator, json_response
from coursewire_sap.assertion import DS, SAML
from coursewire_sap.auth import GRANT_TYPE
from coursewire_sap.config import AuthType
from coursewire_sap.outcomes import GENERIC_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_IMPORT = 1000
LARGEST_PAGE = 1000
LEARNING_TOKEN_LIFETIME_S = 1800
PLATFORM_TOKEN_LIFETIME_S = 86_400
TOKEN_EXPIRED = "LGN0022"
INACTIVE = "The user account is inactive."
EARLIEST_MS = 10**11
"""In 1973. What is smaller was meant as seconds."""

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


_Filled = Annotated[str, Field(min_length=1)]


class _Localized(_Strict):
    locale: _Filled
    value: _Filled


class _LaunchPoint(_Strict):
    providerID: _Filled  # noqa: N815 - SAP's names
    launchURL: _Filled  # noqa: N815
    contentTitle: _Filled  # noqa: N815
    contentID: _Filled  # noqa: N815
    launchType: int  # noqa: N815
    mobileEnabled: bool  # noqa: N815
    mobileLaunchURL: str | None = None  # noqa: N815


class _ScheduleEntry(_Strict):
    startDate: int  # noqa: N815
    endDate: int  # noqa: N815
    active: bool
    duration: str | None = None


class _Price(_Strict):
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    value: float


class Course(_Strict):
    """A course as the import takes it."""

    courseID: _Filled  # noqa: N815
    providerID: _Filled  # noqa: N815
    status: Literal["ACTIVE", "INACTIVE", "DELETED"] = "ACTIVE"
    title: Annotated[list[_Localized], Field(min_length=1)]
    description: Annotated[list[_Localized], Field(min_length=1)]
    thumbnailURI: str | None = None  # noqa: N815
    content: Annotated[list[_LaunchPoint], Field(min_length=1)]
    revisionNumber: int = 1  # noqa: N815
    schedule: list[_ScheduleEntry] = []
    price: list[_Price] = []
    duration: str | None = None


class CourseWithHours(Course):
    """The same at a tenant that takes hours."""

    creditHours: float | None = None  # noqa: N815
    totalHours: float | None = None  # noqa: N815


class _LearningEvent(_Strict):
    completedTimestamp: Annotated[int, Field(ge=EARLIEST_MS)]  # noqa: N815
    courseID: _Filled  # noqa: N815
    providerID: _Filled  # noqa: N815
    userID: _Filled  # noqa: N815
    grade: Annotated[str, Field(max_length=100)] | None = None
    totalHours: float | None = None  # noqa: N815
    creditHours: float | None = None  # noqa: N815
    contactHours: float | None = None  # noqa: N815
    cpeHours: float | None = None  # noqa: N815
    comments: str | None = None
    instructorName: str | None = None  # noqa: N815
    price: float | None = None
    currency: str | None = None


class OwnEvent(_LearningEvent):
    """A completion as a learner reports it."""

    courseCompleted: Literal["true", "false"]  # noqa: N815


class GenericEvent(_LearningEvent):
    """A completion as the service user reports it."""

    courseCompleted: bool  # noqa: N815


class _Issued(NamedTuple):
    user: str
    expires_at: datetime


class SapSimulator(Simulator):
    """A running tenant.

    Args:
        clock: The present instant.
        keep_bodies: Keep request bodies in :attr:`seen`.
        window_seconds: One import call is taken in this time; 0 for no limit.
        allow_hours: The tenant takes ``creditHours`` and ``totalHours`` in a course.
        name_refused: A refused batch says which course was at fault.
        students_only: Only who is in ``students`` is a user; else everybody is.
        imported_only: Completions are taken only of courses that were imported.
        inactive_get_tokens: An inactive user learns it at the completion; else at the request for a token.
        search_spacing_seconds: A search sooner than this after the last one is refused.

    Attributes:
        refuse_inside: Ids of courses whose completions are refused inside an answer with status 201.
        students: All users: ``{"studentID": ..., "isActive": ...}``.

    A poisoned course is refused, and so are its completions. In ``arrivals`` completions stand under user and course.
    """

    code: ClassVar[str] = "SAP"
    token_paths = ("/learning/oauth-api/rest/v1/token", "/oauth/token")

    company = "SIMULATED"
    user = "ocn-admin"
    key = "simulated-client"
    secret = "simulated-secret-9f31"
    provider = "EDX"
    audience = "www.successfactors.com"

    def __init__(
        self,
        *,
        clock: cw.Clock = cw.utc_now,
        keep_bodies: bool = True,
        window_seconds: float = 0,
        allow_hours: bool = False,
        name_refused: bool = True,
        students_only: bool = False,
        imported_only: bool = False,
        inactive_get_tokens: bool = True,
        search_spacing_seconds: float = 0,
    ) -> None:
        super().__init__(clock=clock, keep_bodies=keep_bodies)
        self.window_seconds = window_seconds
        self.course_model = CourseWithHours if allow_hours else Course
        self.name_refused = name_refused
        self.refuse_inside: set[str] = set()
        self.students_only = students_only
        self.imported_only = imported_only
        self.inactive_get_tokens = inactive_get_tokens
        self.search_spacing_seconds = search_spacing_seconds
        self.students: list[dict[str, Any]] = []
        self.outcomes: list[dict[str, Any]] = []
        self._tokens: dict[str, _Issued] = {}
        self._search_not_before: datetime | None = None
        self._import_not_before: datetime | None = None
        self._signing_key: rsa.RSAPrivateKey | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the tenant's endpoints."""
        return [
            web.post(self.token_paths[0], self._learning_token),
            web.post(self.token_paths[1], self._platform_token),
            web.post("/learning/odatav4/public/admin/ocn/v1/OcnCourses", self._import),
            web.post(
                "/learning/odatav4/public/admin/ocn/v1/current-user/item/learning-event", self._own_event
            ),
            web.post(f"/{GENERIC_PATH}", self._generic_event),
            web.get("/learning/odatav4/searchStudent/v1/Students", self._students),
        ]

    def sample_config(self, auth_type: AuthType = AuthType.LEARNING_TOKEN_SERVER) -> dict[str, Any]:
        """Fields of a configuration that fits; for a self-signed assertion with a fresh key, registered here."""
        fields = {
            "auth_type": auth_type.value,
            "key": self.key,
            "sapsf_base_url": self.url,
            "sapsf_company_id": self.company,
            "sapsf_user_id": self.user,
            "call_interval_seconds": self.window_seconds,
        }
        if auth_type is AuthType.LEARNING_TOKEN_SERVER:
            return {**fields, "secret": self.secret}
        self._signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = self._signing_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {**fields, "private_key": pem.decode("ascii")}

    def reset(self) -> None:
        """Forget what arrived, and the window; tokens stay good."""
        super().reset()
        self._import_not_before = self._search_not_before = None

    @property
    def completions(self) -> list[dict[str, Any]]:
        """The records, in order."""
        return self.outcomes

    def is_live(self, key: str) -> bool:
        """Tell whether learners can see a course."""
        course = self.items.get(key)
        return course is not None and course.get("status") != "INACTIVE"

    def history(self) -> list[dict[str, Any]]:
        """Return the completions that learners see: one in the future never shows."""
        now_ms = self.clock().timestamp() * 1000
        return [each for each in self.completions if each["completedTimestamp"] <= now_ms]

    def deactivate(self, learner: str) -> None:
        """Make a user inactive."""
        self.students = [each for each in self.students if each["studentID"] != learner]
        self.students.append({"studentID": learner, "isActive": False})

    def expire_tokens(self) -> None:
        """Make every token that was issued worthless."""
        self._tokens.clear()

    # -- tokens ----------------------------------------------------------------------------------

    async def _learning_token(self, request: web.Request) -> web.Response:
        pair = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return _error(403, "the client id or secret is wrong")
        if request.content_type != "application/json":
            return _error(415, "the body must be application/json")
        body = await _json(request)
        scope = body.get("scope") if isinstance(body, dict) else None
        user, kind = (scope.get("userId"), scope.get("userType")) if isinstance(scope, dict) else (None, None)
        wanted = {"userId": user, "companyId": self.company, "resourceType": "learning_public_api"}
        if body != {"grant_type": "client_credentials", "scope": {**wanted, "userType": kind}}:
            return _error(400, "the token request is malformed")
        if kind not in (("user", "admin") if user == self.user else ("user",)):
            return _error(400, "the user is not of this type")
        return self._issue(user, LEARNING_TOKEN_LIFETIME_S)

    async def _platform_token(self, request: web.Request) -> web.Response:
        form = parse_qsl((await request.read()).decode("ascii", "replace"), keep_blank_values=True)
        if request.content_type != "application/x-www-form-urlencoded" or "Authorization" in request.headers:
            return _error(400, "a form without an Authorization header is wanted")
        if [name for name, _ in form] != ["client_id", "company_id", "grant_type", "assertion"]:
            return _error(400, "the form has other fields")
        fields = dict(form)
        if (fields["client_id"], fields["company_id"]) != (self.key, self.company):
            return _error(401, "the client is not registered")
        if fields["grant_type"] != GRANT_TYPE:
            return _error(400, "the grant type is wrong")
        fault, user = self._read_assertion(fields["assertion"], str(request.url))
        return _error(401, fault) if fault else self._issue(user, PLATFORM_TOKEN_LIFETIME_S)

    def _read_assertion(self, encoded: str, url: str) -> tuple[str, str]:
        """Return the fault of an assertion, "" for none, and the user whom it names."""
        try:
            sent = etree.fromstring(base64.b64decode(encoded, validate=True), _PARSER)
            verified = XMLVerifier().verify(
                sent, id_attribute="ID", expect_config=SignatureConfiguration(require_x509=False)
            )
        except (ValueError, etree.XMLSyntaxError, InvalidInput, InvalidSignature):
            return "Unable to verify the signature of the SAML assertion", ""
        modulus = sent.findtext(f".//{{{DS}}}Modulus") or ""
        if self._signing_key is None or self._signing_key.public_key().public_numbers().n != int.from_bytes(
            base64.b64decode(modulus)
        ):
            return (
                "Unable to verify the signature of the SAML assertion: the key pair is another client's",
                "",
            )
        assertion = cast(VerifyResult, verified).signed_xml
        if assertion is None or assertion.tag != f"{{{SAML}}}Assertion":
            return "the signature does not cover the assertion", ""
        now = self.clock()

        def text(path: str) -> str | None:
            found: str | None = assertion.findtext(path, namespaces={"s": SAML})
            return found

        conditions = assertion.find("s:Conditions", namespaces={"s": SAML})
        confirmed = assertion.find(".//s:SubjectConfirmationData", namespaces={"s": SAML})
        if conditions is None or confirmed is None:
            return "the assertion lacks conditions or subject confirmation", ""
        until = min(_instant(conditions.get("NotOnOrAfter")), _instant(confirmed.get("NotOnOrAfter")))
        checks = {
            "the assertion is not valid now": _instant(conditions.get("NotBefore")) <= now < until,
            "the issuer is wrong": text("s:Issuer") in (self.key, self.audience),
            "the audience is wrong": text("s:Conditions/s:AudienceRestriction/s:Audience") == self.audience,
            "the recipient is wrong": confirmed.get("Recipient") == url,
            "the API key is wrong": text("s:AttributeStatement/s:Attribute[@Name='api_key']/s:AttributeValue")
            == self.key,
        }
        fault = next((fault for fault, fine in checks.items() if not fine), "")
        return fault, text("s:Subject/s:NameID") or ""

    def _issue(self, user: Any, lifetime_s: int) -> web.Response:
        if fault := self._fault_of_user(user, at_token=True):
            return _error(401, fault)
        token = secrets.token_hex(24)
        self._tokens[token] = _Issued(user, self.clock() + timedelta(seconds=lifetime_s))
        return json_response({"access_token": token, "token_type": "Bearer", "expires_in": lifetime_s})

    def _fault_of_user(self, user: Any, *, at_token: bool = False) -> str:
        if not isinstance(user, str) or not user:
            return "the user does not exist"
        if user == self.user:
            return ""
        found = next((each for each in self.students if each["studentID"] == user), None)
        if found is None:
            return "the user does not exist" if self.students_only else ""
        silent = at_token and self.inactive_get_tokens
        return "" if found["isActive"] or silent else INACTIVE

    def _unauthorized(self, request: web.Request, user: str | None = None) -> web.Response | None:
        """Why a call is refused: its token is no good, or another user's than ``user`` (the service user)."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        issued = self._tokens.get(token) if scheme == "Bearer" else None
        if issued is None or issued.expires_at <= self.clock():
            return _error(401, "the token is unknown or has expired", code=TOKEN_EXPIRED)
        if issued.user != (user or self.user):
            return _error(403, "this user has no permission")
        return None

    # -- courses ---------------------------------------------------------------------------------

    async def _import(self, request: web.Request) -> web.Response:
        if refusal := self._unauthorized(request):
            return refusal
        now = self.clock()
        if self._import_not_before is not None and now < self._import_not_before:
            wait = (self._import_not_before - now).total_seconds()
            return _error(429, "API calling limit exceeded", headers={"Retry-After": str(int(-(-wait // 1)))})
        self._import_not_before = now + timedelta(seconds=self.window_seconds)
        body = await _json(request)
        courses = body.get("ocnCourses") if isinstance(body, dict) and len(body) == 1 else None
        if not isinstance(courses, list) or not 1 <= len(courses) <= LARGEST_IMPORT:
            return _error(400, f"ocnCourses with 1 to {LARGEST_IMPORT} entries is wanted")
        if fault := self._fault_of(courses):
            return _error(400, fault)
        for course in courses:
            self.items[course["courseID"]] = course
            self.arrivals[course["courseID"]] += 1
        return json_response({"@odata.context": "$metadata#OcnCourses/$entity", "ocnCourses": courses})

    def _fault_of(self, courses: list[Any]) -> str:
        """Why the batch is refused: the first fault of its first wrong course."""
        known: set[str] = set()
        for data in courses:
            fault = ""
            try:
                course = self.course_model.model_validate(data)
            except ValidationError as error:
                first = error.errors()[0]
                fault = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            else:
                if course.providerID != self.provider:
                    fault = "providerID: not registered"
                elif course.courseID in known or self.is_poisoned(course.courseID):
                    fault = "courseID: refused"
                known.add(course.courseID)
            if fault:
                named = (
                    f"course {data.get('courseID')}: " if self.name_refused and isinstance(data, dict) else ""
                )
                return f"{named}{fault}"
        return ""

    # -- completions -----------------------------------------------------------------------------

    async def _own_event(self, request: web.Request) -> web.Response:
        body = await _json(request)
        user = body.get("userID") if isinstance(body, dict) else None
        return self._unauthorized(request, str(user)) or self._record_event(OwnEvent, body)

    async def _generic_event(self, request: web.Request) -> web.Response:
        return self._unauthorized(request) or self._record_event(GenericEvent, await _json(request))

    def _record_event(self, model: type[_LearningEvent], body: Any) -> web.Response:
        try:
            event = model.model_validate(body)
        except ValidationError as error:
            first = error.errors()[0]
            return _error(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        fault = self._fault_of_user(event.userID)
        if event.providerID != self.provider:
            fault = "providerID: not registered"
        if self.imported_only and event.courseID not in self.items:
            fault = f"course {event.courseID} was not found"
        if self.is_poisoned(event.userID, event.courseID):
            fault = f"course {event.courseID}: refused"
        if fault:
            return _error(400, fault)
        answer = {"@odata.context": "$metadata#OCNLearningEvents/$entity", **body}
        if event.courseID in self.refuse_inside:
            return json_response({**answer, "errorMessage": "it cannot be recorded"}, status=201)
        self.outcomes.append(body)
        self.arrivals[f"{event.userID} {event.courseID}"] += 1
        return json_response({**answer, "errorMessage": None}, status=201)

    # -- users -----------------------------------------------------------------------------------

    async def _students(self, request: web.Request) -> web.Response:
        if refusal := self._unauthorized(request):
            return refusal
        now = self.clock()
        if self._search_not_before is not None and now < self._search_not_before:
            return _error(429, "API calling limit exceeded")
        self._search_not_before = now + timedelta(seconds=self.search_spacing_seconds)
        query = request.query
        try:
            top, skip = int(query.get("$top", LARGEST_PAGE)), int(query.get("$skip", 0))
        except ValueError:
            return _error(400, "$top and $skip are numbers")
        if not 1 <= top <= LARGEST_PAGE or skip < 0:
            return _error(400, f"a page has 1 to {LARGEST_PAGE} entries")
        inactive_only = query.get("$filter") == "criteria/isActive eq False"
        found = [student for student in self.students if not (inactive_only and student["isActive"])]
        total = len(found)
        found = self.page_of(found, start=skip, size=top, of=request.path).rows
        page = [{"studentID": student["studentID"]} for student in found]
        count = {"@odata.count": total} if query.get("$count") == "true" else {}
        return json_response({**count, "value": page})


async def _json(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        return None


def _error(
    status: int, message: str, *, code: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    return json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)


def _instant(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "0001-01-01T00:00:00Z")

"""A stand-in for one Moodle: tokens, the REST server in both formats, courses, assignments, participants, grades.

It is as strict as Moodle 3.11, 4.5 and 5.0 were seen to be: errors come with HTTP 200, a wrong parameter refuses the
whole call without a hint, creating is all or nothing, updating and deleting go course by course, and rights
that are missing often just make things invisible. Functions that the channel does not call do nothing.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
import unicodedata
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

from aiohttp import web

import coursewire as cw
from coursewire.testing.simulator import Simulator, json_response
from coursewire_moodle.config import MoodleConfig
from coursewire_moodle.simulator.courses import CourseFunctions
from coursewire_moodle.simulator.forms import JsonObject, MoodleError, Printed, as_php, checked
from coursewire_moodle.simulator.grades import GradeFunctions
from coursewire_moodle.simulator.releases import RELEASES, release_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RIGHTS = (
    "webservice/rest:use",
    "moodle/course:create",
    "moodle/course:view",
    "moodle/course:update",
    "moodle/course:changefullname",
    "moodle/course:changeshortname",
    "moodle/course:changeidnumber",
    "moodle/course:changesummary",
    "moodle/course:changecategory",
    "moodle/course:visibility",
    "moodle/course:delete",
    "moodle/course:viewhiddencourses",
    "moodle/course:viewparticipants",
    "moodle/course:useremail",
    "moodle/course:viewhiddenactivities",
    "moodle/user:viewdetails",
    "moodle/site:accessallgroups",
    "moodle/grade:edit",
    "mod/assign:view",
    "moodle/webservice:createtoken",
)
SUB_DIRECTORY = "lms"
MOST_FIELDS = 1000
CLASSES = {
    "accessexception": "webservice_access_exception",
    "codingerror": "coding_exception",
    "dbconnectionfailed": "dml_connection_exception",
    "dmlreadexception": "dml_read_exception",
    "dmlwriteexception": "dml_write_exception",
    "invalidparameter": "invalid_parameter_exception",
    "invalidrecord": "dml_missing_record_exception",
    "invalidrecordunknown": "dml_missing_record_exception",
    "nopermissions": "required_capability_exception",
    "requireloginerror": "require_login_exception",
}
"""Codes to the classes of their exceptions, without a namespace; any other is a ``moodle_exception``."""
WITHOUT_NAMESPACE = ("dml_", "webservice_")
"""Beginnings of the classes that have no namespace in any release."""
OTHER_FUNCTIONS = (
    "core_completion_override_activity_completion_status",
    "core_course_duplicate_course",
    "core_course_get_contents",
    "core_course_get_courses",
    "core_course_search_courses",
    "core_enrol_search_users",
    "core_user_get_users",
    "core_user_get_users_by_field",
    "enrol_manual_enrol_users",
    "gradereport_user_get_grade_items",
    "mod_assign_save_grade",
    "mod_assign_save_grades",
)
"""Functions that every Moodle has and that the service does not: calling them is refused."""


class MoodleSimulator(Simulator):
    """One Moodle site, also reachable below ``/lms``.

    Attributes:
        functions: Names of the functions that the external service has; take some out to see them refused.
        rights: Names of the rights that the account has.
        outcomes: Grades as learners see them: (ID number of the course, e-mail address) to points.
        release: Number of the release that the site has, such as ``4.5.6``. It answers as the newest release that was
            seen and is not newer.
        case_sensitive: Compare texts as PostgreSQL does; else as MariaDB, to which accents, capitals and blanks at
            the end make no difference.
        reply_format: ``xml`` answers in XML whatever was asked; empty answers as asked.
        web_services: Web services are enabled.
        refuses: A code that every call gets, such as ``sitemaintenance``; empty for none.
        token_lifetime_s: Seconds that a token lasts which the account asked for; 0 for no end.
        makes_assignments: Each new course gets the assignment for final grades at once, as if an administrator
            had been quick.
        answer_for: Called with each function and its parameters; its answer, unless None, is given instead.
    """

    code: ClassVar[str] = MoodleConfig.code
    pages_content: ClassVar[bool] = False
    title_markup: ClassVar[bool] = False

    token_paths = tuple(f"{prefix}/login/token.php" for prefix in ("", f"/{SUB_DIRECTORY}"))

    username = "simulated-account"
    password = "simulated-password"
    service = "coursewire_service"

    def __init__(
        self, *, clock: cw.Clock = cw.utc_now, keep_bodies: bool = True, release: str = RELEASES[-1].full
    ) -> None:
        super().__init__(clock=clock, keep_bodies=keep_bodies)
        self.rights = set(RIGHTS)
        self.release = release
        self.case_sensitive = False
        self.reply_format = ""
        self.web_services = True
        self.refuses = ""
        self.token_lifetime_s = 0
        self.makes_assignments = True
        self.answer_for: Callable[[str, JsonObject], web.Response | None] = _real
        self.outcomes: dict[str, float] = {}
        self.tokens: dict[str, datetime | None] = {}
        self.ids = itertools.count(2)  # 1 is the front page
        self.courses = CourseFunctions(self)
        self.grades = GradeFunctions(self)
        self._known = {
            "core_webservice_get_site_info": ({}, self._site_info),
            **self.courses.functions(),
            **self.grades.functions(),
        }
        self.functions = set(self._known)

    @property
    def release(self) -> str:
        """Number of the release that the site has."""
        return self._release

    @release.setter
    def release(self, number: str) -> None:
        self.answers_as = release_of(number)
        self._release = number

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the routes of both scripts, at the root and below the sub-directory."""
        servers = (path.replace("login/token.php", "webservice/rest/server.php") for path in self.token_paths)
        return [
            *(web.route("*", path, self._token) for path in self.token_paths),
            *(web.route("*", path, self._serve) for path in servers),
        ]

    def sample_config(self) -> dict[str, Any]:
        """Return a configuration whose account, service and category this Moodle knows."""
        return {
            "moodle_base_url": self.url,
            "username": self.username,
            "password": self.password,
            "service_short_name": self.service,
            "category_id": 1,
        }

    def reset(self) -> None:
        """Forget courses, people, grades, tokens and requests; rights and functions stay."""
        super().reset()
        self.tokens.clear()
        self.courses.clear()
        self.grades.clear()
        self.answer_for = _real

    def enroll(self, course: str, email: str) -> None:
        """Make somebody a participant of a course; both are put in if they are missing."""
        held = self.items.get(course) or self.courses.add(course)
        user = self.grades.user_of(email) or self.grades.add_user(email)
        self.grades.enrolments.setdefault(held["id"], {})[user["id"]] = None

    def lose(self, key: str) -> None:
        """Delete a course, with all that is in it."""
        course = self.items.pop(key, None)
        if course is not None:
            del self.courses.held[course["id"]]

    def is_live(self, key: str) -> bool:
        """Tell whether learners can see a course."""
        return key in self.items and self.items[key]["visible"] == 1

    def make_token(self, *, lasts_s: float | None = None) -> str:
        """Make a token as an administrator does, without an end unless one is given."""
        value = secrets.token_hex(16)
        self.tokens[value] = None if lasts_s is None else self.clock() + timedelta(seconds=lasts_s)
        return value

    def expire_tokens(self) -> None:
        """Let every token be over: the next call with it gets ``accessexception``, the one after ``invalidtoken``."""
        self.tokens = dict.fromkeys(self.tokens, self.clock())

    def has(self, *permission_hint: str) -> bool:
        """Tell whether the account has all of these rights."""
        return self.rights.issuperset(permission_hint)

    def demand(self, right: str, code: str = "nopermissions") -> None:
        """Refuse an account that lacks a right."""
        if right not in self.rights:
            raise MoodleError(code, f"Sorry, but you do not currently have permissions to do that ({right}).")

    def folded(self, text: str) -> str:
        """Return a text as the site's database compares it."""
        if self.case_sensitive:
            return text
        parts = unicodedata.normalize("NFKD", text.casefold())
        return "".join(part for part in parts if not unicodedata.combining(part)).rstrip(" ")

    def missing_record(self, table: str) -> MoodleError:
        """Return the error for a record that is not in a table."""
        named = f" table {table}" if self.answers_as.names_tables else ""
        return MoodleError(self.answers_as.missing_record, f"Can't find data record in database{named}.")

    # -- tokens ------------------------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(await self._fields(request))
        try:
            if not {"username", "password", "service"} <= form.keys():
                raise MoodleError("missingparam", "A required parameter was missing")
            if not self.web_services:
                raise MoodleError("enablewsdescription", "Web services must be enabled in Advanced features.")
            if self.refuses:
                raise MoodleError(self.refuses, "Not now")
            if form["username"].strip().lower() != self.username or form["password"] != self.password:
                raise MoodleError("invalidlogin", "Invalid login, please try again")
            if form["service"] != self.service:
                raise MoodleError("servicenotavailable", "Web service is not available")
            good = [value for value, end in self.tokens.items() if end is None or end > self.clock()]
            if not good and not self.has("moodle/webservice:createtoken"):
                raise MoodleError("cannotcreatetoken", "The token could not be created")
        except MoodleError as error:
            nothing = dict.fromkeys(("stacktrace", "debuginfo", "reproductionlink"))
            return json_response({"error": error.message, "errorcode": error.code, **nothing})
        made = good[-1] if good else self.make_token(lasts_s=self.token_lifetime_s or None)
        return json_response({"token": made, "privatetoken": None})

    # -- the REST server -----------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.Response:
        if not self.web_services:
            return web.Response(status=403, content_type="text/html")
        fields = await self._fields(request)
        given = as_php(fields[:MOST_FIELDS])
        xml = (given.pop("moodlewsrestformat", ""), self.reply_format) != ("json", "")
        raw = given.pop("moodlewssettingraw", "") == "1"
        try:
            function = self._admitted(given)
            other = self.answer_for(function, given)
            if other is not None:
                return other
            spec, handler = self._known[function]
            answer = handler(checked(spec, given))
        except MoodleError as error:
            return self._error(error, xml=xml)
        if isinstance(answer, Printed):
            return web.Response(text=answer.text, content_type="text/html")
        return self._written(answer if raw else _escaped(answer), xml=xml)

    async def _fields(self, request: web.Request) -> list[tuple[str, str]]:
        fields = list(request.query.items())
        if request.content_type == "application/x-www-form-urlencoded":
            fields += parse_qsl((await request.read()).decode("utf-8"), keep_blank_values=True)
        return fields

    def _admitted(self, given: JsonObject) -> str:
        """Return the function that is called, once state, token, right and service have been looked at in this order."""
        token, function = given.pop("wstoken", ""), given.pop("wsfunction", "")
        if self.refuses == "upgraderunning":
            raise MoodleError(self.refuses, "The site is being upgraded.")
        if token not in self.tokens:
            raise MoodleError("invalidtoken", "Invalid token - token not found")
        end = self.tokens[token]
        if end is not None and end <= self.clock():
            del self.tokens[token]
            raise MoodleError("accessexception", "Access control exception")
        known_to_all = self.answers_as.tells_account_state or self.refuses == "wsaccessuserunconfirmed"
        if self.refuses.startswith("wsaccessuser") and not known_to_all:
            raise MoodleError("accessexception", "Access control exception")
        if self.refuses:
            raise MoodleError(self.refuses, "The site is undergoing <b>maintenance</b>.")
        if not function:
            raise MoodleError("invalidparameter", "Invalid parameter value detected")
        if function not in self._known and function not in OTHER_FUNCTIONS:
            raise self.missing_record("external_functions")
        if "webservice/rest:use" not in self.rights or function not in self.functions:
            raise MoodleError("accessexception", "Access control exception")
        return str(function)

    def _site_info(self, _given: JsonObject) -> JsonObject:
        listed = [{"name": name, "version": self.answers_as.version} for name in sorted(self.functions)]
        return {
            "sitename": "Simulated Moodle",
            "username": self.username,
            "userid": 3,
            "siteurl": self.url,
            "release": f"{self.release} (Build: {self.answers_as.build})",
            "userissiteadmin": False,
            "functions": listed,
        }

    def _error(self, error: MoodleError, *, xml: bool) -> web.Response:
        name = CLASSES.get(error.code, "moodle_exception")
        if not name.startswith(WITHOUT_NAMESPACE):
            name = self.answers_as.exception_namespace + name
        body = {"exception": name, "errorcode": error.code, "message": error.message}
        if not error.code:
            body = {"exception": "Error", "message": error.message}
        if not xml:
            return self._written(body, xml=False)
        code = f"<ERRORCODE>{error.code}</ERRORCODE>" if error.code else ""
        inside = (
            f'<EXCEPTION class="{name}">\n{code}\n<MESSAGE>{_entities(error.message)}</MESSAGE>\n</EXCEPTION>'
        )
        return _xml_response(inside)

    def _written(self, answer: Any, *, xml: bool) -> web.Response:
        if xml:
            return _xml_response(f"<RESPONSE>\n{'' if answer is None else _as_xml(answer)}</RESPONSE>\n")
        text = json.dumps(answer, separators=(",", ":")).replace("/", "\\/")
        return web.Response(text=text, content_type="application/json")


def _real(_function: str, _parameters: JsonObject) -> web.Response | None:
    return None


def _xml_response(text: str) -> web.Response:
    body = f'<?xml version="1.0" encoding="UTF-8" ?>\n{text}'
    return web.Response(text=body, content_type="application/xml", charset="utf-8")


def _as_xml(value: Any) -> str:
    if isinstance(value, dict):
        keys = "".join(f'<KEY name="{name}">{_as_xml(each)}</KEY>\n' for name, each in value.items())
        return f"<SINGLE>\n{keys}</SINGLE>\n"
    if isinstance(value, list):
        return f"<MULTIPLE>\n{''.join(map(_as_xml, value))}</MULTIPLE>\n"
    if value is None:
        return '<VALUE null="null"/>\n'
    return f"<VALUE>{_entities(str(int(value) if isinstance(value, bool) else value))}</VALUE>\n"


def _entities(text: str) -> str:
    """Escape as PHP's htmlentities does, which knows names that XML does not."""
    return re.sub("é", "&eacute;", escape(text, quote=False).replace('"', "&quot;"))


def _escaped(value: Any) -> Any:
    """Names and texts as Moodle shows them, unless raw values are asked for. ID numbers are not escaped."""
    if isinstance(value, dict):
        return {
            name: escape(each, quote=False)
            if isinstance(each, str) and name in ("fullname", "shortname", "name", "summary")
            else _escaped(each)
            for name, each in value.items()
        }
    return [_escaped(each) for each in value] if isinstance(value, list) else value

"""Users, memberships, columns and grades of the simulated Learn."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from aiohttp import web

from coursewire_blackboard.simulated_refusals import JsonObject, checked, missing, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from coursewire_blackboard.simulator import BlackboardSimulator

API = "/learn/api/public"
COLUMN_FIELDS: dict[str, Any] = {
    "externalId": str,
    "name": str,
    "displayName": str,
    "description": str,
    "externalGrade": bool,
    "score": {"possible": float},
    "availability": {"available": ("Yes", "No")},
    "grading": {
        "type": ("Attempts", "Calculated", "Manual"),
        "scoringModel": ("Last", "Highest", "Lowest", "First", "Average"),
        "anonymousGrading": {"type": ("None", "AfterAllGraded", "Date")},
    },
    "includeInCalculations": bool,
}
DECIMALS = 5


class SimulatedGradebook:
    """The members of each course, and their grades in its columns."""

    def __init__(self, learn: BlackboardSimulator) -> None:
        self._learn = learn
        self.users: dict[str, JsonObject] = {}
        self.memberships: dict[tuple[str, str], str] = {}
        self.columns: dict[str, JsonObject] = {}
        self.grades: dict[tuple[str, str], JsonObject] = {}
        self._ids = itertools.count(5001)

    def routes(self, api: Callable[..., Any]) -> list[web.RouteDef]:
        """Memberships, columns and cells."""
        columns = f"{API}/v2/courses/{{course}}/gradebook/columns"
        return [
            web.get(f"{API}/v1/courses/{{course}}/users", api(self._list_memberships)),
            web.get(f"{API}/v1/courses/{{course}}/users/{{user}}", api(self._show_membership)),
            web.get(columns, api(self._list_columns)),
            web.post(columns, api(self._create_column, 201)),
            web.get(f"{columns}/{{column}}", api(self._show_column)),
            web.patch(f"{columns}/{{column}}", api(self._update_column)),
            web.get(f"{columns}/{{column}}/users/{{user}}", api(self._show_grade)),
            web.patch(f"{columns}/{{column}}/users/{{user}}", api(self._write_grade)),
        ]

    def clear(self) -> None:
        """Forget everybody and everything."""
        for kept in (self.users, self.memberships, self.columns, self.grades):
            kept.clear()

    def forget(self, course_id: str) -> None:
        """A course is gone: so are its memberships, columns and grades."""
        for key in [key for key in self.memberships if key[0] == course_id]:
            del self.memberships[key]
        for column_id in [key for key, each in self.columns.items() if each["_course"] == course_id]:
            del self.columns[column_id]
            for cell in [key for key in self.grades if key[0] == column_id]:
                del self.grades[cell]

    def add_user(self, email: str | None, **fields: Any) -> JsonObject:
        """Put a user in; the user name is the e-mail address unless said otherwise."""
        user_id = f"_{next(self._ids)}_1"
        user: JsonObject = {
            "id": user_id,
            "userName": email or user_id,
            "externalId": email or user_id,
            **fields,
        }
        if email is not None:
            user.setdefault("contact", {"email": email})
        self.users[user_id] = user
        return user

    def enroll(self, course: str, email: str, role: str = "Student") -> JsonObject:
        """Put somebody into a course, by our key; both are put in if they are missing."""
        held = self._learn.items.get(course) or self._learn.add_course(course)
        known = (each for each in self.users.values() if each.get("contact", {}).get("email") == email)
        user = next(known, None) or self.add_user(email)
        self.memberships[held["id"], user["id"]] = role
        return user

    def score(self, course: str, column: str, email: str) -> float | None:
        """Return the grade that the gradebook shows, by our keys and the learner's address."""
        outcome = self._learn.outcomes.get(f"{course} {column} {email}")
        return None if outcome is None else outcome["score"]

    # -- memberships -----------------------------------------------------------------------------------

    def _list_memberships(self, request: web.Request, _body: JsonObject) -> JsonObject:
        self._learn.demand("course.user.VIEW")
        course, role = self._learn.course_of(request), request.query.get("role")
        expand = request.query.get("expand") == "user"
        found = [
            {"userId": user, "courseId": where, "courseRoleId": held}
            | ({"user": self.users[user]} if expand and self.users[user].get("visible", True) else {})
            for (where, user), held in self.memberships.items()
            if where == course["id"] and role in (None, held)
        ]
        return self._learn.paged(request, found)

    def _show_membership(self, request: web.Request, _body: JsonObject) -> JsonObject:
        self._learn.demand("course.user.VIEW")
        course, user = self._learn.course_of(request), self._user_of(request)
        role = self.memberships.get((course["id"], user["id"]))
        if role is None:
            raise missing("user in this course")
        return {"userId": user["id"], "courseId": course["id"], "courseRoleId": role}

    # -- columns ---------------------------------------------------------------------------------------

    def _list_columns(self, request: web.Request, _body: JsonObject) -> JsonObject:
        self._learn.demand("course.gradebook.MODIFY")
        course = self._learn.course_of(request)
        mine = [_public(each) for each in self.columns.values() if each["_course"] == course["id"]]
        return self._learn.paged(request, mine)

    def _create_column(self, request: web.Request, body: JsonObject) -> JsonObject:
        self._learn.demand("course.gradebook.MODIFY")
        course = self._learn.course_of(request)
        fields = self._checked_column(course, body)
        if not fields.get("name") or not fields.get("score", {}).get("possible"):
            raise refusal(400, "name and score.possible are required")
        held = {each.get("externalId") for each in self.columns.values() if each["_course"] == course["id"]}
        if fields.get("externalId") in held:
            raise refusal(409, "Unique ID conflicts: a column with this external id exists")
        return self.add_column(course, **fields)

    def add_column(self, course: JsonObject, **fields: Any) -> JsonObject:
        """Put a column in as if somebody else had made it; counted unless said otherwise, as in Learn."""
        column_id = f"_{next(self._ids)}_1"
        column = {"includeInCalculations": True, **fields, "id": column_id, "_course": course["id"]}
        self.columns[column_id] = column
        return _public(column)

    def _show_column(self, request: web.Request, _body: JsonObject) -> JsonObject:
        self._learn.demand("course.gradebook.MODIFY")
        return _public(self._column_of(request))

    def _update_column(self, request: web.Request, body: JsonObject) -> JsonObject:
        self._learn.demand("course.gradebook.MODIFY")
        column = self._column_of(request)
        column.update(self._checked_column(self._learn.course_of(request), body))
        return _public(column)

    def _checked_column(self, course: JsonObject, body: JsonObject) -> JsonObject:
        if course["ultraStatus"] == "Ultra" and "includeInCalculations" in body:
            raise refusal(400, "includeInCalculations cannot be set in an Ultra course")
        return checked(body, COLUMN_FIELDS, {"name": 255, "externalId": 256})

    def _column_of(self, request: web.Request) -> JsonObject:
        course, text = self._learn.course_of(request), request.match_info["column"]
        kind, _, value = text.partition(":")
        for column_id, column in self.columns.items():
            named = column.get("externalId") == value if kind == "externalId" else column_id == text
            if named and column["_course"] == course["id"]:
                return column
        raise missing("grade column")

    # -- cells -----------------------------------------------------------------------------------------

    def _show_grade(self, request: web.Request, _body: JsonObject) -> JsonObject:
        return self._cell(request)[1]

    def _write_grade(self, request: web.Request, body: JsonObject) -> JsonObject:
        column, grade, user = self._cell(request)
        if body.keys() - {"score", "text", "notes", "feedback", "exempt"}:
            raise refusal(400, "unknown field of a grade")
        score = body.get("score")
        if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
            raise refusal(400, "score must be a number or null")
        course = self._learn.courses[column["_course"]]["externalId"]
        name = user.get("contact", {}).get("email") or user["userName"]
        if self._learn.is_poisoned(name, course):
            raise refusal(400, "The grade is not liked here")
        key = f"{course} {column.get('externalId')} {name}"
        shown = None if score is None else round(float(score), DECIMALS)
        grade["score"] = shown
        self.grades[column["id"], user["id"]] = grade
        self._learn.outcomes[key] = {"score": shown, "learner": name}
        self._learn.arrivals[key] += 1
        return grade

    def _cell(self, request: web.Request) -> tuple[JsonObject, JsonObject, JsonObject]:
        self._learn.demand("course.gradebook.MODIFY")
        column, user = self._column_of(request), self._user_of(request)
        if self.memberships.get((column["_course"], user["id"]), "Instructor") == "Instructor":
            raise missing("user in this course")
        cell = {"userId": user["id"], "columnId": column["id"], "score": None, "exempt": False}
        return column, self.grades.get((column["id"], user["id"]), cell), user

    def _user_of(self, request: web.Request) -> JsonObject:
        text = request.match_info["user"]
        kind, _, value = text.partition(":")
        for user_id, user in self.users.items():
            if (user.get(kind) == value) if kind in ("userName", "externalId") else (user_id == text):
                return user
        raise missing("user")


def _public(column: JsonObject) -> JsonObject:
    return {name: value for name, value in column.items() if not name.startswith("_")}

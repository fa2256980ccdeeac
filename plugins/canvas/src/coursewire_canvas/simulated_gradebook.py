"""The simulated Canvas's users, enrolments, assignments and grades.

As strict as Canvas, and stricter: unknown parameters are refused, and so is a look at the grades of
somebody who is not a student of the course.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from coursewire_canvas.simulated_refusals import JsonObject, invalid, message, not_found, unauthorized

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coursewire_canvas.simulator import CanvasSimulator

INTEGRATION_USER = 42
INSTRUCTOR = 7
SHORTEST_TERM = 3
GRADEABLE = ("active", "invited", "completed")

ASSIGNMENT_PARAMETERS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "integration_id": str,
    "points_possible": (int, float),
    "submission_types": (str, list),
    "published": bool,
    "omit_from_final_grade": bool,
}
"""Parameters of an assignment that the channel sends, and their types."""

Answer = tuple[Any, dict[str, str]]


class SimulatedGradebook:
    """People and grades of the simulated Canvas.

    Attributes:
        users: By id.
        enrollments: (course id, user id) to the state of the enrolment.
        assignments: By id.
        submissions: (assignment id, user id) to the submission, once there is a grade.
        progress_polls: Looks at a Progress before it is over; None for one that never is.
        fail_bulks: Let jobs end as failed with nothing written.
    """

    def __init__(self, canvas: CanvasSimulator) -> None:
        self.canvas = canvas
        self.progress_polls: int | None = 0
        self.fail_bulks = False
        self.clear()

    def clear(self) -> None:
        """Forget everybody and everything."""
        self.users: dict[int, JsonObject] = {}
        self.enrollments: dict[tuple[int, int], str] = {}
        self.assignments: dict[int, JsonObject] = {}
        self.submissions: dict[tuple[int, int], JsonObject] = {}
        self._jobs: dict[int, JsonObject] = {}
        self._ids = itertools.count(20_001)
        self._changes = itertools.count()

    def routes(self, api: Any) -> Sequence[web.RouteDef]:
        """Users, assignments, submissions and the progress of bulks."""
        one, submission = "/api/v1/courses/{course}", "/assignments/{assignment}/submissions/{user}"
        return [
            web.get("/api/v1/users/self", api(self._show_self)),
            web.get("/api/v1/accounts/{account}/users", api(self._search_users)),
            web.get(one + "/users", api(self._list_students)),
            web.get(one + "/enrollments", api(self._list_enrollments)),
            web.get(one + "/assignments", api(self._list_assignments)),
            web.post(one + "/assignments", api(self._create_assignment)),
            web.delete(one + "/assignments/{assignment}", api(self._delete_assignment)),
            web.get(one + submission, api(self._show_submission)),
            web.put(one + submission, api(self._grade)),
            web.get(one + "/students/submissions", api(self._list_submissions)),
            web.post(one + "/submissions/update_grades", api(self._grade_many)),
            web.get("/api/v1/progress/{progress}", api(self._show_progress)),
        ]

    # -- for tests and demonstrations --------------------------------------------------------------

    def add_user(self, email: str | None, *, login: str | None = None, **fields: Any) -> JsonObject:
        """Put a user in; the login is the e-mail address unless another is given."""
        user = {
            "id": next(self._ids),
            "name": "Pat Learner",
            "email": email,
            "login_id": login or email,
            "sis_user_id": None,
            "integration_id": None,
            **fields,
        }
        self.users[user["id"]] = user
        return user

    def enroll(self, course: str, email: str, *, state: str = "active") -> JsonObject:
        """Make a user a student of a course, by its integration id; both are put in if they are missing."""
        found = self.canvas.items.get(course) or self.canvas.add_course(course, workflow_state="available")
        known = [user for user in self.users.values() if user["email"] == email]
        user = known[0] if known else self.add_user(email)
        self.enrollments[found["id"], user["id"]] = state
        return user

    def add_assignment(self, course: str, integration_id: str | None, **fields: Any) -> JsonObject:
        """Put an assignment in as if somebody else had made it."""
        changed_at = self.canvas.clock() + timedelta(seconds=next(self._changes))
        made = {
            "id": next(self._ids),
            "course_id": self.canvas.items[course]["id"],
            "integration_id": integration_id,
            "name": "Assignment",
            "points_possible": 100,
            "published": True,
            "omit_from_final_grade": False,
            "updated_at": f"{changed_at:%Y-%m-%dT%H:%M:%SZ}",
            **fields,
        }
        self.assignments[made["id"]] = made
        return made

    def change_grade(
        self, integration_id: str, email: str, score: float, *, grader: int = INSTRUCTOR
    ) -> None:
        """Grade as an instructor would, in the assignment with this integration id."""
        assignment = next(a for a in self.assignments.values() if a["integration_id"] == integration_id)
        user = next(user for user in self.users.values() if user["email"] == email)
        self._write(assignment, user["id"], score, grader)

    def grade_of(self, integration_id: str, email: str) -> float | None:
        """Return the grade that the gradebook shows of a user in the assignments with this integration id; None for none."""
        scores = [
            submission["score"]
            for (assignment, user), submission in self.submissions.items()
            if self.assignments[assignment]["integration_id"] == integration_id
            and self.users[user]["email"] == email
        ]
        return scores[-1] if scores else None

    # -- people ------------------------------------------------------------------------------------

    def _show_self(self, _request: web.Request, _body: JsonObject) -> Answer:
        return {"id": INTEGRATION_USER, "name": "Integration"}, {}

    def _search_users(self, request: web.Request, _body: JsonObject) -> Answer:
        self.canvas.account_of(request)
        self.canvas.demand("read_roster")
        term = request.query.get("search_term", "").lower()
        if 0 < len(term) < SHORTEST_TERM:
            raise message(400, f"{SHORTEST_TERM} or more characters is required")
        found = [user for user in self.users.values() if term.isdecimal() and user["id"] == int(term)]
        fields = ("name", "email", "login_id", "sis_user_id", "integration_id")
        found = found or [
            user
            for user in self.users.values()
            if any(term in str(user[field] or "").lower() for field in fields)
        ]
        return self._shown_users(request, found)

    def _list_students(self, request: web.Request, _body: JsonObject) -> Answer:
        course = self.canvas.course_of(request)
        self.canvas.demand("read_roster")
        if request.query.getall("enrollment_type[]", []) != ["student"]:
            raise message(400, "the simulated Canvas has students only")
        states = request.query.getall("enrollment_state[]", ["active", "invited"])
        found = [
            self.users[user]
            for (where, user), state in self.enrollments.items()
            if where == course["id"] and state in states
        ]
        return self._shown_users(request, found)

    def _list_enrollments(self, request: web.Request, _body: JsonObject) -> Answer:
        course = self.canvas.course_of(request)
        self.canvas.demand("read_roster")
        if request.query.getall("type[]", []) != ["StudentEnrollment"]:
            raise message(400, "the simulated Canvas has students only")
        wanted, states = request.query.get("user_id"), request.query.getall("state[]", ["active", "invited"])
        found = [
            {"course_id": where, "user_id": user, "type": "StudentEnrollment", "enrollment_state": state}
            for (where, user), state in self.enrollments.items()
            if where == course["id"] and state in states and wanted in (None, str(user))
        ]
        return self.canvas.page(request, found)

    def _shown_users(self, request: web.Request, users: Sequence[JsonObject]) -> Answer:
        hidden = set()
        if "email" not in request.query.getall("include[]", []) or not self.canvas.may(
            "read_email_addresses"
        ):
            hidden.add("email")
        if not self.canvas.may("view_user_logins"):
            hidden.add("login_id")
        if not self.canvas.may("read_sis"):
            hidden |= {"sis_user_id", "integration_id"}
        page, headers = self.canvas.page(request, users)
        return [{k: v for k, v in user.items() if k not in hidden} for user in page], headers

    def _student(self, course: JsonObject, user: str) -> int:
        number = int(user) if user.isdecimal() else 0
        if self.enrollments.get((course["id"], number)) not in GRADEABLE:
            raise not_found()
        return number

    # -- assignments -------------------------------------------------------------------------------

    def _list_assignments(self, request: web.Request, _body: JsonObject) -> Answer:
        course = self.canvas.course_of(request)
        return self.canvas.page(request, list(self._of(course)))

    def _of(self, course: JsonObject) -> Iterable[JsonObject]:
        return (one for one in self.assignments.values() if one["course_id"] == course["id"])

    def _create_assignment(self, request: web.Request, body: JsonObject) -> Answer:
        course = self.canvas.course_of(request)
        self.canvas.demand("manage_assignments_add")
        fields = body.get("assignment")
        if not isinstance(fields, dict) or not fields.get("name"):
            raise message(400, "assignment[name] is missing")
        for name, value in fields.items():
            if name not in ASSIGNMENT_PARAMETERS:
                raise invalid(name, "unknown", f"Canvas knows no assignment parameter {name!r}")
            fits: bool = isinstance(value, ASSIGNMENT_PARAMETERS[name])
            if not fits or (isinstance(value, str) and len(value) > 255):
                raise invalid(name, "invalid", f"{name} is of a wrong type or too long")
        self.canvas.arrivals[f"assignment {fields.get('integration_id')}"] += 1
        return self.add_assignment(course["integration_id"], **fields), {}

    def _assignment(self, request: web.Request, course: JsonObject) -> JsonObject:
        text = request.match_info["assignment"]
        found = self.assignments.get(int(text)) if text.isdecimal() else None
        if found is None or found["course_id"] != course["id"]:
            raise not_found()
        return found

    def _delete_assignment(self, request: web.Request, _body: JsonObject) -> Answer:
        found = self._assignment(request, self.canvas.course_of(request))
        self.canvas.demand("manage_assignments_delete")
        return self.assignments.pop(found["id"]), {}

    # -- grades ------------------------------------------------------------------------------------

    def _show_submission(self, request: web.Request, _body: JsonObject) -> Answer:
        course = self.canvas.course_of(request)
        self.canvas.demand("view_all_grades")
        assignment = self._assignment(request, course)
        return self._shown(assignment, self._student(course, request.match_info["user"])), {}

    def _list_submissions(self, request: web.Request, _body: JsonObject) -> Answer:
        course = self.canvas.course_of(request)
        self.canvas.demand("view_all_grades")
        wanted = request.query.getall("assignment_ids[]", [])
        assignments = [one for one in self._of(course) if not wanted or str(one["id"]) in wanted]
        students = request.query.getall("student_ids[]", [])
        if not students or any(self.enrollments.get((course["id"], int(s))) is None for s in students):
            raise unauthorized()
        found = [self._shown(assignment, int(student)) for student in students for assignment in assignments]
        return self.canvas.page(request, found)

    def _shown(self, assignment: JsonObject, user: int) -> JsonObject:
        ungraded = {
            "assignment_id": assignment["id"],
            "user_id": user,
            "score": None,
            "grade": None,
            "grader_id": None,
            "graded_at": None,
            "excused": False,
            "workflow_state": "unsubmitted",
        }
        return self.submissions.get((assignment["id"], user), ungraded)

    def _grade(self, request: web.Request, body: JsonObject) -> Answer:
        course = self.canvas.course_of(request)
        self.canvas.demand("manage_grades")
        assignment = self._assignment(request, course)
        user = self._student(course, request.match_info["user"])
        if self._is_poisoned(user):
            raise invalid("posted_grade", "invalid", "is not taken for this student")
        given = body.get("submission")
        if not isinstance(given, dict) or set(given) != {"posted_grade"}:
            raise message(400, "submission[posted_grade], and nothing else, is expected")
        self._write(assignment, user, _score(given["posted_grade"], assignment), INTEGRATION_USER)
        return self._shown(assignment, user), {}

    def _grade_many(self, request: web.Request, body: JsonObject) -> Answer:
        course = self.canvas.course_of(request)
        self.canvas.demand("manage_grades")
        data = body.get("grade_data")
        if not isinstance(data, dict) or not data:
            raise message(400, "'grade_data' parameter required")
        known = {str(one["id"]): one for one in self._of(course)}
        unknown = [one for one in data if one not in known or not known[one]["published"]]
        if unknown:
            raise message(400, f"assignments not found or not published: {', '.join(unknown)}")
        writes = [
            (known[one], user, _score(grade["posted_grade"], known[one]))
            for one, grades in data.items()
            for user, grade in grades.items()
        ]
        number = next(self._ids)
        self._jobs[number] = {"course": course, "writes": writes, "polls": 0, "state": "queued", "text": None}
        return self._progress(number), {}

    def _show_progress(self, request: web.Request, _body: JsonObject) -> Answer:
        number = int(request.match_info["progress"])
        job = self._jobs.get(number)
        if job is None:
            raise not_found()
        if job["state"] in ("queued", "running"):
            job["polls"] += 1
            job["state"] = "running"
            if self.progress_polls is not None and job["polls"] > self.progress_polls:
                self._finish(job)
        return self._progress(number), {}

    def _finish(self, job: JsonObject) -> None:
        if self.fail_bulks:
            job["state"], job["text"] = "failed", "the job was stopped"
            return
        missing = set()
        for assignment, user, score in job["writes"]:
            number = int(user) if user.isdecimal() else 0
            gradeable = self.enrollments.get((job["course"]["id"], number)) in GRADEABLE
            if gradeable and not self._is_poisoned(number):
                self._write(assignment, number, score, INTEGRATION_USER)
            else:
                missing.add(user)
        job["state"] = "failed" if missing else "completed"
        if missing:
            job["text"] = f"Couldn't find User(s) with API ids {', '.join(sorted(missing))}"

    def _is_poisoned(self, user: int) -> bool:
        return self.canvas.is_poisoned(str(self.users[user]["email"]))

    def _progress(self, number: int) -> JsonObject:
        job = self._jobs[number]
        return {
            "id": number,
            "context_id": job["course"]["id"],
            "context_type": "Course",
            "user_id": INTEGRATION_USER,
            "tag": "submissions_update",
            "completion": 100 if job["state"] == "completed" else None,
            "workflow_state": job["state"],
            "message": job["text"],
            "url": f"{self.canvas.url}/api/v1/progress/{number}",
        }

    def _write(self, assignment: JsonObject, user: int, score: float | None, grader: int) -> None:
        self.submissions[assignment["id"], user] = {
            **self._shown(assignment, user),
            "score": score,
            "grade": None if score is None else f"{score:g}",
            "grader_id": grader,
            "graded_at": f"{self.canvas.clock():%Y-%m-%dT%H:%M:%SZ}",
            "excused": False,
            "workflow_state": "graded",
        }
        if grader == INTEGRATION_USER:
            told = {
                "assignment": assignment["integration_id"],
                "learner": self.users[user]["email"],
                "score": score,
            }
            self.canvas.outcomes.append(told)
            self.canvas.arrivals[f"{assignment['integration_id']} {self.users[user]['email']}"] += 1


def _score(posted: Any, assignment: JsonObject) -> float | None:
    """Points for a posted grade: a number, a number as text, a percentage; "" takes the grade away."""
    if posted == "":
        return None
    text = str(posted)
    try:
        if isinstance(posted, bool):
            raise ValueError(posted)
        if text.endswith("%"):
            return round(float(text[:-1]) * float(assignment["points_possible"] or 0) / 100, 2)
        return float(text)
    except ValueError as error:
        raise invalid("posted_grade", "invalid", f"{posted!r} is not a grade here") from error

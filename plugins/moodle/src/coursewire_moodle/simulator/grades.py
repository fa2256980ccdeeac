"""People, activities and the gradebook of a simulated Moodle, and the functions about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursewire_moodle.config import MoodleConfig
from coursewire_moodle.simulator.forms import (
    Function,
    JsonObject,
    MoodleError,
    Printed,
    flag,
    number,
    text,
    whole,
)

if TYPE_CHECKING:
    from coursewire_moodle.simulator.site import MoodleSimulator

USER_FIELDS = ("id", "username", "fullname", "email", "idnumber")
NO_INSTANCE = "The instance of this module does not exist"
WRITTEN, FAILED, LOCKED = 0, 1, 4


class GradeFunctions:
    """The people of the site, their courses, and their grades.

    Attributes:
        users: Users by id.
        enrolments: Course to the ids of its participants, in the order of ids.
        modules: Activities by course-module id. ``grade`` is the maximum, a negative number a scale, 0 for none.
        grades: (course-module id, user id) to points.
        overridden: Such pairs whose grade a teacher has set by hand.
        stray: Nameless grade items, as (course id, course-module id) of a call that mixed them up.
    """

    def __init__(self, site: MoodleSimulator) -> None:
        self.site = site
        self.users: dict[int, JsonObject] = {}
        self.enrolments: dict[int, dict[int, None]] = {}
        self.modules: dict[int, JsonObject] = {}
        self.grades: dict[tuple[int, int], float] = {}
        self.overridden: set[tuple[int, int]] = set()
        self.stray: list[tuple[int, int]] = []
        self._by_email: dict[str, JsonObject] = {}

    def functions(self) -> dict[str, Function]:
        """Return the functions by name, with their parameters."""
        grade = {"studentid!": whole, "grade!": number, "str_feedback": text}
        return {
            "mod_assign_get_assignments": (
                {"courseids": [whole], "includenotenrolledcourses": flag, "capabilities": [text]},
                self._assignments,
            ),
            "core_course_get_course_module": ({"cmid!": whole}, self._module),
            "core_enrol_get_enrolled_users": (
                {"courseid!": whole, "options": [{"name!": text, "value!": text}]},
                self._participants,
            ),
            "core_grades_update_grades": (
                {
                    "source!": text,
                    "courseid!": whole,
                    "component!": text,
                    "activityid!": whole,
                    "itemnumber!": whole,
                    "grades": [grade],
                },
                self._update_grades,
            ),
        }

    def clear(self) -> None:
        """Forget people, activities and grades."""
        for memory in (self.users, self.enrolments, self.modules, self.grades, self.overridden, self.stray):
            memory.clear()
        self._by_email.clear()

    def add_user(self, email: str, **fields: Any) -> JsonObject:
        """Put a user in; several may share an address where the site allows it."""
        number_ = next(self.site.ids)
        user = {
            "id": number_,
            "username": f"user{number_}",
            "fullname": "A learner",
            "idnumber": "",
            **fields,
        }
        user["email"] = email
        self.users[number_] = user
        self._by_email.setdefault(email.casefold(), user)
        return user

    def user_of(self, email: str) -> JsonObject | None:
        """Return the first user with an address."""
        return self._by_email.get(email.casefold())

    def add_assignment(self, course_id: int, **fields: Any) -> JsonObject:
        """Put an activity into a course; the assignment for final grades, unless told otherwise."""
        default = MoodleConfig.model_fields["grade_assignment_name"].default
        module = {
            "cmid": next(self.site.ids),
            "id": next(self.site.ids),
            "course": course_id,
            "name": default,
        }
        module |= {"modname": "assign", "grade": 100, "visible": 1, "locked": False, **fields}
        self.modules[module["cmid"]] = module
        return module

    def grade_of(self, course: str, email: str) -> float | None:
        """Return a learner's final grade in a course, by our key; None where there is none."""
        return self.site.outcomes.get(f"{course} {email}")

    def _assignments(self, given: JsonObject) -> JsonObject:
        courses, warnings = [], []
        for course_id in given.get("courseids", ()):
            try:
                course = self.site.courses.enter(course_id)
            except MoodleError as error:
                warnings.append(
                    {"item": "course", "itemid": course_id, "warningcode": "1", "message": error.message}
                )
                continue
            if not given.get("includenotenrolledcourses"):
                warnings.append(
                    {"item": "course", "itemid": course_id, "warningcode": "2", "message": "Not enrolled"}
                )
                continue
            shown = [
                {field: module[field] for field in ("id", "cmid", "course", "name", "grade")}
                for module in self.modules.values()
                if module["course"] == course_id and module["modname"] == "assign" and self._sees(module)
            ]
            names = {field: course[field] for field in ("fullname", "shortname", "timemodified")}
            courses.append({"id": course_id, **names, "assignments": shown})
        return {"courses": courses, "warnings": warnings}

    def _sees(self, module: JsonObject) -> bool:
        hidden = not module["visible"] and not self.site.has("moodle/course:viewhiddenactivities")
        return self.site.has("mod/assign:view") and not hidden

    def _module(self, given: JsonObject) -> JsonObject:
        module = self.modules.get(given["cmid"])
        if module is None:
            raise MoodleError("invalidrecordunknown", "Can't find data record in database.")
        self.site.courses.enter(module["course"], closed="errorcoursecontextnotvalid")
        shown = {"id": module["cmid"], "course": module["course"], "modname": module["modname"]}
        return {"cm": {**shown, "name": module["name"], "instance": module["id"]}, "warnings": []}

    def _participants(self, given: JsonObject) -> list[JsonObject]:
        course_id = given["courseid"]
        self.site.courses.enter(course_id, closed="errorcoursecontextnotvalid")
        self.site.demand("moodle/course:viewparticipants")
        options = {option["name"]: option["value"] for option in given.get("options", ())}
        fields = options.get("userfields", ",".join(USER_FIELDS)).split(",")
        start, most = (
            int(options[key]) if options.get(key, "").isdecimal() else 0
            for key in ("limitfrom", "limitnumber")
        )
        if not self.site.has("moodle/user:viewdetails"):
            return []
        if not self.site.has("moodle/course:useremail"):
            fields = [field for field in fields if field != "email"]
        here = sorted(self.enrolments.get(course_id, ()))
        # Not cut with page_of: Moodle gives as many as are asked for, and nothing only behind the last one.
        page = here[start : start + most if most else None]
        if page and not set(fields) <= set(USER_FIELDS):
            raise MoodleError("invaliduserfield", "Invalid user field")
        return [{field: self.users[user][field] for field in ("id", "fullname", *fields)} for user in page]

    def _update_grades(self, given: JsonObject) -> int | Printed:
        module = self.modules.get(given["activityid"])
        if module is None or f"mod_{module['modname']}" != given["component"]:
            raise MoodleError("invalidcoursemodule", "Invalid course module ID")
        course = self.site.courses.enter(given["courseid"], closed="errorcoursecontextnotvalid")
        grades = given.get("grades", [])
        if grades:
            self.site.demand("moodle/grade:edit", "nopermissiontoviewgrades")
        if module["course"] != course["id"]:
            self.stray.append((course["id"], module["cmid"]))
            return Printed(f"{NO_INSTANCE}\n{WRITTEN}")
        if module["locked"]:
            return LOCKED
        results = [self._write(course, module, grade) for grade in grades]
        return FAILED if FAILED in results else WRITTEN

    def _write(self, course: JsonObject, module: JsonObject, grade: JsonObject) -> int:
        user_id, pair = grade["studentid"], (module["cmid"], grade["studentid"])
        user = self.users.get(user_id, {"email": f"user {user_id}"})
        if user_id <= 0 or user.get("grade_locked") or self.site.is_poisoned(user["email"]):
            return FAILED
        if pair not in self.overridden:
            # Moodle does not ask whether the learner is there, and cuts what is above the maximum.
            points = min(max(grade["grade"], 0.0), float(abs(module["grade"])))
            key = f"{course['idnumber']} {user['email']}"
            if self.grades.get(pair) != round(points, 5):  # the same grade again changes nothing
                self.site.arrivals[key] += 1
            self.grades[pair] = self.site.outcomes[key] = round(points, 5)
        return WRITTEN

"""Categories and courses of a simulated Moodle, and the functions about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursewire_moodle.simulator.forms import Function, JsonObject, MoodleError, flag, name, text, whole

if TYPE_CHECKING:
    from coursewire_moodle.simulator.site import MoodleSimulator

LONGEST = {"fullname": 254, "shortname": 255, "idnumber": 100}
COURSE: JsonObject = {
    "fullname": name,
    "shortname": name,
    "categoryid": whole,
    "idnumber": text,
    "summary": text,
    "startdate": whole,
    "enddate": whole,
    "visible": whole,
    "lang": text,
}
CHANGES = {
    "fullname": "changefullname",
    "shortname": "changeshortname",
    "idnumber": "changeidnumber",
    "summary": "changesummary",
    "categoryid": "changecategory",
    "visible": "visibility",
}
"""Which right a change of which field needs."""
UNIQUE = {"shortname": "shortnametaken", "idnumber": "courseidnumbertaken"}
"""Fields that no two courses share, in the order in which Moodle looks."""
PUBLIC = ("id", "fullname", "shortname", "categoryid", "summary")
WITH_VIEW = ("visible", "startdate", "enddate")
YEAR_S = 365 * 86_400


class CourseFunctions:
    """Courses by their ids.

    Attributes:
        held: Courses, hidden ones too.
        categories: Ids of categories and their names.
    """

    def __init__(self, site: MoodleSimulator) -> None:
        self.site = site
        self.held: dict[int, JsonObject] = {}
        self.categories = {1: "Category 1", 5: "Partners"}

    def functions(self) -> dict[str, Function]:
        """The functions by name, with their parameters."""
        required = {
            f"{field}!" if field in ("fullname", "shortname", "categoryid") else field: kind
            for field, kind in COURSE.items()
        }
        criterion = {"key!": text, "value!": text}
        return {
            "core_course_create_courses": ({"courses!": [required]}, self._create),
            "core_course_update_courses": ({"courses!": [{"id!": whole, **COURSE}]}, self._update),
            "core_course_delete_courses": ({"courseids!": [whole]}, self._delete),
            "core_course_get_courses_by_field": ({"field": text, "value": text}, self._by_field),
            "core_course_get_categories": (
                {"criteria": [criterion], "addsubcategories": flag},
                self._categories,
            ),
        }

    def clear(self) -> None:
        """Forget all courses."""
        self.held.clear()

    def add(self, idnumber: str, **fields: Any) -> JsonObject:
        """Put a course in as if somebody else had made it; returns the stored object."""
        today = int(self.site.clock().timestamp()) // 86_400 * 86_400
        course = {
            "id": next(self.site.ids),
            "fullname": "A course",
            "shortname": f"short {idnumber}",
            "idnumber": idnumber,
            "summary": "",
            "categoryid": 1,
            "visible": 1,
            "startdate": today,
            "enddate": fields.get("startdate", today) + YEAR_S,
            **fields,
        }
        self.held[course["id"]] = course
        if idnumber:
            self.site.items[idnumber] = course
        if self.site.makes_assignments:
            self.site.grades.add_assignment(course["id"])
        return course

    def enter(
        self, course_id: int, unknown: str = "invalidrecord", closed: str = "requireloginerror"
    ) -> JsonObject:
        """The course, if there is one and the account may enter it."""
        course = self.held.get(course_id)
        if course is None:
            raise MoodleError(unknown, f"Unknown course ID {course_id}")
        hidden = not course["visible"] and not self.site.has("moodle/course:viewhiddencourses")
        if hidden or not self.site.has("moodle/course:view"):
            raise MoodleError(closed, "Course or activity not accessible.")
        return course

    def _create(self, given: JsonObject) -> list[JsonObject]:
        fresh: list[JsonObject] = []
        taken = self._taken()
        for course in given["courses"]:
            if course["categoryid"] not in self.categories:
                raise MoodleError(
                    "errorcatcontextnotvalid", "You cannot execute functions in the category context"
                )
            self.site.demand("moodle/course:create")
            self._check(course, taken)
            if not self.site.has("moodle/course:visibility"):
                course.pop("visible", None)
            fresh.append(course)
            self._take(course, taken)
        made = []
        for course in fresh:
            made.append(self.add(course.pop("idnumber", ""), **course))
            self.site.arrivals[made[-1]["idnumber"]] += 1
        return [{"id": course["id"], "shortname": course["shortname"]} for course in made]

    def _taken(self) -> dict[str, set[str]]:
        held = self.held.values()
        return {field: {self.site.folded(course[field]) for course in held} for field in UNIQUE}

    def _take(self, course: JsonObject, taken: dict[str, set[str]]) -> None:
        for field, names in taken.items():
            names.add(self.site.folded(course.get(field, "")))

    def _check(self, course: JsonObject, taken: dict[str, set[str]], old: JsonObject | None = None) -> None:
        for field in ("fullname", "shortname"):
            if not course.get(field, "x").strip():
                raise MoodleError("errorinvalidparam", f'The param "{field}" is invalid.')
        if course.get("lang") or self.site.is_poisoned(course.get("idnumber", "")):
            raise MoodleError("errorinvalidparam", 'The param "lang" is invalid.')
        for field, code in UNIQUE.items():
            wanted = self.site.folded(course.get(field, ""))
            if wanted and wanted in taken[field] and not (old and wanted == self.site.folded(old[field])):
                raise MoodleError(code, f"{field} is already used for another course ({course[field]})")
        for field, longest in LONGEST.items():
            if len(course.get(field, "")) > longest:
                raise MoodleError("dmlwriteexception", "Error writing to database")
        start, end = course.get("startdate"), course.get("enddate", 0)
        if end and start is None:
            raise MoodleError(
                "nostartdatenoenddate", "There is no start date, so the end date cannot be set."
            )
        if end and start is not None and end < start:
            raise MoodleError("enddatebeforestartdate", "The course end date must be after the start date.")

    def _update(self, given: JsonObject) -> JsonObject:
        warnings = []
        taken = self._taken()
        for course in given["courses"]:
            try:
                self._update_one(course, taken)
                self._take(course, taken)
            except MoodleError as error:
                warning = {"item": "course", "itemid": course["id"], "warningcode": error.code}
                warnings.append({**warning, "message": error.message})
        return {"warnings": warnings}

    def _update_one(self, course: JsonObject, taken: dict[str, set[str]]) -> None:
        old = self.enter(course["id"])
        self.site.demand("moodle/course:update")
        for field, right in CHANGES.items():
            if field in course and course[field] != old[field]:
                self.site.demand(f"moodle/course:{right}")
        self._check(course, taken, old)
        if course.get("categoryid", 1) not in self.categories:
            old.update(categoryid=course["categoryid"], visible=0)  # as Moodle does, although it warns
            raise MoodleError("invalidrecord", "Can't find data record in database table course_categories.")
        if "idnumber" in course and course["idnumber"] != old["idnumber"]:
            self.site.items.pop(old["idnumber"], None)
            self.site.items[course["idnumber"]] = old
        old.update(course)

    def _delete(self, given: JsonObject) -> JsonObject:
        warnings = []
        for course_id in given["courseids"]:
            try:
                # What the account cannot enter stops the call; courses before it are gone.
                self.enter(course_id, unknown="unknowncourseidnumber")
                self.site.demand("moodle/course:delete", "cannotdeletecourse")
            except MoodleError as error:
                if error.code == "requireloginerror":
                    raise
                warning = {"item": "course", "itemid": course_id, "warningcode": error.code}
                warnings.append({**warning, "message": error.message})
                continue
            course = self.held.pop(course_id)
            if self.site.items.get(course["idnumber"]) is course:
                del self.site.items[course["idnumber"]]
        return {"warnings": warnings}

    def _by_field(self, given: JsonObject) -> JsonObject:
        field, value = given.get("field", ""), given.get("value", "")
        if field not in ("", "id", "idnumber", "shortname", "category"):
            raise MoodleError("invalidparameter", "Invalid parameter value detected")
        stored = "categoryid" if field == "category" else field
        value, held = self.site.folded(value), self.held.values()
        found = [course for course in held if not field or self.site.folded(str(course[stored])) == value]
        see_hidden = self.site.has("moodle/course:viewhiddencourses")
        return {
            "courses": [self._shown(course) for course in found if course["visible"] or see_hidden],
            "warnings": [],
        }

    def _shown(self, course: JsonObject) -> JsonObject:
        view = self.site.has("moodle/course:view")
        update = view and self.site.has("moodle/course:update")
        fields = (*PUBLIC, *(WITH_VIEW if view else ()), *(("idnumber",) if update else ()))
        return {field: course[field] for field in fields}

    def _categories(self, given: JsonObject) -> list[JsonObject]:
        wanted = {criterion["key"]: criterion["value"] for criterion in given.get("criteria", ())}
        if wanted.keys() - {"id"}:
            raise MoodleError("criteriaerror", "Missing permissions to search on a criterion.")
        return [
            {
                "id": number,
                "name": title,
                "coursecount": sum(course["categoryid"] == number for course in self.held.values()),
                "path": f"/{number}",
            }
            for number, title in self.categories.items()
            if str(number) == wanted.get("id", str(number))
        ]

"""Categories and courses of a simulated Moodle, and the functions about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursewire_moodle.simulator.forms import Function, JsonObject, MoodleError, flag, name, text, whole

if TYPE_CHECKING:
    from coursewire_moodle.simulator.site import MoodleSimulator

LONGEST = {"shortname": 255, "idnumber": 100}
"""Characters of the fields that have the same room in every release."""
FRONT_PAGE = 1
"""Id of the course that is the site's front page."""
LANGUAGES = ("en",)
"""Language packs that the site has."""
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
"""Fields of a course, and the right that changing each needs."""
UNIQUE = {"shortname": "shortnametaken", "idnumber": "courseidnumbertaken"}
"""Fields that no two courses share, in the order in which Moodle looks."""
PUBLIC: JsonObject = {
    "summaryformat": 1,
    "summaryfiles": [],
    "overviewfiles": [],
    "showactivitydates": True,
    "showcompletionconditions": True,
    "contacts": [],
    "enrollmentmethods": ["manual"],
    "sortorder": 10000,
}
"""Further fields that every account sees of a course, with the values that a new one has."""
WITH_VIEW: JsonObject = {
    "format": "topics",
    "showgrades": 1,
    "newsitems": 5,
    "maxbytes": 0,
    "showreports": 0,
    "groupmode": 0,
    "groupmodeforce": 0,
    "defaultgroupingid": 0,
    "enablecompletion": 1,
    "completionnotify": 0,
    "lang": "",
    "theme": "",
    "marker": 0,
    "filters": [],
    "courseformatoptions": [],
}
"""Those of an account with ``moodle/course:view``."""
WITH_UPDATE: JsonObject = {"legacyfiles": 0, "calendartype": "", "requested": 0, "cacherev": 1}
"""Those of an account with ``moodle/course:update``, too."""
DAY_S = 86_400
YEAR_S = 365 * DAY_S


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
        """Return the functions by name, with their parameters."""
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
        """Put a course in as if somebody else had made it, and return the stored object."""
        now = int(self.site.clock().timestamp())
        dated = self.site.answers_as.dates_courses
        start = fields.get("startdate", now // DAY_S * DAY_S if dated else 0)
        course = {
            "id": next(self.site.ids),
            "fullname": "A course",
            "shortname": f"short {idnumber}",
            "idnumber": idnumber,
            "summary": "",
            "categoryid": 1,
            "visible": 1,
            "startdate": start,
            "enddate": start + YEAR_S if dated else 0,
            "timecreated": now,
            "timemodified": now,
            **fields,
        }
        self.held[course["id"]] = course
        if idnumber:
            self.site.items[idnumber] = course
        if self.site.makes_assignments:
            self.site.grades.add_assignment(course["id"])
        return course

    def enter(self, course_id: int, closed: str = "requireloginerror") -> JsonObject:
        """Return a course that the account may enter.

        Args:
            course_id: Id of the course.
            closed: Code for a course that the account may not enter.
        """
        course = self.held.get(course_id)
        if course is None:
            raise self.site.missing_record("course")
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
        if course.get("lang", LANGUAGES[0]) not in LANGUAGES or self.site.is_poisoned(
            course.get("idnumber", "")
        ):
            raise MoodleError("errorinvalidparam", 'The param "lang" is invalid.')
        for field, code in UNIQUE.items():
            wanted = self.site.folded(course.get(field, ""))
            if wanted and wanted in taken[field] and not (old and wanted == self.site.folded(old[field])):
                raise MoodleError(code, f"{field} is already used for another course ({course[field]})")
        room = {**LONGEST, "fullname": self.site.answers_as.longest_fullname}
        for field, longest in room.items():
            if len(course.get(field, "")) > longest:
                raise MoodleError("dmlwriteexception", "Error writing to database")
        self._check_dates(course, is_new=old is None)

    def _check_dates(self, course: JsonObject, *, is_new: bool) -> None:
        answers_as = self.site.answers_as
        start, end = course.get("startdate"), course.get("enddate")
        if is_new and answers_as.dates_courses:
            if start is None and not answers_as.end_needs_start:
                start = int(self.site.clock().timestamp()) // DAY_S * DAY_S
            if start == 0 and end is None and not answers_as.end_needs_start:
                end = YEAR_S
        if not end:
            return
        if not start:
            raise MoodleError(
                "nostartdatenoenddate", "There is no start date, so the end date cannot be set."
            )
        if end < start:
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
        if course["id"] == FRONT_PAGE:
            raise MoodleError("invalidcourse", "You may not edit the site course using this form")
        old = self.enter(course["id"])
        self.site.demand("moodle/course:update")
        for field, right in CHANGES.items():
            if field in course and course[field] != old[field]:
                self.site.demand(f"moodle/course:{right}")
        self._check(course, taken, old)
        if course.get("categoryid", 1) not in self.categories:
            old.update(categoryid=course["categoryid"], visible=0)  # as Moodle does, although it warns
            raise self.site.missing_record("course_categories")
        if "idnumber" in course and course["idnumber"] != old["idnumber"]:
            self.site.items.pop(old["idnumber"], None)
            self.site.items[course["idnumber"]] = old
        old.update(course)

    def _delete(self, given: JsonObject) -> JsonObject:
        warnings = []
        for course_id in given["courseids"]:
            try:
                if course_id == FRONT_PAGE:
                    raise MoodleError("cannotdeletecategorycourse", "You cannot delete the site course")
                if course_id not in self.held:
                    raise MoodleError("unknowncourseidnumber", f"Unknown course ID {course_id}")
                # What the account cannot enter stops the call; courses before it are gone.
                self.enter(course_id)
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
        if field == "ids":
            found = self._by_ids(value)
        elif field in ("", "id", "idnumber", "shortname", "category"):
            stored = "categoryid" if field == "category" else field
            wanted = self.site.folded(value)
            found = [
                course
                for course in self.held.values()
                if not field or self.site.folded(str(course[stored])) == wanted
            ]
        else:
            raise MoodleError("invalidparameter", "Invalid parameter value detected")
        see_hidden = self.site.has("moodle/course:viewhiddencourses")
        return {
            "courses": [self._shown(course) for course in found if course["visible"] or see_hidden],
            "warnings": [],
        }

    def _by_ids(self, value: str) -> list[JsonObject]:
        """Return the courses with these ids; one that is unknown is more than PHP can bear."""
        ids = value.split(",")
        if not all(each.isdecimal() and int(each) in self.held for each in ids):
            raise MoodleError("", 'Attempt to assign property "visible" on bool')
        return [self.held[int(each)] for each in ids]

    def _shown(self, course: JsonObject) -> JsonObject:
        view = self.site.has("moodle/course:view")
        update = view and self.site.has("moodle/course:update")
        stored = ["id", "fullname", "shortname", "categoryid", "summary"]
        stored += ["visible", "startdate", "enddate"] if view else []
        stored += ["idnumber", "timecreated", "timemodified"] if update else []
        image = (
            {"courseimage": f"{self.site.url}/course.svg"} if self.site.answers_as.has_course_image else {}
        )
        return {
            **PUBLIC,
            **(WITH_VIEW if view else {}),
            **(WITH_UPDATE if update else {}),
            **image,
            "displayname": course["fullname"],
            "categoryname": self.categories.get(course["categoryid"], ""),
            **{field: course[field] for field in stored},
        }

    def _categories(self, given: JsonObject) -> list[JsonObject]:
        wanted = {criterion["key"]: criterion["value"] for criterion in given.get("criteria", ())}
        if wanted.keys() - {"id"}:
            raise MoodleError("criteriaerror", "Missing permissions to search on a criterion.")
        return [
            {
                "id": number,
                "name": title,
                "description": "",
                "descriptionformat": 1,
                "parent": 0,
                "sortorder": 10000 * number,
                "depth": 1,
                "coursecount": sum(course["categoryid"] == number for course in self.held.values()),
                "path": f"/{number}",
            }
            for number, title in self.categories.items()
            if str(number) == wanted.get("id", str(number))
        ]

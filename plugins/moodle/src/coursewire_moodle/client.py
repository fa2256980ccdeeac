"""Courses: many with one call, found by the ID number that we gave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import coursewire as cw
from coursewire_moodle.config import settings
from coursewire_moodle.errors import (
    category_missing,
    error_of_call,
    id_numbers_hidden,
    several_courses,
    unclear_warning,
)
from coursewire_moodle.web_service import call

CREATE = "core_course_create_courses"
UPDATE = "core_course_update_courses"
DELETE = "core_course_delete_courses"
FIND = "core_course_get_courses_by_field"
CATEGORIES = "core_course_get_categories"


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Create, update or retire a batch of courses.

    Returns:
        One result per course. Where Moodle refuses a call without saying for which course, all are marked,
        so that core finds the course at fault in smaller batches.
    """
    return await _Courses(session).send(batch)


class _Courses(cw.BulkItemWriter):
    """Moodle refuses a whole call for one name that is taken, and warns of the others that it did not do."""

    gone = ("invalidrecord", "unknowncourseidnumber")
    clashes = ("shortnametaken", "courseidnumbertaken")

    async def find(self, payload: cw.Payload) -> str | None:
        course = await find_course(self.session, payload.remote_key)
        return None if course is None else str(course["id"])

    async def create_all(self, payloads: Sequence[cw.Payload]) -> cw.Results:
        courses = {"courses": [_dated(payload) for payload in payloads]}
        # Moodle looks whether a name is free before it writes: parallel creates make doubles.
        async with self.session.lock(CREATE):
            made = (await call(self.session, CREATE, courses, repeatable=False)).rows()
        ids = {cw.dig(row, "shortname"): str(cw.dig(row, "id") or "") for row in made}
        by_key = {payload.key: ids.get(payload.body["shortname"], "") for payload in payloads}
        return cw.results_by_id(payloads, by_key)

    async def update_all(self, there: Mapping[str, cw.Payload]) -> cw.Results:
        # An unknown category would hide the courses in it, and Moodle would only warn.
        await self.session.once(CATEGORIES, lambda: category(self.session))
        rows = [{**_dated(payload), "id": known, "visible": 1} for known, payload in there.items()]
        return await self._write(UPDATE, {"courses": rows}, there)

    async def retire_all(self, there: Mapping[str, cw.Payload]) -> cw.Results:
        if settings(self.session).retire_strategy is cw.RetireStrategy.HIDE:
            return await self._write(
                UPDATE, {"courses": [{"id": known, "visible": 0} for known in there]}, there
            )
        return await self._write(DELETE, {"courseids": list(there)}, there)

    async def _write(self, function: str, data: cw.JsonObject, there: Mapping[str, cw.Payload]) -> cw.Results:
        """Call a function that does one course after the other, and warns of those that it did not do."""
        warned = (await call(self.session, function, data)).rows("warnings")
        warnings = {str(each.get("itemid")): each for each in warned}
        if not warnings.keys() <= there.keys():
            why = "; ".join(str(each.get("message")) for each in warnings.values())
            raise unclear_warning(function, why)
        results = cw.results_by_id(there.values(), {payload.key: known for known, payload in there.items()})
        for known, warning in warnings.items():
            error = error_of_call(function, warning.get("warningcode"), warning.get("message"))
            results[there[known].key] = replace(cw.result_from_error(error), batch_refused=False)
        return results


def _dated(payload: cw.Payload) -> cw.JsonObject:
    """The course; with a start alone its end says "none", for else Moodle keeps or invents one."""
    return {**({"enddate": 0} if "startdate" in payload.body else {}), **payload.body}


# -- looking -----------------------------------------------------------------------------------------


async def category(session: cw.Session) -> cw.JsonObject:
    """The category that receives courses.

    Raises:
        BlockedError: The account sees none with this id.
    """
    number = settings(session).category_id
    wanted = {"criteria": [{"key": "id", "value": number}], "addsubcategories": 0}
    rows = (await call(session, CATEGORIES, wanted)).rows()
    if not rows:
        raise category_missing(number)
    return rows[0]


async def courses_by(session: cw.Session, field: str, value: object) -> list[cw.JsonObject]:
    """The courses with a value in a field, hidden ones too.

    Raises:
        SendError: Moodle hides the ID numbers of courses from the account.
    """
    rows = (await call(session, FIND, {"field": field, "value": value})).rows("courses")
    if any("idnumber" not in row for row in rows):
        raise id_numbers_hidden()
    return rows


async def find_course(session: cw.Session, key: str) -> cw.JsonObject | None:
    """The course with this ID number; None when it is surely not there.

    Raises:
        SendError: Several courses have it, or Moodle could not tell.
    """
    # Some databases find other capitals, too.
    same = [row for row in await courses_by(session, "idnumber", key) if row["idnumber"] == key]
    if len(same) > 1:
        raise several_courses(", ".join(str(row["id"]) for row in same))
    return same[0] if same else None


def _remote_item(course: cw.JsonObject) -> cw.RemoteItem:
    fields = {name: course.get(name) for name in ("fullname", "shortname", "categoryid", "visible")}
    return cw.RemoteItem(course["idnumber"], str(course["id"]), str(course.get("visible")) == "1", fields)


@cw.hookimpl
async def find_remote(session: cw.Session, key: str) -> cw.RemoteItem | None:
    """Look one course up by its ID number; also one that is hidden."""
    course = await find_course(session, key)
    return None if course is None else _remote_item(course)


@cw.hookimpl
async def list_remote(session: cw.Session) -> list[cw.RemoteItem]:
    """The courses of the category that have an ID number; core compares with its records which are ours."""
    rows = await courses_by(session, "category", settings(session).category_id)
    return [_remote_item(course) for course in rows if course["idnumber"]]

"""Courses: many with one call, found by the ID number that we gave them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import coursewire as cw
from coursewire_moodle.config import config_of
from coursewire_moodle.errors import (
    category_missing,
    error_of_call,
    id_number_alike,
    id_numbers_hidden,
    several_courses,
    unclear_warning,
)
from coursewire_moodle.reasons import ID_NUMBER_TAKEN, MISSING_RECORD, SHORT_NAME_TAKEN
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

    async def nothing_known() -> _Run:
        return _Run()

    return await _Courses(session, await session.once(_Run, nothing_known)).send(batch)


class _Run:
    """Memory of one run about the courses of its configuration.

    Attributes:
        adoptable: ID numbers to Moodle's ids of the courses of the category, once one of them was in the way of a
            new one; None before. With it the courses of a category that is taken over are found without a call each.
        keys: Keys of the new courses of this run, and ID numbers of the category once it is listed, by the form in
            which Moodle's database may compare them.
    """

    def __init__(self) -> None:
        self.adoptable: dict[str, str] | None = None
        self.keys: dict[str, str] = {}

    def twin_of(self, key: str) -> str:
        """Note a key; return an earlier one that may be the same to Moodle's database, or "" where there is none."""
        earlier = self.keys.setdefault(_as_compared(key), key)
        return "" if earlier == key else earlier

    def adopt_from(self, listed: dict[str, str]) -> None:
        """Note the courses of the category, ID number to id."""
        self.adoptable = listed
        for number in listed:
            self.twin_of(number)


def _as_compared(text: str) -> str:
    """Return a text as MariaDB and MySQL compare it, without accents, capitals, and blanks at the end."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)).rstrip(" ")


class _Courses(cw.BulkItemWriter):
    """Courses of Moodle, which refuses a whole call for one name that is taken.

    Args:
        session: The session of the run.
        run: Memory of the run.
    """

    gone = (*MISSING_RECORD, "unknowncourseidnumber")
    clashes = (SHORT_NAME_TAKEN, ID_NUMBER_TAKEN)

    def __init__(self, session: cw.Session, run: _Run) -> None:
        super().__init__(session)
        self._run = run

    async def find(self, payload: cw.Payload) -> str | None:
        """Return the id of the course that has our ID number."""
        if payload.operation is not cw.Operation.CREATE or payload.remote_id is not None:
            course = await find_course(self.session, payload.remote_key)
        else:  # an earlier answer of this run will do: nobody but this run creates the course
            listed = (self._run.adoptable or {}).get(payload.remote_key)
            if listed is not None:
                return listed
            course = _only(await self._rows(payload.remote_key), payload.remote_key)
        return None if course is None else str(course["id"])

    async def _rows(self, key: str) -> list[cw.JsonObject]:
        return await self.session.once((FIND, key), lambda: courses_by(self.session, "idnumber", key))

    async def create_all(self, payloads: Sequence[cw.Payload]) -> cw.Results:
        """Create courses with one call; those that are known to be there count as clashes, and are not sent."""
        listed = self._run.adoptable or {}
        there = [payload for payload in payloads if payload.remote_key in listed]
        new = [payload for payload in payloads if payload.remote_key not in listed]
        twins = {payload.key: self._run.twin_of(payload.remote_key) for payload in new}
        results = {payload.key: _taken() for payload in there}
        first = [payload for payload in new if not twins[payload.key]]
        if first:
            results |= await self._create_together(first)
        for payload in new:
            if twins[payload.key]:
                try:
                    results |= await self._create_after_twin(payload)
                except cw.SendError as error:  # the others are made, whatever becomes of this one
                    results[payload.key] = replace(cw.result_from_error(error), batch_refused=False)
        return results

    async def _create_together(self, payloads: Sequence[cw.Payload]) -> cw.Results:
        courses = {"courses": [_dated(payload) for payload in payloads]}
        try:
            # Moodle looks whether a name is free before it writes: parallel creates make doubles.
            async with self.session.lock(CREATE):
                made = (await call(self.session, CREATE, courses, repeatable=False)).rows()
        except cw.SendError as error:
            refused = cw.result_from_error(error)
            if not self.is_clash(refused):
                raise
            return await self._after_clash(payloads, refused)
        ids = {cw.dig(row, "shortname"): str(cw.dig(row, "id") or "") for row in made}
        by_key = {payload.key: ids.get(payload.body["shortname"], "") for payload in payloads}
        return cw.results_by_id(payloads, by_key)

    async def _after_clash(self, payloads: Sequence[cw.Payload], refused: cw.Result) -> cw.Results:
        """Return the results of a call that was refused for one of its courses, which Moodle does not name."""
        if len(payloads) == 1:
            alike = await self._alike(payloads[0].remote_key)
            return {payloads[0].key: refused if alike is None else cw.result_from_error(alike)}
        if self._run.adoptable is None:
            listed = await self.session.once((FIND, CATEGORIES), self._list_category)
            self._run.adopt_from(listed)
            there = [payload for payload in payloads if payload.remote_key in listed]
            new = [payload for payload in payloads if payload.remote_key not in listed]
            if there and new:
                results = await self._create_together(new)
                return results | dict.fromkeys((payload.key for payload in there), refused)
        # Core looks for the course at fault in smaller batches.
        return dict.fromkeys((payload.key for payload in payloads), replace(refused, batch_refused=True))

    async def _list_category(self) -> dict[str, str]:
        rows = await courses_by(self.session, "category", config_of(self.session).category_id)
        times = Counter(row["idnumber"] for row in rows)
        # Of two courses with the same ID number a person must say which one is ours.
        return {row["idnumber"]: str(row["id"]) for row in rows if times[row["idnumber"]] == 1}

    async def _create_after_twin(self, payload: cw.Payload) -> cw.Results:
        """Create a course whose key may be the same to Moodle's database as one of an earlier course."""
        alike = await self._alike(payload.remote_key)
        if alike is not None:
            return {payload.key: cw.result_from_error(alike)}
        return await self._create_together([payload])

    async def _alike(self, key: str) -> cw.BlockedError | None:
        """Return the error for a course whose ID number is not our key, and the same to Moodle's database."""
        rows = await self._rows(key)
        if not rows or any(row["idnumber"] == key for row in rows):
            return None
        return id_number_alike(key, rows[0]["idnumber"], rows[0]["id"])

    async def update_all(self, there: Mapping[str, cw.Payload]) -> cw.Results:
        """Overwrite courses, and show those that are new or come back; all others stay hidden if they are."""
        # An unknown category would hide the courses in it, and Moodle would only warn.
        await self.session.once(CATEGORIES, lambda: category(self.session))
        rows = [
            {
                **_dated(payload),
                "id": known,
                **({"visible": 1} if _is_to_be_shown(payload) else {}),
            }
            for known, payload in there.items()
        ]
        return await self._write(UPDATE, {"courses": rows}, there)

    async def retire_all(self, there: Mapping[str, cw.Payload]) -> cw.Results:
        """Hide courses or delete them, as the configuration says."""
        if config_of(self.session).retire_strategy is cw.RetireStrategy.HIDE:
            rows = [{"id": known, "visible": 0} for known in there]
            return await self._write(UPDATE, {"courses": rows}, there)
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


def _taken() -> cw.Result:
    """Return the result of a course that was not sent, because the category has it already."""
    return cw.result_from_error(error_of_call(CREATE, ID_NUMBER_TAKEN, "the category has this course"))


def _is_to_be_shown(payload: cw.Payload) -> bool:
    """Tell whether a course that is there must be shown, because we may be the ones who hid it.

    After a retirement of ours that may or may not have been done, it is not known what Moodle holds.
    """
    return payload.operation is cw.Operation.CREATE or payload.confirmed is None


def _dated(payload: cw.Payload) -> cw.JsonObject:
    """Return the course; with a start alone its end says "none", for else Moodle keeps or invents one."""
    return {**({"enddate": 0} if "startdate" in payload.body else {}), **payload.body}


# -- looking -----------------------------------------------------------------------------------------


async def category(session: cw.Session) -> cw.JsonObject:
    """Return the category that receives courses.

    Raises:
        BlockedError: The account sees none with this id.
    """
    number = config_of(session).category_id
    wanted = {"criteria": [{"key": "id", "value": number}], "addsubcategories": 0}
    rows = (await call(session, CATEGORIES, wanted)).rows()
    if not rows:
        raise category_missing(number)
    return rows[0]


async def courses_by(session: cw.Session, field: str, value: object) -> list[cw.JsonObject]:
    """Return the courses with a value in a field, hidden ones too.

    Raises:
        SendError: Moodle hides the ID numbers of courses from the account.
    """
    rows = (await call(session, FIND, {"field": field, "value": value})).rows("courses")
    if any("idnumber" not in row for row in rows):
        raise id_numbers_hidden()
    return rows


async def find_course(session: cw.Session, key: str) -> cw.JsonObject | None:
    """Return the course with this ID number; None when it is surely not there.

    Raises:
        SendError: Several courses have it, or Moodle could not tell.
    """
    return _only(await courses_by(session, "idnumber", key), key)


def _only(rows: Sequence[cw.JsonObject], key: str) -> cw.JsonObject | None:
    # Some databases find other capitals and accents, too.
    same = [row for row in rows if row["idnumber"] == key]
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
    """List the courses of the category that have an ID number; core compares with its records which are ours."""
    rows = await courses_by(session, "category", config_of(session).category_id)
    return [_remote_item(course) for course in rows if course["idnumber"]]

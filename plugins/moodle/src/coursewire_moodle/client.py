"""Courses: many with one call, found by the ID number that we gave them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import coursewire as cw
from coursewire.client.answers import result_of_error
from coursewire.errors import SendError
from coursewire_moodle.answers import ask, listed, refusal
from coursewire_moodle.config import MoodleConfig

CREATE = "core_course_create_courses"
UPDATE = "core_course_update_courses"
DELETE = "core_course_delete_courses"
FIND = "core_course_get_courses_by_field"
CATEGORIES = "core_course_get_categories"
TAKEN = ("shortnametaken", "courseidnumbertaken")
GONE = ("invalidrecord", "unknowncourseidnumber")

Results = dict[str, "cw.Result"]
Act = Callable[["cw.Session", Mapping[str, "cw.Payload"]], Awaitable[Results]]
"""What is done to courses at Moodle: their ids there, each with its payload."""


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Create, update or retire a batch of courses.

    Returns:
        One result per course. Where Moodle refuses a call without saying for which course, all are marked,
        so that core finds the course at fault in smaller batches.
    """
    if batch.operation is cw.Operation.RETIRE:
        hide = settings(session).retire_strategy is cw.RetireStrategy.HIDE
        results = await _at_their_ids(session, batch.payloads, _hide if hide else _delete)
        gone = cw.Result(cw.ResultKind.ALREADY_SO, reason="not-at-moodle")
        return [results.get(payload.key, gone) for payload in batch.payloads]
    results = await _at_their_ids(session, batch.payloads, _show)
    missing = [payload for payload in batch.payloads if payload.key not in results]
    results |= await _create(session, missing) if missing else {}
    return [results[payload.key] for payload in batch.payloads]


async def _at_their_ids(session: cw.Session, payloads: Sequence[cw.Payload], act: Act) -> Results:
    """Act on the courses that are there, with one call. One whose id is unknown, or over, is looked up.

    Returns:
        Nothing for courses that are not at Moodle, and for creates without an id, which nobody looked for.
    """
    there: dict[str, cw.Payload] = {}
    for payload in payloads:
        known = payload.remote_id
        if known is None and payload.operation is not cw.Operation.CREATE:
            known = await _id_of(session, payload)
        if known is not None:
            there[known] = payload
    results = await act(session, there) if there else {}
    for known, payload in there.items():
        if results[payload.key].reason in GONE:
            now = await _id_of(session, payload)
            if now is None:
                del results[payload.key]
            elif now != known:
                results |= await act(session, {now: payload})
    return results


async def _create(session: cw.Session, payloads: Sequence[cw.Payload]) -> Results:
    form = listed("courses", [_dated(payload) for payload in payloads])
    try:
        # Moodle looks whether a name is free before it writes: parallel creates make doubles.
        async with session.lock(CREATE):
            made = (await ask(session, CREATE, form, repeatable=False)).data
    except SendError as error:
        if error.reason not in TAKEN:
            raise
        return await _adopt(session, payloads, error)
    rows = [row for row in made if isinstance(row, dict)] if isinstance(made, list) else []
    ids = {row.get("shortname"): str(row["id"]) for row in rows if row.get("id")}
    unnamed = cw.Result(
        cw.ResultKind.IN_DOUBT, "no-acknowledgement", "Moodle's answer does not name this course."
    )
    return {
        payload.key: _accepted(ids[name]) if (name := payload.body["shortname"]) in ids else unnamed
        for payload in payloads
    }


async def _adopt(session: cw.Session, payloads: Sequence[cw.Payload], error: SendError) -> Results:
    """Some names are taken, so that nothing was made: update the courses that are ours, make the others.

    Raises:
        SendError: None of them is there under our ID number: the names are somebody else's.
    """
    ours = {found: payload for payload in payloads if (found := await _id_of(session, payload))}
    if not ours:
        raise error
    results = await _show(session, ours)
    others = [payload for payload in payloads if payload.key not in results]
    return results | (await _create(session, others) if others else {})


async def _show(session: cw.Session, there: Mapping[str, cw.Payload]) -> Results:
    # An unknown category would hide the courses in it, and Moodle would only warn.
    if not await session.once(CATEGORIES, lambda: category(session)):
        step = "Correct category_id, or give the account's role moodle/category:viewhiddencategories."
        what = f"Moodle shows no category {settings(session).category_id}"
        raise cw.BlockedError(what, next_step=step, reason="category-missing")
    rows = [{**_dated(payload), "id": known, "visible": 1} for known, payload in there.items()]
    return await _write(session, UPDATE, listed("courses", rows), there)


async def _hide(session: cw.Session, there: Mapping[str, cw.Payload]) -> Results:
    rows = [{"id": known, "visible": 0} for known in there]
    return await _write(session, UPDATE, listed("courses", rows), there)


async def _delete(session: cw.Session, there: Mapping[str, cw.Payload]) -> Results:
    return await _write(session, DELETE, listed("courseids", list(there)), there)


def _dated(payload: cw.Payload) -> cw.JsonObject:
    """The course; with a start alone its end says "none", for else Moodle keeps or invents one."""
    return {**({"enddate": 0} if "startdate" in payload.body else {}), **payload.body}


async def _write(
    session: cw.Session, function: str, form: Mapping[str, str], there: Mapping[str, cw.Payload]
) -> Results:
    """Call a function that does one course after the other, and warns of those that it did not do."""
    body = (await ask(session, function, form)).data
    warnings = {str(each.get("itemid")): each for each in (body or {}).get("warnings") or ()}
    if not warnings.keys() <= there.keys():
        why = "; ".join(str(each.get("message")) for each in warnings.values())
        raise SendError(f"{function} warned of something else", why=why, reason="unclear-warning")
    results = {payload.key: _accepted(known) for known, payload in there.items()}
    for known, warning in warnings.items():
        error = refusal(function, warning.get("warningcode"), warning.get("message"))
        results[there[known].key] = replace(result_of_error(error), whole_batch=False)
    return results


def _accepted(course_id: str) -> cw.Result:
    return cw.Result(cw.ResultKind.ACCEPTED, remote_id=course_id, http_status=200)


# -- looking -----------------------------------------------------------------------------------------


async def category(session: cw.Session) -> cw.JsonObject | None:
    """The category that receives courses; None when the account sees none with this id."""
    form = listed("criteria", [{"key": "id", "value": settings(session).category_id}])
    rows: list[cw.JsonObject] = (await ask(session, CATEGORIES, {**form, "addsubcategories": "0"})).data or []
    return rows[0] if rows else None


async def courses_by(session: cw.Session, field: str, value: object) -> list[cw.JsonObject]:
    """The courses with a value in a field, hidden ones too.

    Raises:
        SendError: Moodle hides the ID numbers of courses from the account.
    """
    body = (await ask(session, FIND, {"field": field, "value": value})).data
    rows: list[cw.JsonObject] = (body or {}).get("courses") or []
    if any("idnumber" not in row for row in rows):
        step = "Give the account's role moodle/course:view and moodle/course:update."
        raise SendError("Moodle does not show the ID numbers of courses", next_step=step, reason="id-hidden")
    return rows


async def find_course(session: cw.Session, key: str) -> cw.JsonObject | None:
    """The course with this ID number; None when it is surely not there.

    Raises:
        SendError: Several courses have it, or Moodle could not tell.
    """
    # Some databases find other capitals, too.
    same = [row for row in await courses_by(session, "idnumber", key) if row["idnumber"] == key]
    if len(same) > 1:
        what = f"the courses {', '.join(str(row['id']) for row in same)} have the same ID number"
        step = "Delete all but one of them in Moodle, or clear their ID numbers."
        raise SendError(what, next_step=step, reason="several-courses")
    return same[0] if same else None


async def _id_of(session: cw.Session, payload: cw.Payload) -> str | None:
    course = await find_course(session, payload.remote_key)
    return None if course is None else str(course["id"])


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


def settings(session: cw.Session) -> MoodleConfig:
    """The configuration, by its own type."""
    return cast("MoodleConfig", session.config)

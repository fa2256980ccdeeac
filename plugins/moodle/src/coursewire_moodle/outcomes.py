"""Final grades: written many of one course with one call, into the assignment made for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx

import coursewire as cw
from coursewire_moodle.client import find_course
from coursewire_moodle.config import MoodleConfig, config_of
from coursewire_moodle.errors import (
    grades_not_acknowledged,
    module_missing,
    no_such_assignment,
    not_in_points,
    other_module,
    people_hidden,
    scale_too_large,
)
from coursewire_moodle.reasons import (
    GRADE_LOCKED,
    GRADE_REFUSED,
    MISSING_RECORD,
    SEVERAL_GRADE_ITEMS,
)
from coursewire_moodle.web_service import SERVER, call, form_of, options, reply_of

ASSIGNMENTS = "mod_assign_get_assignments"
MODULE = "core_course_get_course_module"
PARTICIPANTS = "core_enrol_get_enrolled_users"
GRADE = "core_grades_update_grades"
PAGE = 1000
"""Participants asked for with one call."""


ONE_FAILED = "1"
"""The number for a call of which at least one grade was not written; Moodle does not say which."""

GRADE_REFUSALS: Mapping[str, cw.ReasonInfo] = {
    ONE_FAILED: GRADE_REFUSED,
    "2": SEVERAL_GRADE_ITEMS,
    "4": GRADE_LOCKED,
}
"""Reasons by the number other than 0 that Moodle answers to a call that writes grades."""


@cw.hookimpl
def export_completion(config: MoodleConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build what Moodle is told of a completion: the grade, 0 to 1, of one learner in one assignment.

    Raises:
        NotExportableError: The grade or the learner is unknown. A zero is a grade.
    """
    if completion.percent is None:
        raise cw.NotExportableError("percent", "it is unknown", next_step="Find the grade at the source.")
    place = {"cmid": config.grade_assignment_cmid, "scale": config.grade_scale}
    return {
        "courseID": completion.course_key,
        "userID": cw.learner_of(completion),
        "grade": float(completion.percent),
        "assignment": config.grade_assignment_name,
        **{name: value for name, value in place.items() if value is not None},
    }


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Write the grades of one course.

    The course, its assignment and its participants are read once a run. Nothing is written before all three
    are known.

    Returns:
        One result per grade.
    """
    body = batch.payloads[0].body
    course = await session.once(("course", body["courseID"]), lambda: find_course(session, body["courseID"]))
    if course is None:
        return [cw.blocked("course-not-at-lms")] * len(batch)
    course_id = str(course["id"])
    place = ("assignment", course_id, body["assignment"], body.get("cmid"))
    assignment = await session.once(place, lambda: _assignment(session, course_id, body))
    people = await session.once(("people", course_id), lambda: _people(session, course_id))
    return await cw.send_best(
        batch.payloads,
        learner=lambda payload: people.get(payload.body["userID"].casefold(), ()),
        grade=lambda payload: float(payload.body["grade"]),
        write=lambda grades: _write(session, course_id, assignment, grades),
    )


async def _write(
    session: cw.Session, course_id: str, assignment: Mapping[str, Any], grades: Mapping[str, cw.Payload]
) -> dict[str, cw.Result]:
    """Write grades by the ids of users, and return the results by them."""
    cmid, most = str(assignment["cmid"]), Decimal(str(assignment["grade"]))
    rows = [{"studentid": user, "grade": _points(payload, most)} for user, payload in grades.items()]
    parameters = {
        "source": "assign",
        "courseid": course_id,
        "component": "mod_assign",
        "activityid": cmid,
        "itemnumber": 0,
        "grades": rows,
    }
    reply = await call(session, GRADE, parameters)
    number = str(reply.data)
    refusal = GRADE_REFUSALS.get(number)
    if refusal is not None:
        refused = cw.Result(
            cw.ResultKind.BLOCKED,
            refusal.code,
            f"Moodle answered {number}: {refusal.text}. {refusal.command_step}",
            http_status=200,
            # The other grades of the call are written.
            batch_refused=number == ONE_FAILED and len(rows) > 1,
        )
        return dict.fromkeys(grades, refused)
    if number != "0" or reply.noise:
        raise grades_not_acknowledged(reply.noise or f"it answered {reply.data!r:.100}")
    written = cw.Result(cw.ResultKind.ACCEPTED, http_status=200)
    return {user: replace(written, remote_id=f"{course_id}/{cmid}/{user}") for user in grades}


def _points(payload: cw.Payload, most: Decimal) -> str:
    """Return the grade in points, with at most five digits after the point as Moodle keeps them, and no exponent.

    Raises:
        BlockedError: The grade is above what the assignment can take, and Moodle would cut it.
    """
    scale = Decimal(payload.body.get("scale") or most)
    if scale > most:
        raise scale_too_large(scale, most)
    points = (Decimal(str(payload.body["grade"])) * scale).quantize(Decimal("0.00001")).normalize()
    return f"{points:f}"


async def _assignment(session: cw.Session, course_id: str, body: Mapping[str, Any]) -> cw.JsonObject:
    """Return the assignment that takes grades: the configured module where it is in this course, else by its name.

    Raises:
        BlockedError: There is none, or several; or it is not graded in points.
    """
    wanted = {"includenotenrolledcourses": 1, "courseids": [course_id]}
    courses = (await call(session, ASSIGNMENTS, wanted)).rows("courses")
    held: list[cw.JsonObject] = [each for course in courses for each in course["assignments"]]
    found = [each for each in held if str(each["cmid"]) == str(body.get("cmid"))]
    if not found and "cmid" in body:
        await session.once((MODULE, body["cmid"]), lambda: _no_other_kind(session, course_id, body["cmid"]))
    found = found or [each for each in held if each["name"] == body["assignment"]]
    if len(found) == 1 and float(found[0]["grade"]) > 0:
        return found[0]
    names = ", ".join(f"{each['cmid']} {each['name']!r}" for each in (found or held)[:10]) or "none"
    why = f"it shows these: {names}"
    if len(found) == 1:
        raise not_in_points(course_id, body["assignment"], why)
    raise no_such_assignment(course_id, len(found), body["assignment"], why)


async def _no_other_kind(session: cw.Session, course_id: str, cmid: int) -> None:
    """Refuse a configured module of this course that is no assignment; one of another course is passed over."""
    try:
        module = (await call(session, MODULE, {"cmid": cmid})).data["cm"]
    except cw.BlockedError as error:
        if error.reason in MISSING_RECORD:
            raise module_missing(cmid) from None
        if error.reason != "errorcoursecontextnotvalid":
            raise
        return  # in a course that we may not enter, so not in this one
    if str(module["course"]) == course_id and module["modname"] != "assign":
        raise other_module(cmid, module["modname"])


async def _people(session: cw.Session, course_id: str) -> dict[str, set[str]]:
    """Return the ids of a course's participants by what learners are known by, without regard to capitals.

    Raises:
        BlockedError: Moodle does not show what learners are known by.
    """
    names = ("email",) if config_of(session).learner_id is cw.LearnerId.EMAIL else ("username", "idnumber")
    wanted = options(userfields=",".join(("id", *names)), limitfrom=0, limitnumber=PAGE)
    form = form_of(session, PARTICIPANTS, {"courseid": course_id, "options": wanted})

    async def named() -> AsyncIterator[tuple[str | None, Any]]:
        people = cw.rows_of(
            session, SERVER, data=form, read=_page_of_people, skip=("options[1][value]", PAGE)
        )
        async for person in people:
            if not any(name in person for name in names):
                raise people_hidden(names[0])
            for name in names:
                yield person.get(name), person["id"]

    return await cw.people_by_name(named())


def _page_of_people(page: httpx.Response) -> Any:
    return reply_of(PARTICIPANTS, page).data or []

"""Final grades: written many of one course with one call, into the assignment made for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import coursewire as cw
from coursewire_moodle.answers import SERVER, STEPS, WORDS, answer_of, ask, form_of, options
from coursewire_moodle.client import find_course
from coursewire_moodle.config import MoodleConfig, settings

ASSIGNMENTS = "mod_assign_get_assignments"
MODULE = "core_course_get_course_module"
PARTICIPANTS = "core_enrol_get_enrolled_users"
GRADE = "core_grades_update_grades"
PAGE = 1000
MOST_NAMES = 10
"""Assignments that a message names."""


@cw.hookimpl
def export_completion(config: MoodleConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build what Moodle is told of a completion: the grade, 0 to 1, of one learner in one assignment.

    Raises:
        NotExportableError: The grade or the learner is unknown. A zero is a grade.
    """
    for field in ("percent", "remote_id"):
        if getattr(completion, field) in (None, ""):
            step = "See `coursewire why` for this learner."
            raise cw.NotExportableError(field, "it is unknown", next_step=step)
    grade: cw.JsonObject = {"courseID": completion.course_key, "userID": completion.remote_id}
    grade |= {"grade": float(completion.percent or 0), "assignment": config.grade_assignment_name}
    place = {"cmid": config.grade_assignment_cmid, "scale": config.grade_scale}
    return {**grade, **{name: value for name, value in place.items() if value is not None}}


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
    cmid, most = str(assignment["cmid"]), Decimal(str(assignment["grade"]))
    rows = [{"studentid": user, "grade": _points(payload, most)} for user, payload in grades.items()]
    form = {"source": "assign", "courseid": course_id, "component": "mod_assign", "activityid": cmid}
    code, noise = await ask(session, GRADE, {**form, "itemnumber": 0, "grades": rows})
    if str(code) in WORDS["grades"]:
        reason, message = WORDS["grades"][str(code)]
        whole = str(code) == "1" and len(rows) > 1  # the others are written, and Moodle does not say which
        refused = cw.Result(cw.ResultKind.BLOCKED, reason, message, http_status=200, whole_batch=whole)
        return dict.fromkeys(grades, refused)
    if str(code) != "0" or noise:
        why = noise or f"it answered {code!r:.100}"
        raise cw.UnreachableError(
            f"{GRADE} did not say that the grades are written", why=why, http_status=200
        )
    place = f"{course_id}/{cmid}"
    return {user: cw.Result(cw.ResultKind.ACCEPTED, "", "", f"{place}/{user}", 200) for user in grades}


def _points(payload: cw.Payload, most: Decimal) -> str:
    """The grade in points, with at most five digits after the point as Moodle keeps them, and no exponent.

    Raises:
        BlockedError: It is above what the assignment can take, and Moodle would cut it.
    """
    scale = Decimal(payload.body.get("scale") or most)
    if scale > most:
        what = f"grade_scale is {scale}, and the assignment is out of {most}"
        raise cw.BlockedError(what, next_step=STEPS["scale"])
    points = (Decimal(str(payload.body["grade"])) * scale).quantize(Decimal("0.00001")).normalize()
    return f"{points:f}"


async def _assignment(session: cw.Session, course_id: str, body: Mapping[str, Any]) -> cw.JsonObject:
    """The assignment that takes grades: the configured module, where it is in this course; else by its name.

    Raises:
        BlockedError: There is none, or several; or it is not graded in points.
    """
    wanted = {"includenotenrolledcourses": 1, "courseids": [course_id]}
    answer = (await ask(session, ASSIGNMENTS, wanted)).data
    courses: list[cw.JsonObject] = (answer or {}).get("courses") or []
    held: list[cw.JsonObject] = [each for course in courses for each in course["assignments"]]
    found = [each for each in held if str(each["cmid"]) == str(body.get("cmid"))]
    if not found and "cmid" in body:
        await session.once((MODULE, body["cmid"]), lambda: _no_other_kind(session, course_id, body["cmid"]))
    found = found or [each for each in held if each["name"] == body["assignment"]]
    if len(found) == 1 and float(found[0]["grade"]) > 0:
        return found[0]
    names = ", ".join(f"{each['cmid']} {each['name']!r}" for each in (found or held)[:MOST_NAMES]) or "none"
    step = f"Make one assignment named {body['assignment']!r}, graded in points; see that mod/assign:view is given."
    what = f"course {course_id} of Moodle has {len(found)} assignments for final grades"
    if len(found) == 1:
        what = f"the assignment of course {course_id} of Moodle is not graded in points"
    raise cw.BlockedError(what, why=f"it shows these: {names}", next_step=step, reason="no-such-assignment")


async def _no_other_kind(session: cw.Session, course_id: str, cmid: int) -> None:
    """Refuse a configured module of this course that is no assignment; one of another course is passed over."""
    try:
        module = (await ask(session, MODULE, {"cmid": cmid})).data["cm"]
    except cw.BlockedError as error:
        if error.reason == "errorcoursecontextnotvalid":
            return  # in a course that we may not enter, so not in this one
        raise
    if str(module["course"]) == course_id and module["modname"] != "assign":
        what = f"the module {cmid} is not an assignment but a {module['modname']}"
        raise cw.BlockedError(what, next_step=STEPS["module"])


async def _people(session: cw.Session, course_id: str) -> dict[str, set[str]]:
    """Participants of a course by what learners are known by, without regard to capitals; page by page.

    Raises:
        BlockedError: Moodle does not show it.
    """
    names = ("email",) if settings(session).learner_id is cw.LearnerId.EMAIL else ("username", "idnumber")
    wanted = options(userfields=",".join(("id", *names)), limitfrom=0, limitnumber=PAGE)
    rows = cw.rows_of(
        session,
        SERVER,
        data=form_of(session, PARTICIPANTS, {"courseid": course_id, "options": wanted}),
        read=lambda page: answer_of(PARTICIPANTS, page).data or [],
        skip=("options[1][value]", PAGE),
    )

    async def known() -> AsyncIterator[tuple[str | None, object]]:
        async for row in rows:
            if not any(name in row for name in names):
                what = f"Moodle does not show participants' {names[0]}"
                raise cw.BlockedError(what, next_step=STEPS["people"])
            for name in names:
                yield row.get(name), row["id"]

    return await cw.people_by_name(known())

"""Grades in Learn: written straight into the learner's cell of a column, which is created where it is missing.

A remote id is ``column/user/score``: with the score that was last written, so that an instructor's change shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import coursewire as cw
from coursewire_blackboard.api import (
    COURSES,
    OWN_404,
    PERMISSION_HINT,
    by_field,
    config_of,
    created_id,
    find_by_external_id,
    fits_into_path,
    result_of,
    rows,
)
from coursewire_blackboard.config import API

SAME_SCORE = 0.00002
"""Learn shows five decimals."""


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Send a batch, which is one grade."""
    return [await _write(session, payload) for payload in batch.payloads]


async def _write(session: cw.Session, payload: cw.Payload) -> cw.Result:
    """Write one grade, or with a score of null take it away."""
    score = payload.body["grade"]["score"]
    placed = await _place(session, payload.body, create=score is not None)
    if isinstance(placed, cw.Result):
        # A grade that is not there need not be taken away.
        return placed if score is not None else replace(placed, kind=cw.ResultKind.ALREADY_SO, message="")
    course, column, user = placed
    cell = cw.Cell(
        path=f"{_columns(course)}/{column}/users/{user}",
        score=score,
        within=SAME_SCORE,
        mark="userId",
        place=lambda answer: f"{column}/{answer['userId']}",
        method="PATCH",
        body={"score": score},
    )
    return await cw.write_score(
        session,
        cell,
        told=payload.remote_id if config_of(session).keep_instructor_changes else None,
        permission_hint=PERMISSION_HINT,
        not_found_member=OWN_404,
    )


# -- where a grade goes, asked for once a run --------------------------------------------------------------


async def _place(
    session: cw.Session, body: Mapping[str, Any], *, create: bool
) -> tuple[str, str, str] | cw.Result:
    """Find the place of a grade in Learn's gradebook.

    Args:
        session: The session of the run.
        body: The payload of the grade.
        create: Create the column where it is missing.

    Returns:
        Course, column and user as they stand in a path; or a result where there is no such place.
    """
    course = await session.once(("course", body["course"]), lambda: _course(session, body["course"]))
    if course is None:
        return cw.blocked(cw.Reason.COURSE_NOT_AT_LMS)
    column = await session.once(
        ("column", course, body["column"]["externalId"], create),
        lambda: _column(session, course, body["column"], create=create),
    )
    if isinstance(column, cw.Result):
        return column
    user = await _user(session, course, body["learner"])
    if isinstance(user, cw.Result):
        return user
    return course, column, user


async def _course(session: cw.Session, key: str) -> str | None:
    """Return a course as it stands in a path: by its external id, or where that cannot stand there, by Learn's own id.

    Returns:
        None where Learn has no such course. Of an external id that can stand in a path that is not known yet.
    """
    if fits_into_path(key):
        return by_field(key)
    found = await find_by_external_id(session, COURSES, key)
    return str(found["id"]) if found else None


def _columns(course: str) -> str:
    return f"{API}/v2/courses/{course}/gradebook/columns"


async def _column(
    session: cw.Session, course: str, wanted: cw.JsonObject, *, create: bool
) -> str | cw.Result:
    """Return Learn's id of the column with an external id; a result where there is no such column."""
    found = await find_by_external_id(session, _columns(course), wanted["externalId"])
    if found is not None:
        await _keep_from_counting(session, course, found, wanted)
        return str(found["id"])
    if not create:
        return cw.Result(cw.ResultKind.ALREADY_SO, "no-such-column")
    return await _create_column(session, course, wanted)


async def _keep_from_counting(
    session: cw.Session, course: str, column: cw.JsonObject, wanted: cw.JsonObject
) -> None:
    """Take a column of a subsection out of the total, where an earlier integration let it count.

    Where Learn refuses that, as in Ultra courses, the grade is no less right.
    """
    if column.get("includeInCalculations") is True and not wanted["includeInCalculations"]:
        change = {"includeInCalculations": False}
        await session.patch(f"{_columns(course)}/{column['id']}", json=change, safe_to_repeat=True)


async def _create_column(session: cw.Session, course: str, wanted: cw.JsonObject) -> str | cw.Result:
    response = await session.get(f"{COURSES}/{course}")
    if cw.is_missing(response, OWN_404):
        return cw.blocked(cw.Reason.COURSE_NOT_AT_LMS)
    body = dict(wanted)
    if cw.read_success(response, next_step=PERMISSION_HINT).get("ultraStatus") == "Ultra":
        # An Ultra course refuses to be told whether a column counts.
        del body["includeInCalculations"]
    # Learn lets no two columns of a course have one external id, so that a repeat meets 409.
    response = await session.post(_columns(course), json=body, safe_to_repeat=True)
    if response.status_code == 409:
        found = await find_by_external_id(session, _columns(course), wanted["externalId"])
        if found is not None:
            return str(found["id"])
    return created_id(response) or result_of(session, response, acknowledged=False)


async def _user(session: cw.Session, course: str, learner: str) -> str | cw.Result:
    """Return a learner as it stands in a path; a result where Learn knows the learner not at all, or not as one."""
    field = config_of(session).learner_field
    if field != "email":
        return by_field(learner, field)
    students = await session.once(("students", course), lambda: _students(session, course))
    return cw.only_one(students, learner)


async def _students(session: cw.Session, course: str) -> dict[str, set[str]]:
    """Return the ids of a course's students, by their e-mail addresses."""
    roles = config_of(session).student_roles
    params = {"expand": "user", "fields": "userId,courseRoleId,user.contact.email"}
    if len(roles) == 1:
        params["role"] = roles[0]
    members = rows(session, f"{API}/v1/courses/{course}/users", params)
    return await cw.people_by_name(
        (cw.dig(member, "user", "contact", "email"), member.get("userId"))
        async for member in members
        if member.get("courseRoleId") in roles
    )

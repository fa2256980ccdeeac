"""Grades in Learn: written straight into the learner's cell of a column, which is created where it is missing.

A remote id is ``column/user/score``: with the score that was last written, so that an instructor's change shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

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

NO_POINTS = cw.Result(
    cw.ResultKind.BLOCKED,
    "no-points-possible",
    "The column has no points in Learn, so that no grade can be a part of them. Give it points there.",
)


class Column(NamedTuple):
    """A column of the gradebook.

    Attributes:
        id: Learn's id.
        possible: The maximum that it has now; None where Learn does not show it.
    """

    id: str
    possible: float | None


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
    if score is not None and column.possible is not None:
        if column.possible <= 0:
            return NO_POINTS
        score = _of_the_maximum(score, payload.body["column"]["score"]["possible"], column.possible)
    cell = cw.Cell(
        path=f"{_columns(course)}/{column.id}/users/{user}",
        score=score,
        within=SAME_SCORE,
        mark="userId",
        place=lambda answer: f"{column.id}/{answer['userId']}",
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


def _of_the_maximum(score: float, wanted: float, possible: float) -> float:
    """Return the score as the same part of the maximum that the column has now.

    Args:
        score: The points of the payload.
        wanted: The maximum that they are meant of.
        possible: The maximum of the column.
    """
    return score if possible == wanted else round(score * possible / wanted, 5)


# -- where a grade goes, asked for once a run --------------------------------------------------------------


async def _place(
    session: cw.Session, body: Mapping[str, Any], *, create: bool
) -> tuple[str, Column, str] | cw.Result:
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
    wanted = body["column"]
    place = ("column", course, wanted["externalId"])
    async with session.lock(place):
        column = await session.once(place, lambda: _column(session, course, wanted))
        if column is None and not create:
            return cw.Result(cw.ResultKind.ALREADY_SO, "no-such-column")
        shown = await session.once(("shown", course), lambda: _shown(session, course)) if not column else {}
        if shown is None:
            return cw.blocked(cw.Reason.COURSE_NOT_AT_LMS)
        user = await _user(session, course, body["learner"])
        if isinstance(user, cw.Result):
            return user
        if column is None:
            # Nothing is made in a course for somebody who is not in it.
            if not await _is_member(session, course, user):
                return cw.blocked(cw.Reason.LEARNER_UNMATCHED)
            session.forget(place)
            column = await session.once(place, lambda: _create_column(session, course, wanted, shown))
    return column if isinstance(column, cw.Result) else (course, column, user)


async def _shown(session: cw.Session, course: str) -> cw.JsonObject | None:
    """Return what Learn shows of a course; None where there is no such course.

    Raises:
        SendError: Learn could not tell.
    """
    response = await session.get(f"{COURSES}/{course}")
    if cw.is_missing(response, OWN_404):
        return None
    return cw.read_success(response, next_step=PERMISSION_HINT)


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


async def _column(session: cw.Session, course: str, wanted: cw.JsonObject) -> Column | cw.Result | None:
    """Return the column with an external id; None where there is none."""
    found = await find_by_external_id(session, _columns(course), wanted["externalId"])
    if found is None:
        return None
    await _keep_from_counting(session, course, found, wanted)
    return _column_of(found)


def _column_of(found: cw.JsonObject) -> Column:
    possible = cw.dig(found, "score", "possible")
    known = isinstance(possible, int | float) and not isinstance(possible, bool)
    return Column(str(found["id"]), float(possible) if known else None)


async def _keep_from_counting(
    session: cw.Session, course: str, column: cw.JsonObject, wanted: cw.JsonObject
) -> None:
    """Take a column of a subsection out of the total, where an earlier integration let it count.

    Where Learn refuses that, as in Ultra courses, the grade is no less right.
    """
    if column.get("includeInCalculations") is True and not wanted["includeInCalculations"]:
        change = {"includeInCalculations": False}
        await session.patch(f"{_columns(course)}/{column['id']}", json=change, safe_to_repeat=True)


async def _create_column(
    session: cw.Session, course: str, wanted: cw.JsonObject, shown: cw.JsonObject
) -> Column | cw.Result:
    body = dict(wanted)
    if shown.get("ultraStatus") == "Ultra":
        # An Ultra course refuses to be told whether a column counts.
        del body["includeInCalculations"]
    # Learn lets no two columns of a course have one external id, so that a repeat meets 409.
    response = await session.post(_columns(course), json=body, safe_to_repeat=True)
    if response.status_code == 409:
        found = await find_by_external_id(session, _columns(course), wanted["externalId"])
        if found is not None:
            return _column_of(found)
    if created_id(response):
        return _column_of(cw.read_object(response))
    return result_of(session, response, acknowledged=False)


async def _user(session: cw.Session, course: str, learner: str) -> str | cw.Result:
    """Return a learner as it stands in a path; a result where Learn knows the learner not at all, or not as one."""
    field = config_of(session).learner_field
    if field != "email":
        return by_field(learner, field)
    students = await session.once(("students", course), lambda: _students(session, course))
    return cw.only_one(students, learner)


async def _is_member(session: cw.Session, course: str, user: str) -> bool:
    """Tell whether a learner is in a course; those that were found by their addresses are."""
    if config_of(session).learner_field == "email":
        return True
    response = await session.get(f"{API}/v1/courses/{course}/users/{user}")
    if cw.is_missing(response, OWN_404):
        return False
    cw.read_success(response, "userId", permission_hint=PERMISSION_HINT)
    return True


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

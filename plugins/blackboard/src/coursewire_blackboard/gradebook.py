"""Grades in Learn: written straight into the learner's cell of a column, which is made where it is missing.

A remote id is ``column/user/score``: what was last written, so that an instructor's change shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import coursewire as cw
from coursewire_blackboard.client import (
    COURSES,
    RIGHTS,
    by_external_id,
    is_missing,
    patch,
    rows,
    said,
    settings,
)
from coursewire_blackboard.config import API

SAME_SCORE = 0.00002
"""Learn shows five decimals."""

AT_LEARN = {
    "course-not-at-lms": "Learn has no such course. Transmit content first.",
    "learner-unmatched": "No student of the course in Learn has this e-mail address, user name or external id. "
    "Make the user, or enrol it there as a student.",
    "learner-ambiguous": "Several students of the course in Learn share this e-mail address. Address learners by "
    "userName or externalId (learner_field), or give them addresses of their own.",
    "instructor-changed-it": "Somebody else changed this grade in Learn, and it stays so. With "
    "keep_instructor_changes off it would be overwritten.",
}
"""What a person at Learn, or whoever links learners, can mend; core asks again once a day."""


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Write a batch, which is one grade."""
    return [await _write(session, payload) for payload in batch.payloads]


async def _write(session: cw.Session, payload: cw.Payload) -> cw.Result:
    """Write one grade, or with a score of null take it away; accepted is the score that Learn answers with."""
    body, wanted = payload.body, payload.body["grade"]["score"]
    course = await session.once(("course", body["course"]), lambda: _course(session, body["course"]))
    column = await session.once(
        ("column", course, body["column"]["externalId"], wanted is None),
        lambda: _column(session, course, body["column"], create=wanted is not None),
    )
    if isinstance(column, cw.Result):
        return column
    user = await _user(session, course, body["learner"]) if column else "no-such-column"
    if wanted is None and (not column or user in AT_LEARN):
        return cw.Result(cw.ResultKind.ALREADY_SO, reason=user)  # what is not there need not be taken away
    if user in AT_LEARN:
        return _blocked(user)
    path = f"{API}/v2/courses/{course}/gradebook/columns/{column}/users/{user}"
    settled = await _settled(session, path, payload.remote_id, wanted) if payload.remote_id else None
    if settled is not None:
        return settled
    response = await patch(session, path, {"score": wanted})
    grade = cw.read_object(response)
    if is_missing(response):
        return _blocked("learner-unmatched")
    if not response.is_success or "userId" not in grade:
        return said(session, response, {"userId": ""})
    if _same(grade.get("score"), wanted):
        remote_id = f"{column}/{grade['userId']}/{wanted}"
        return cw.Result(cw.ResultKind.ACCEPTED, remote_id=remote_id, http_status=response.status_code)
    message = f"Learn took the grade and shows {grade.get('score')!r:.40}. Is the column locked or calculated there?"
    return cw.Result(cw.ResultKind.TRY_LATER, "grade-not-shown", message, http_status=response.status_code)


async def _settled(session: cw.Session, path: str, told: str, wanted: float | None) -> cw.Result | None:
    """What is said without writing: the grade is there already, or another's stands in its place."""
    if not settings(session).keep_instructor_changes:
        return None
    response = await session.get(path)
    if is_missing(response):
        return None
    shown, ours = cw.read_success(response, next_step=RIGHTS), told.rpartition("/")[2]
    score, exempt = shown.get("score"), shown.get("exempt")
    if _same(score, wanted) and not exempt:
        return cw.Result(cw.ResultKind.ALREADY_SO, remote_id=told, http_status=response.status_code)
    changed = score is not None and (ours == "None" or not _same(score, float(ours)))
    return _blocked("instructor-changed-it", told) if changed or exempt else None


def _same(shown: Any, wanted: float | None) -> bool:
    if isinstance(shown, bool) or not isinstance(shown, int | float) or wanted is None:
        return shown is None and wanted is None
    return abs(shown - wanted) < SAME_SCORE


def _blocked(reason: str, remote_id: str | None = None) -> cw.Result:
    return cw.Result(cw.ResultKind.BLOCKED, reason, AT_LEARN[reason], remote_id)


# -- where and whom, asked for once a run ----------------------------------------------------------------


async def _course(session: cw.Session, key: str) -> str:
    """How to address a course: by its external id, or where that cannot stand in a path, by Learn's own."""
    if "/" not in key and "\\" not in key:
        return f"externalId:{quote(key, safe='')}"
    found = await by_external_id(session, COURSES, key)
    return str(found["id"]) if found else ""


async def _column(
    session: cw.Session, course: str, wanted: Mapping[str, Any], *, create: bool
) -> str | cw.Result:
    """Learn's id of the column with this external id, made where it is missing and to be made; "" for none."""
    collection = f"{API}/v2/courses/{course}/gradebook/columns"
    held = await by_external_id(session, collection, wanted["externalId"]) if course else None
    if held and held.get("includeInCalculations") is True and not wanted["includeInCalculations"]:
        # An earlier integration let it count. Where Learn refuses, as in Ultra courses, the grade is no less right.
        await patch(session, f"{collection}/{held['id']}", {"includeInCalculations": False})
    if held or not create:
        return str(held["id"]) if held else ""
    found = await session.get(f"{COURSES}/{course}") if course else None
    if found is None or is_missing(found):
        return _blocked("course-not-at-lms")
    # An Ultra course refuses to be told whether a column counts.
    ultra = cw.read_success(found, next_step=RIGHTS).get("ultraStatus") == "Ultra"
    body = {name: value for name, value in wanted.items() if not (ultra and name == "includeInCalculations")}
    # Learn lets no two columns of a course have one external id, so that a repeat meets 409.
    response = await session.post(collection, json=body, safe_to_repeat=True)
    if response.status_code == 409:
        held = await by_external_id(session, collection, wanted["externalId"])
    made = held or cw.read_object(response)
    if "id" in made and (held or response.is_success):
        return str(made["id"])
    return said(session, response, {"id": ""})


async def _user(session: cw.Session, course: str, learner: str) -> str:
    """A learner in a path; or a reason why there is none."""
    field = settings(session).learner_field
    if field != "email":
        return f"{field}:{quote(learner, safe='')}"
    students = await session.once(("students", course), lambda: _students(session, course))
    found = students.get(learner.strip().casefold(), set())
    if len(found) == 1:
        return next(iter(found))
    return "learner-ambiguous" if found else "learner-unmatched"


async def _students(session: cw.Session, course: str) -> Mapping[str, set[str]]:
    """E-mail addresses of a course's students, without regard to capitals, to the ids of the users who have them."""
    roles = settings(session).student_roles
    wanted = {"expand": "user", "fields": "userId,courseRoleId,user.contact.email"}
    found: defaultdict[str, set[str]] = defaultdict(set)
    only = {"role": roles[0]} if len(roles) == 1 else {}
    async for row in rows(session, f"{API}/v1/courses/{course}/users", {**wanted, **only}):
        email = ((row.get("user") or {}).get("contact") or {}).get("email")
        if row.get("courseRoleId") in roles and row.get("userId") and email:
            found[email.strip().casefold()].add(str(row["userId"]))
    return found

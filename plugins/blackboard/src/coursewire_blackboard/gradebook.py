"""Grades in Learn: written straight into the learner's cell of a column, which is made where it is missing.

A remote id is ``column/user/score``: what was last written, so that an instructor's change shows.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from coursewire.client.answers import read_object
from coursewire.model.payload import JsonObject, Payload, Result, ResultKind
from coursewire_blackboard.client import find_course
from coursewire_blackboard.learn import (
    API,
    addressed,
    by_external_id,
    failure,
    is_missing,
    refused,
    rows,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursewire.model.session import Session

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


async def write(session: Session, payload: Payload) -> Result:
    """Write one grade, or with a score of null take it away.

    Returns:
        Accepted when Learn answers with the score that was sent.
    """
    body, wanted = payload.body, payload.body["grade"]["score"]
    course = await session.once(("course", body["course"]), lambda: _course(session, body["course"]))
    if course is None:
        return _without_place(wanted, "course-not-at-lms")
    column = await session.once(
        ("column", course, body["column"]["externalId"], str(wanted is None)),
        lambda: _column(session, course, body["column"], create=wanted is not None),
    )
    if not isinstance(column, str):
        return column or _without_place(wanted, "no-such-column")
    user = await _user(session, course, body["learner"])
    if user in AT_LEARN:
        return _without_place(wanted, user)
    path = f"{API}/v2/courses/{course}/gradebook/columns/{column}/users/{user}"
    if payload.remote_id and settings(session).keep_instructor_changes:
        settled = await _settled(session, path, payload, wanted)
        if settled is not None:
            return settled
    response = await session.request("PATCH", path, json={"score": wanted}, safe_to_repeat=True)
    grade = read_object(response)
    if is_missing(response):
        return _without_place(wanted, "learner-unmatched")
    if not response.is_success or "userId" not in grade:
        return refused(session, response)
    shown = grade.get("score")
    if not _same(shown, wanted):
        message = f"Learn took the grade and shows {shown!r:.40}. Is the column locked or calculated there?"
        return Result(ResultKind.TRY_LATER, "grade-not-shown", message, http_status=response.status_code)
    return Result(
        ResultKind.ACCEPTED,
        remote_id=f"{column}/{grade['userId']}/{wanted}",
        http_status=response.status_code,
    )


async def _settled(session: Session, path: str, payload: Payload, wanted: float | None) -> Result | None:
    """What is said without writing: the grade is there already, or another's stands in its place."""
    response = await session.get(path)
    shown = read_object(response)
    if is_missing(response):
        return None
    if not response.is_success:
        raise failure(session, response)
    score = shown.get("score")
    if _same(score, wanted) and not shown.get("exempt"):
        return Result(ResultKind.ALREADY_SO, remote_id=payload.remote_id, http_status=response.status_code)
    ours = (payload.remote_id or "").rpartition("/")[2]
    if shown.get("exempt") or (score is not None and not (ours != "None" and _same(score, float(ours)))):
        reason = "instructor-changed-it"
        return Result(ResultKind.BLOCKED, reason, AT_LEARN[reason], payload.remote_id, response.status_code)
    return None


def _same(shown: Any, wanted: float | None) -> bool:
    if shown is None or wanted is None or isinstance(shown, bool) or not isinstance(shown, int | float):
        return shown is None and wanted is None
    return abs(shown - wanted) < SAME_SCORE


def _without_place(wanted: float | None, reason: str) -> Result:
    """What is not there need not be taken away."""
    if wanted is None:
        return Result(ResultKind.ALREADY_SO, reason)
    return Result(ResultKind.BLOCKED, reason, AT_LEARN[reason])


# -- where and whom, asked for once a run ----------------------------------------------------------------


async def _course(session: Session, key: str) -> str | None:
    """How to address a course: by its external id, or where that cannot stand in a path, by Learn's own."""
    if "/" not in key and "\\" not in key:
        return addressed("externalId", key)
    found = await find_course(session, key)
    return None if found is None else str(found["id"])


async def _column(
    session: Session, course: str, wanted: Mapping[str, Any], *, create: bool
) -> str | Result | None:
    """Learn's id of the column with this external id, made where it is missing and to be made."""
    collection = f"{API}/v2/courses/{course}/gradebook/columns"
    held = await by_external_id(session, collection, wanted["externalId"])
    if held is not None:
        return await _counted_as(session, collection, held, wanted)
    if not create:
        return None
    response = await session.get(f"{API}/v3/courses/{course}")
    if is_missing(response):
        return _without_place(0.0, "course-not-at-lms")
    if not response.is_success:
        raise failure(session, response)
    # An Ultra course refuses to be told whether a column counts.
    ultra = read_object(response).get("ultraStatus") == "Ultra"
    body = {name: value for name, value in wanted.items() if not (ultra and name == "includeInCalculations")}
    # Learn lets no two columns of a course have one external id, so that a repeat meets 409.
    response = await session.post(collection, json=body, safe_to_repeat=True)
    made: JsonObject | None = read_object(response)
    if response.status_code == 409:
        made = await by_external_id(session, collection, wanted["externalId"])
    return str(made["id"]) if made and "id" in made else refused(session, response)


async def _counted_as(session: Session, collection: str, held: JsonObject, wanted: Mapping[str, Any]) -> str:
    """Take a subsection's column out of the total, where an earlier integration let it count."""
    if held.get("includeInCalculations") is True and not wanted["includeInCalculations"]:
        path = f"{collection}/{held['id']}"
        # Where Learn refuses, as in Ultra courses, the grade is no less right.
        await session.request("PATCH", path, json={"includeInCalculations": False}, safe_to_repeat=True)
    return str(held["id"])


async def _user(session: Session, course: str, learner: str) -> str:
    """A learner in a path; or a reason why there is none."""
    field = settings(session).learner_field
    if field != "email":
        return addressed(field, learner)
    students = await session.once(("students", course), lambda: _students(session, course))
    found = students.get(learner.strip().casefold(), set())
    if len(found) == 1:
        return next(iter(found))
    return "learner-ambiguous" if found else "learner-unmatched"


async def _students(session: Session, course: str) -> Mapping[str, set[str]]:
    """E-mail addresses of a course's students, without regard to capitals, to the ids of the users who have them."""
    roles = settings(session).student_roles
    wanted = {"expand": "user", "fields": "userId,courseRoleId,user.contact.email"}
    if len(roles) == 1:
        wanted["role"] = roles[0]
    found: defaultdict[str, set[str]] = defaultdict(set)
    async for row in rows(session, f"{API}/v1/courses/{course}/users", wanted):
        contact = (row.get("user") or {}).get("contact") or {}
        if row.get("courseRoleId") in roles and row.get("userId") and contact.get("email"):
            found[contact["email"].strip().casefold()].add(str(row["userId"]))
    return found

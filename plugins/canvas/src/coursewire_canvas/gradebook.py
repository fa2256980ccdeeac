"""Canvas's side of grades: courses, students, users, assignments and submissions.

Courses, students, users and assignments are asked for once a run, however many grades there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

import httpx

import coursewire as cw
from coursewire_canvas.api import account_path, find_course, refused, rows
from coursewire_canvas.config import PERMISSION_HINT

Place = tuple[str, str]
"""Ids of an assignment and of a user, by which Canvas knows a submission."""

IDS_A_QUERY = 100
"""Ids of each kind in one address, so that it stays below the 8 kB that servers take."""
SHORTEST_TERM = 3
"""Characters below which Canvas refuses to search for a user."""
PAUSES_S = (0, 0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8, 8)
"""Seconds before each look at a Progress: a minute in all. The next run looks at what takes longer."""
GRADEABLE = ("active", "invited", "completed")
"""States of an enrolment in which a student can have grades."""
STUDENTS = [("enrollment_type[]", "student"), *(("enrollment_state[]", state) for state in GRADEABLE)]
NAMES = ("email", "login_id", "sis_user_id", "integration_id")
"""Fields of a user in which a learner's id may stand. Two users who share one cannot be told apart."""
WITH_EMAIL = ("include[]", "email")


class Bulk(NamedTuple):
    """The end of Canvas's job that writes many grades."""

    state: str
    """``completed``, ``failed``, or another state where the job has not ended."""
    message: str = ""
    """Canvas's words about it."""


# -- courses and people ------------------------------------------------------------------------------


async def course(session: cw.Session, key: str) -> cw.JsonObject | None:
    """Return the course with this integration id, and how many students it has; None where there is none."""
    return await session.once(("course", key), lambda: find_course(session, key, "total_students"))


async def own_id(session: cw.Session) -> str:
    """Return the id of the token's user, who is the grader of every grade that Coursewire writes."""

    async def ask() -> str:
        answer = await session.get("/api/v1/users/self")
        return str(cw.read_success(answer, "id", permission_hint=PERMISSION_HINT)["id"])

    return await session.once("own id", ask)


async def students(session: cw.Session, course_id: str) -> dict[str, set[str]]:
    """Return the ids of a course's students, by their addresses, logins and SIS ids."""
    users = rows(session, f"/api/v1/courses/{course_id}/users", [*STUDENTS, WITH_EMAIL])
    return await session.once(("students", course_id), lambda: cw.people_by_name(_names_of(users)))


async def is_student(session: cw.Session, course_id: str, user_id: str) -> bool:
    """Tell whether a user is a student of a course."""
    query = [("user_id", user_id), ("type[]", "StudentEnrollment")]
    query += [("state[]", state) for state in GRADEABLE]
    async for _ in rows(session, f"/api/v1/courses/{course_id}/enrollments", query):
        return True
    return False


async def users_named(session: cw.Session, name: str) -> dict[str, set[str]]:
    """Return the ids of the account's users in whom Canvas finds a name, by their addresses, logins and SIS ids.

    Canvas searches for parts of a name, so that others are among them; and not for less than three characters.
    """
    if len(name) < SHORTEST_TERM:
        return {}
    users = rows(session, f"{account_path(session)}/users", [("search_term", name), WITH_EMAIL])
    return await session.once(("users", name.casefold()), lambda: cw.people_by_name(_names_of(users)))


async def _names_of(users: AsyncIterator[cw.JsonObject]) -> AsyncIterator[tuple[str | None, Any]]:
    async for user in users:
        if "email" not in user and "login_id" not in user:
            raise cw.BlockedError(
                "learners cannot be told apart",
                why="Canvas hides e-mail addresses and logins from the token's user",
                next_step="Give its role the rights 'Users - view primary email address' and 'view login IDs'.",
            )
        for field in NAMES:
            name = user.get(field)
            yield str(name) if name else None, user["id"]


# -- assignments -------------------------------------------------------------------------------------


async def assignment(
    session: cw.Session, course_id: str, wanted: Mapping[str, Any], *, create: bool
) -> cw.JsonObject | cw.Result | None:
    """Return the assignment with the integration id of ``wanted``.

    Args:
        session: The session of the run.
        course_id: Canvas's id of the course.
        wanted: The assignment as it is created.
        create: Create it where it is missing.

    Returns:
        The assignment, the newest where there are several; None where there is none and none is to be created; a result
        where Canvas refused to create it.
    """
    key = wanted["integration_id"]
    listed = ("assignments", course_id)
    async with session.lock(("assignment", course_id, key)):
        held = await session.once(listed, lambda: assignments(session, course_id))
        if key in held:
            return held[key][0]
        if not create:
            return None
        try:
            response = await session.post(
                f"/api/v1/courses/{course_id}/assignments", json={"assignment": dict(wanted)}
            )
        except cw.OutcomeUnknownError:
            # It may be there now: the next grade reads the list again, before another assignment is created.
            session.forget(listed)
            raise
        created = cw.read_object(response)
        if not response.is_success or "id" not in created:
            return refused(session, response)
        held[key] = [created]
        return created


async def assignments(session: cw.Session, course_id: str) -> dict[str, list[cw.JsonObject]]:
    """Return a course's assignments that have an integration id, by it, the newest first."""
    found: defaultdict[str, list[cw.JsonObject]] = defaultdict(list)
    async for row in rows(session, f"/api/v1/courses/{course_id}/assignments"):
        if row.get("integration_id"):
            found[row["integration_id"]].append(row)
    for same in found.values():
        same.sort(key=lambda row: (str(row.get("updated_at") or ""), row["id"]), reverse=True)
    return dict(found)


# -- submissions -------------------------------------------------------------------------------------


async def submissions(
    session: cw.Session, course_id: str, places: Sequence[Place]
) -> dict[Place, cw.JsonObject]:
    """Return what the gradebook shows now; a place that it does not show is left out."""
    found = {}
    for start in range(0, len(places), IDS_A_QUERY):
        some = places[start : start + IDS_A_QUERY]
        query = [("student_ids[]", user) for user in sorted({user for _, user in some})]
        query += [("assignment_ids[]", one) for one in sorted({one for one, _ in some})]
        async for row in rows(session, f"/api/v1/courses/{course_id}/students/submissions", query):
            found[str(row.get("assignment_id")), str(row.get("user_id"))] = row
    return found


async def post_grades(
    session: cw.Session, course_id: str, grades: Mapping[Place, object]
) -> Bulk | cw.Result:
    """Write many grades of one course with one request, and wait until Canvas is done with them.

    Args:
        session: The session of the run.
        course_id: Canvas's id of the course.
        grades: The ``posted_grade`` of each place.

    Returns:
        The end of Canvas's job, which says nothing about a single grade; or a result where Canvas refused to begin it.
    """
    data: defaultdict[str, cw.JsonObject] = defaultdict(dict)
    for (assignment_id, user_id), posted in grades.items():
        data[assignment_id][user_id] = {"posted_grade": posted}
    response = await session.post(
        f"/api/v1/courses/{course_id}/submissions/update_grades",
        json={"grade_data": data},
        safe_to_repeat=True,  # the same grade once more
    )
    progress = cw.read_object(response)
    if not response.is_success or "id" not in progress:
        # Canvas does not say whose grade it refuses. In smaller batches, and at last alone, it does.
        return refused(session, response, batch_refused=True)
    ended = await cw.poll(session, f"/api/v1/progress/{progress['id']}", PAUSES_S, _has_ended)
    if ended is None:
        return Bulk("running")
    progress = cw.read_object(ended)
    return Bulk(str(progress["workflow_state"]), str(progress.get("message") or ""))


def _has_ended(answer: httpx.Response) -> bool:
    return cw.read_object(answer).get("workflow_state") in ("completed", "failed")

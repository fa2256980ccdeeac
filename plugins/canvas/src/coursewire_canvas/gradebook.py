"""What one Canvas holds of learners and grades.

Courses, students, users and assignments are asked for once a session, however many grades there are.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from coursewire.errors import BlockedError, OutcomeUnknownError
from coursewire.model.payload import JsonObject, Result
from coursewire.toolkit.responses import read_object
from coursewire_canvas.answers import (
    account_path,
    failure,
    find_course,
    refused,
    rows,
)

if TYPE_CHECKING:
    from coursewire.model.session import Session

T = TypeVar("T")
Pair = tuple[str, str]
"""Ids of an assignment and of a user: what Canvas knows a submission by."""

IDS_A_QUERY = 100
"""Ids of each kind in one address, so that it stays below the 8 kB that servers take."""
SHORTEST_TERM = 3
PAUSES_S = (0, 0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8, 8)
"""Before each look at a Progress: a minute in all. What takes longer is looked at by the next run."""
STUDENTS = [
    ("enrollment_type[]", "student"),
    *(("enrollment_state[]", state) for state in ("active", "invited", "completed")),
]
NAMES = ("email", "login_id", "sis_user_id", "integration_id")
"""Fields of a user that a learner's id may stand in. Two users who share one are told apart by nobody."""
WITH_EMAIL = ("include[]", "email")


class Graded(NamedTuple):
    """How Canvas ended the job of a bulk: ``completed``, ``failed``, or another state when it has not."""

    state: str
    message: str


class _Memory:
    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], Any] = {}
        self.locks: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)


_memories: WeakKeyDictionary[Session, _Memory] = WeakKeyDictionary()


def _memory(session: Session) -> _Memory:
    return _memories.setdefault(session, _Memory())


async def _once(session: Session, key: tuple[str, ...], ask: Callable[[], Awaitable[T]]) -> T:
    """What ``ask`` answered first in this session. A failure is not kept: the next one asks again."""
    memory = _memory(session)
    async with memory.locks[key]:
        if key not in memory.known:
            memory.known[key] = await ask()
        known: T = memory.known[key]
        return known


# -- whom and where ----------------------------------------------------------------------------------


async def course(session: Session, key: str) -> JsonObject | None:
    """The course with this integration id, and how many students it has; None when there is none."""
    return await _once(session, ("course", key), lambda: find_course(session, key, "total_students"))


async def own_id(session: Session) -> str:
    """The id of the token's user, who is the grader of whatever we write."""

    async def ask() -> str:
        response = await session.get("/api/v1/users/self")
        user = read_object(response)
        if not response.is_success or "id" not in user:
            raise failure(session, response)
        return str(user["id"])

    return await _once(session, ("self",), ask)


async def students(session: Session, course_id: str) -> Mapping[str, set[str]]:
    """Names of a course's students, in lower case, to the ids of the users who have them."""

    async def ask() -> Mapping[str, set[str]]:
        path = f"/api/v1/courses/{course_id}/users"
        return _by_name(await rows(session, path, [*STUDENTS, WITH_EMAIL]))

    return await _once(session, ("students", course_id), ask)


async def users_named(session: Session, name: str) -> set[str]:
    """Ids of the account's users who have exactly this name, but for capitals.

    Canvas searches for parts, also in fields that are not compared here; and not for less than three
    characters.
    """
    if len(name) < SHORTEST_TERM:
        return set()

    async def ask() -> set[str]:
        path = f"{account_path(session)}/users"
        found = await rows(session, path, [("search_term", name), WITH_EMAIL])
        return _by_name(found).get(name.lower(), set())

    return await _once(session, ("users", name.lower()), ask)


def _by_name(users: Iterable[JsonObject]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for user in users:
        if "email" not in user and "login_id" not in user:
            why = "Canvas hides e-mail addresses and logins from the token's user"
            remedy = "Give its role the rights 'Users - view primary email address' and 'view login IDs'."
            raise BlockedError("learners cannot be told apart", why=why, next_step=remedy)
        for field in NAMES:
            if user.get(field):
                found[str(user[field]).lower()].add(str(user["id"]))
    return dict(found)


# -- assignments -------------------------------------------------------------------------------------


async def assignment(
    session: Session, course_id: str, wanted: Mapping[str, Any], *, create: bool
) -> JsonObject | Result | None:
    """The assignment with the integration id of ``wanted``, created where it is missing and to be created.

    Returns:
        The assignment, the newest where there are several; None where there is none; or what Canvas said
        when it refused to create it.
    """
    key = wanted["integration_id"]
    listed = ("assignments", course_id)
    async with _memory(session).locks["assignment", course_id, key]:
        held = await _once(session, listed, lambda: assignments(session, course_id))
        if key in held or not create:
            return held[key][0] if key in held else None
        try:
            response = await session.post(
                f"/api/v1/courses/{course_id}/assignments", json={"assignment": dict(wanted)}
            )
        except OutcomeUnknownError:
            # It may be there now: whoever needs it next reads the list again before creating another.
            _memory(session).known.pop(listed, None)
            raise
        made = read_object(response)
        if not response.is_success or "id" not in made:
            return refused(session, response)
        held[key] = [made]
        return made


async def assignments(session: Session, course_id: str) -> dict[str, list[JsonObject]]:
    """A course's assignments that have an integration id, by it, the newest first."""
    found: defaultdict[str, list[JsonObject]] = defaultdict(list)
    for row in await rows(session, f"/api/v1/courses/{course_id}/assignments", []):
        if row.get("integration_id"):
            found[row["integration_id"]].append(row)
    for same in found.values():
        same.sort(key=lambda row: (str(row.get("updated_at") or ""), row["id"]), reverse=True)
    return dict(found)


# -- grades ------------------------------------------------------------------------------------------


async def submissions(session: Session, course_id: str, pairs: Sequence[Pair]) -> dict[Pair, JsonObject]:
    """What the gradebook shows now; a learner whom it does not show is left out."""
    found = {}
    for start in range(0, len(pairs), IDS_A_QUERY):
        some = pairs[start : start + IDS_A_QUERY]
        query = [("student_ids[]", user) for user in sorted({user for _, user in some})]
        query += [("assignment_ids[]", one) for one in sorted({one for one, _ in some})]
        for row in await rows(session, f"/api/v1/courses/{course_id}/students/submissions", query):
            found[str(row.get("assignment_id")), str(row.get("user_id"))] = row
    return found


async def post_grades(session: Session, course_id: str, grades: Mapping[Pair, object]) -> Graded | Result:
    """Write many grades of one course with one request, and wait until Canvas is done with them.

    Returns:
        How Canvas's job ended, which says nothing about a single grade; or what Canvas said when it did
        not even begin.
    """
    data: defaultdict[str, JsonObject] = defaultdict(dict)
    for (one, user), posted in grades.items():
        data[one][user] = {"posted_grade": posted}
    response = await session.post(
        f"/api/v1/courses/{course_id}/submissions/update_grades",
        json={"grade_data": data},
        safe_to_repeat=True,  # the same grade once more
    )
    progress = read_object(response)
    if not response.is_success or "id" not in progress:
        return refused(session, response)
    path = f"/api/v1/progress/{progress['id']}"
    for pause_s in PAUSES_S:
        if pause_s:
            await session.sleep(pause_s)
        progress = read_object(await session.get(path))
        if progress.get("workflow_state") in ("completed", "failed"):
            break
    return Graded(str(progress.get("workflow_state")), str(progress.get("message") or ""))

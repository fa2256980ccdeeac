"""Courses in Canvas: one at a time, found by its integration id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

import coursewire as cw
from coursewire_canvas.api import account_path, config_of, find_course, refused, rows
from coursewire_canvas.config import PERMISSION_HINT

NEEDED_RIGHTS = {
    "read_sis": "SIS Data - read",
    "manage_sis": "SIS Data - manage",
    "manage_courses_add": "Courses - add",
    "manage_courses_admin": "Courses - manage",
    "manage_courses_publish": "Courses - publish",
}
"""Names of the permissions in Canvas's API, and as its administrators see them."""
RIGHTS_FOR_OUTCOMES = {
    "read_roster": "Users - view list",
    "read_email_addresses": "Users - view primary email address",
    "view_user_logins": "Users - view login IDs",
    "view_all_grades": "Grades - view all grades",
    "manage_grades": "Grades - edit",
    "manage_assignments_add": "Assignments and Quizzes - add",
}
"""The permissions that are needed as well, unless the configuration sends no learner data."""
OTHER_COURSE = "other-course"
DELETED_AT_CANVAS = "deleted-at-canvas"


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Send a batch, which is one course."""
    return await _Courses(session).send(batch)


@cw.hookimpl
async def find_remote(session: cw.Session, key: str) -> cw.RemoteItem | None:
    """Look one course up by its integration id; also one that was concluded or recently deleted."""
    course = await find_course(session, key)
    return None if course is None else _remote_item(course)


@cw.hookimpl
async def list_remote(session: cw.Session) -> list[cw.RemoteItem]:
    """List the courses of the account and its sub-accounts that have an integration id, in any state.

    Canvas does not tell who gave a course its integration id; core compares with its records.
    """
    courses = rows(session, f"{account_path(session)}/courses", [("state[]", "all")])
    return [_remote_item(course) async for course in courses if course.get("integration_id")]


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Read the account, and ask Canvas which of the needed rights the token's user has in it."""
    sends_outcomes = not config_of(session).disable_learner_data_transmissions
    needed = {**NEEDED_RIGHTS, **(RIGHTS_FOR_OUTCOMES if sends_outcomes else {})}
    answer = await session.get(account_path(session))
    account = cw.read_success(
        answer,
        "name",
        permission_hint=PERMISSION_HINT,
        next_step="Check canvas_base_url and canvas_account_id.",
    )
    answer = await session.get(f"{account_path(session)}/permissions", params={"permissions[]": [*needed]})
    granted = cw.read_success(answer, permission_hint=PERMISSION_HINT)
    missing = [title for right, title in needed.items() if granted.get(right) not in (True, "true")]
    if missing:
        raise cw.BlockedError(
            "Canvas does not allow what sending needs",
            why="the role of the token's user lacks " + ", ".join(missing),
            next_step="Give the role these rights in Canvas under Admin > Permissions, then check again.",
        )
    sentences = [
        "Canvas gave an access token for the refresh token.",
        f"The account {account['name']!r} can be read.",
        "Courses can be created, changed and published, and their integration ids seen and set.",
    ]
    if sends_outcomes:
        sentences.append("Learners can be found, and their grades seen and written.")
    return sentences


class _Courses(cw.ItemWriter):
    """Writes courses, in whatever state Canvas holds them.

    A course whose id is known costs one request. Otherwise it is looked up first, in the account and all others below the
    same root: a course that is there is adopted, an absent one created, a deleted one restored.
    """

    looks_first = True

    def __init__(self, session: cw.Session) -> None:
        super().__init__(session)
        self._states: dict[str, str] = {}
        """State of each course that was looked up, by its id."""

    async def find(self, payload: cw.Payload) -> str | None:
        """Return the id of the course with our integration id.

        A course that is to be retired, and is over already, counts as absent.
        """
        course = await find_course(self.session, payload.remote_key)
        if course is None:
            return None
        course_id, state = str(course["id"]), str(course.get("workflow_state"))
        if payload.operation is cw.Operation.RETIRE and state in self._states_of_retired():
            return None
        self._states[course_id] = state
        return course_id

    async def create(self, payload: cw.Payload) -> cw.Result:
        """Create a course and publish it, and then give it its image, which Canvas takes only in an update."""
        course = payload.body["course"]
        response = await self.session.post(
            f"{account_path(self.session)}/courses", json={"course": course, "offer": True}
        )
        created = self._acknowledged(response, payload)
        if not created.confirms or created.remote_id is None or "image_url" not in course:
            return created
        change = {"event": "offer", "image_url": course["image_url"]}
        finished = await self._put(created.remote_id, payload, change)
        if finished.confirms:
            return created
        return cw.Result(
            cw.ResultKind.TRY_LATER,
            "image-missing",
            f"The course was created without its image. {finished.message}",
            created.remote_id,
            finished.http_status,
        )

    async def update(self, remote_id: str, payload: cw.Payload) -> cw.Result:
        """Overwrite a course and publish it, after restoring it where it was deleted."""
        if self._states.get(remote_id) == "deleted":
            not_restored = await self._restore(remote_id)
            if not_restored is not None:
                return not_restored
        # "offer" publishes a course that was concluded, too, or that a restore left unpublished.
        return await self._put(remote_id, payload, {**payload.body["course"], "event": "offer"})

    async def retire(self, remote_id: str, payload: cw.Payload) -> cw.Result:
        """Conclude or delete a course, as the configuration says."""
        event = config_of(self.session).retire_strategy.value
        response = await self.session.delete(f"/api/v1/courses/{remote_id}", json={"event": event})
        if response.is_success and cw.read_object(response).get(event) is True:
            return cw.Result(cw.ResultKind.ACCEPTED, remote_id=remote_id, http_status=response.status_code)
        return refused(self.session, response, remote_id)

    def is_gone(self, result: cw.Result) -> bool:
        """Tell whether the id may be stale, so that the course is looked up; not where it was looked up just now."""
        if result.remote_id in self._states:
            return False
        # A 400 may mean that another course has taken our integration id.
        return result.http_status in (400, 404) or result.reason in (OTHER_COURSE, DELETED_AT_CANVAS)

    def _states_of_retired(self) -> tuple[str, ...]:
        if config_of(self.session).retire_strategy is cw.RetireStrategy.CONCLUDE:
            return ("completed", "deleted")
        return ("deleted",)

    async def _put(self, course_id: str, payload: cw.Payload, change: Mapping[str, Any]) -> cw.Result:
        response = await self.session.put(f"/api/v1/courses/{course_id}", json={"course": change})
        return self._acknowledged(response, payload, course_id)

    async def _restore(self, course_id: str) -> cw.Result | None:
        """Undelete a course, which Canvas lets account administrators do, without a promise.

        Returns:
            None where that worked; otherwise the result of the course.
        """
        try:
            response = await self.session.put(
                f"/api/v1/courses/{course_id}", json={"course": {"event": "undelete"}}
            )
        except cw.BlockedError as error:
            return _deleted(course_id, error.http_status)
        if response.is_success and cw.read_object(response).get("workflow_state", "deleted") != "deleted":
            return None
        if response.is_server_error:
            return refused(self.session, response, course_id)
        return _deleted(course_id, response.status_code)

    def _acknowledged(
        self, response: httpx.Response, payload: cw.Payload, course_id: str | None = None
    ) -> cw.Result:
        """Read the course that Canvas answers with: only one with our integration id is an acknowledgement."""
        course = cw.read_object(response)
        if not response.is_success or "id" not in course:
            return refused(self.session, response, course_id)
        course_id, status = str(course["id"]), response.status_code
        if course.get("workflow_state") == "deleted":
            return _deleted(course_id, status)
        # A user without the right to see integration ids gets a course without that field.
        integration_id = course.get("integration_id", payload.remote_key)
        if integration_id == payload.remote_key:
            return cw.Result(cw.ResultKind.ACCEPTED, remote_id=course_id, http_status=status)
        if integration_id is not None:
            return cw.Result(
                cw.ResultKind.TRY_LATER,
                OTHER_COURSE,
                f"Canvas answered for the course {integration_id!r}, not for the one that was sent.",
                http_status=status,
            )
        return cw.Result(
            cw.ResultKind.BLOCKED,
            "integration-id-not-set",
            "Canvas took the course without its integration id, so that it cannot be found again. Give the role of the "
            "token's user the right 'SIS Data - manage' in Canvas.",
            course_id,
            status,
        )


def _deleted(course_id: str, http_status: int | None) -> cw.Result:
    return cw.Result(
        cw.ResultKind.BLOCKED,
        DELETED_AT_CANVAS,
        f"The course {course_id} was deleted in Canvas and could not be restored. An account administrator can restore it "
        "under Admin > Admin Tools > Restore Content; or take the item out of the catalog.",
        course_id,
        http_status,
    )


def _remote_item(course: Mapping[str, Any]) -> cw.RemoteItem:
    return cw.RemoteItem(
        remote_key=course["integration_id"],
        remote_id=str(course["id"]),
        live=course.get("workflow_state") == "available",
        fields={name: course.get(name) for name in ("name", "course_code", "workflow_state", "account_id")},
    )

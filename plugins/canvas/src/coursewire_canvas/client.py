"""Speaking to Canvas: one course at a time, found by its integration id.

The documentation meant below is https://developerdocs.instructure.com/services/canvas, as of 2025.
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import httpx

from coursewire.errors import BlockedError
from coursewire.model.channel import RetireStrategy
from coursewire.model.payload import Operation, Payload, RemoteItem, Result, ResultKind
from coursewire.toolkit.auth import TokenAuth, read_oauth_token
from coursewire.toolkit.responses import read_object
from coursewire_canvas.answers import (
    account_path,
    failure,
    find_course,
    forbidden,
    is_about_a_right,
    refused,
    rows,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from coursewire.model.session import Session, Token, Tokens
    from coursewire_canvas.config import CanvasConfig

NEEDED_RIGHTS = {
    "read_sis": "SIS Data - read",
    "manage_sis": "SIS Data - manage",
    "manage_courses_add": "Courses - add",
    "manage_courses_admin": "Courses - manage",
    "manage_courses_publish": "Courses - publish",
}
"""Permissions by Canvas's name, and as its administrators see them."""
RIGHTS_FOR_OUTCOMES = {
    "read_roster": "Users - view list",
    "read_email_addresses": "Users - view primary email address",
    "view_user_logins": "Users - view login IDs",
    "view_all_grades": "Grades - view all grades",
    "manage_grades": "Grades - edit",
    "manage_assignments_add": "Assignments and Quizzes - add",
}
"""What else is needed unless the configuration sends no learner data."""
OTHER_COURSE = "other-course"
DELETED_THERE = "deleted-at-canvas"


class CanvasAuth(TokenAuth):
    """Access tokens of one hour, got with the refresh token of the configuration."""

    def __init__(self, config: CanvasConfig, tokens: Tokens) -> None:
        super().__init__(tokens)
        self.config = config

    def token_request(self, current: Token | None) -> httpx.Request:
        """Ask as RFC 6749 section 6 says. Canvas keeps its refresh tokens; a new one would be used."""
        granted = current.refresh_token if current else None
        form = {
            "grant_type": "refresh_token",
            "client_id": self.config.client_id,
            "client_secret": self.config.client_secret.get_secret_value(),
            "refresh_token": granted or self.config.refresh_token.get_secret_value(),
        }
        return httpx.Request("POST", f"{self.config.lms_url}/login/oauth2/token", data=form)

    def read_token(self, response: httpx.Response) -> Token:
        """Read an OAuth 2 answer."""
        return read_oauth_token(response, self.tokens.clock)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Renew the token only after a 401 that is about the token.

        Raises:
            BlockedError: The token is good, and its user or its scopes lack a right.
        """
        async with aclosing(super().async_auth_flow(request)) as flow:
            response = yield await anext(flow)
            if is_about_a_right(response):
                raise forbidden(response)
            with suppress(StopAsyncIteration):
                yield await flow.asend(response)


async def send_course(session: Session, payload: Payload) -> Result:
    """Create, update or retire one course, whatever state Canvas holds it in.

    A course whose id is known costs one request. Otherwise it is looked up first, in the account and all
    others below the same root: what is there is adopted, what is absent created, what was deleted restored.
    """
    if payload.operation is Operation.RETIRE:
        return await _retire(session, payload)
    if payload.remote_id is not None:
        result = await _overwrite(session, payload.remote_id, payload)
        # A 400 may mean that another course has taken our integration id, and the id known is stale.
        if result.http_status not in (400, 404) and result.reason not in (OTHER_COURSE, DELETED_THERE):
            return result
    course = await find_course(session, payload.remote_key)
    if course is None:
        return await _create(session, payload)
    if course.get("workflow_state") == "deleted":
        kept_away = await _restore(session, course["id"])
        if kept_away is not None:
            return kept_away
    return await _overwrite(session, course["id"], payload)


async def find_remote(session: Session, key: str) -> RemoteItem | None:
    """Look one course up by its integration id; also one that was concluded or recently deleted."""
    course = await find_course(session, key)
    return None if course is None else _remote_item(course)


async def list_remote(session: Session) -> list[RemoteItem]:
    """List the courses of the account and its sub-accounts that have an integration id, in any state.

    Canvas does not tell who gave a course its integration id; core compares with its records.
    """
    courses = await rows(session, f"{account_path(session)}/courses", [("state[]", "all")])
    return [_remote_item(course) for course in courses if course.get("integration_id")]


async def check_connection(session: Session) -> list[str]:
    """Read the account, and ask Canvas which of the needed rights the token's user has in it."""
    outcomes = not settings(session).disable_learner_data_transmissions
    needed = {**NEEDED_RIGHTS, **(RIGHTS_FOR_OUTCOMES if outcomes else {})}
    account = await session.get(account_path(session))
    permission_hint = await session.get(
        f"{account_path(session)}/permissions", params={"permissions[]": [*needed]}
    )
    name, granted = read_object(account).get("name"), read_object(permission_hint)
    if name is None or not permission_hint.is_success:
        raise failure(session, account if name is None else permission_hint)
    missing = [title for right, title in needed.items() if granted.get(right) not in (True, "true")]
    if missing:
        why = "the role of the token's user lacks " + ", ".join(missing)
        remedy = "Give the role these rights in Canvas under Admin > Permissions, then check again."
        raise BlockedError("Canvas does not allow what sending needs", why=why, next_step=remedy)
    return [
        "Canvas gave an access token for the refresh token.",
        f"The account {name!r} can be read.",
        "Courses can be created, changed and published, and their integration ids seen and set.",
        *(["Learners can be found, and their grades seen and written."] if outcomes else []),
    ]


def read_slow_down(response: httpx.Response) -> float | None:
    """Recognise Canvas's 403 for "slow down", which it may send instead of a 429; it names no time."""
    return 0.0 if response.status_code == 403 and "rate limit exceeded" in response.text.lower() else None


# -- requests ----------------------------------------------------------------------------------------


async def _create(session: Session, payload: Payload) -> Result:
    course = payload.body["course"]
    response = await session.post(f"{account_path(session)}/courses", json={"course": course, "offer": True})
    created = _acknowledged(session, response, payload)
    if not created.confirms or "image_url" not in course:
        return created
    # Canvas takes an image only in an update.
    change = {"event": "offer", "image_url": course["image_url"]}
    finished = await _put(session, created.remote_id, payload, change)
    if finished.confirms:
        return created
    message = f"The course was created without its image. {finished.message}"
    return Result(ResultKind.TRY_LATER, "image-missing", message, created.remote_id, finished.http_status)


async def _overwrite(session: Session, course_id: object, payload: Payload) -> Result:
    # "offer" publishes: also a course that was concluded, or left unpublished by a restore.
    return await _put(session, course_id, payload, {**payload.body["course"], "event": "offer"})


async def _put(session: Session, course_id: object, payload: Payload, change: Mapping[str, Any]) -> Result:
    response = await session.put(f"/api/v1/courses/{course_id}", json={"course": change})
    return _acknowledged(session, response, payload)


async def _restore(session: Session, course_id: object) -> Result | None:
    """Try to undelete; None when that worked. Canvas lets account administrators, and promises nothing."""
    try:
        response = await session.put(f"/api/v1/courses/{course_id}", json={"course": {"event": "undelete"}})
    except BlockedError as error:
        return _deleted(course_id, error.http_status)
    if response.is_success and read_object(response).get("workflow_state", "deleted") != "deleted":
        return None
    return (
        refused(session, response) if response.is_server_error else _deleted(course_id, response.status_code)
    )


async def _retire(session: Session, payload: Payload) -> Result:
    strategy = settings(session).retire_strategy
    tried = None
    if payload.remote_id is not None:
        tried = await _end(session, payload.remote_id, strategy)
        if tried.confirms:
            return tried
    course = await find_course(session, payload.remote_key)
    over = ("deleted", "completed") if strategy is RetireStrategy.CONCLUDE else ("deleted",)
    if course is None or course.get("workflow_state") in over:
        return Result(ResultKind.ALREADY_SO, reason="already-retired", remote_id=payload.remote_id)
    if tried is not None and str(course["id"]) == payload.remote_id:
        return tried
    return await _end(session, course["id"], strategy)


async def _end(session: Session, course_id: object, strategy: RetireStrategy) -> Result:
    response = await session.delete(f"/api/v1/courses/{course_id}", json={"event": strategy.value})
    if not response.is_success or read_object(response).get(strategy.value) is not True:
        return refused(session, response)
    return Result(ResultKind.ACCEPTED, remote_id=str(course_id), http_status=response.status_code)


# -- answers -----------------------------------------------------------------------------------------


def _acknowledged(session: Session, response: httpx.Response, payload: Payload) -> Result:
    """Read the course that Canvas answers with: only one with our integration id is an acknowledgement."""
    course = read_object(response)
    if not response.is_success or "id" not in course:
        return refused(session, response)
    course_id, status = str(course["id"]), response.status_code
    if course.get("workflow_state") == "deleted":
        return _deleted(course_id, status)
    # A user without the right to see integration ids gets a course without that field.
    held = course.get("integration_id", payload.remote_key)
    if held == payload.remote_key:
        return Result(ResultKind.ACCEPTED, remote_id=course_id, http_status=status)
    if held is not None:
        message = f"Canvas answered for the course {held!r}, not for the one that was sent."
        return Result(ResultKind.TRY_LATER, OTHER_COURSE, message, None, status)
    message = (
        "Canvas took the course without its integration id, so that it cannot be found again. Give the role of "
        "the token's user the right 'SIS Data - manage' in Canvas."
    )
    return Result(ResultKind.BLOCKED, "integration-id-not-set", message, course_id, status)


def _deleted(course_id: object, http_status: int | None) -> Result:
    message = (
        f"The course {course_id} was deleted in Canvas and could not be restored. An account administrator can "
        "restore it under Admin > Admin Tools > Restore Content; or take the item out of the catalog."
    )
    return Result(ResultKind.BLOCKED, DELETED_THERE, message, str(course_id), http_status)


def _remote_item(course: Mapping[str, Any]) -> RemoteItem:
    return RemoteItem(
        remote_key=course["integration_id"],
        remote_id=str(course["id"]),
        live=course.get("workflow_state") == "available",
        fields={
            field: course.get(field) for field in ("name", "course_code", "workflow_state", "account_id")
        },
    )

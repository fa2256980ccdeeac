"""Speaking to Canvas: one course at a time, found by its integration id.

The documentation meant below is https://developerdocs.instructure.com/services/canvas, of 2025.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import httpx

from coursewire.client.answers import error_of, result_of
from coursewire.client.auth import TokenAuth, read_oauth_token
from coursewire.errors import BlockedError, IncompleteListError
from coursewire.model.channel import RetireStrategy
from coursewire.model.payload import Operation, Payload, RemoteItem, Result, ResultKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursewire.model.session import Session, Token, Tokens
    from coursewire_canvas.config import CanvasConfig

TOKEN_PATH = "/login/oauth2/token"
THROTTLED_TEXT = "rate limit exceeded"
LARGEST_PAGE = "100"
"""Courses a page. Canvas does not tell its limit; 100 is what it is known to give."""
DELETED = "deleted"
OVER = {
    RetireStrategy.CONCLUDE: ("completed", DELETED),
    RetireStrategy.DELETE: (DELETED,),
}
"""States of a course that need no retirement any more."""
NEEDED_RIGHTS = {
    "read_sis": "SIS Data - read",
    "manage_sis": "SIS Data - manage",
    "manage_courses_add": "Courses - add",
    "manage_courses_admin": "Courses - manage",
    "manage_courses_publish": "Courses - publish",
}
"""Permissions by Canvas's name, and as its administrators see them."""
NOT_THE_COURSE = "other-course"
DELETED_THERE = "deleted-at-canvas"


class CanvasAuth(TokenAuth):
    """Access tokens of one hour, got with the refresh token of the configuration."""

    def __init__(self, config: CanvasConfig, tokens: Tokens) -> None:
        super().__init__(tokens)
        self.config = config

    def token_request(self, current: Token | None) -> httpx.Request:
        """Ask as RFC 6749 section 6 says. Canvas keeps its refresh tokens; a new one would be used."""
        granted = current.refresh_token if current else None
        return httpx.Request(
            "POST",
            self.config.lms_url + TOKEN_PATH,
            data={
                "grant_type": "refresh_token",
                "client_id": self.config.client_id,
                "client_secret": self.config.client_secret.get_secret_value(),
                "refresh_token": granted or self.config.refresh_token.get_secret_value(),
            },
        )

    def read_token(self, response: httpx.Response) -> Token:
        """Read an OAuth 2 answer."""
        return read_oauth_token(response, self.tokens.clock)


async def send_course(session: Session, payload: Payload) -> Result:
    """Create, update or retire one course, whatever state Canvas holds it in.

    A course whose id is known costs one request. Otherwise it is looked up first, in the account and all
    others below the same root: what is there is adopted, what is absent created, what was deleted restored.
    """
    if payload.operation is Operation.RETIRE:
        return await _retire(session, payload)
    if payload.remote_id is not None:
        result = await _overwrite(session, payload.remote_id, payload)
        if result.http_status != httpx.codes.NOT_FOUND and result.reason not in (
            NOT_THE_COURSE,
            DELETED_THERE,
        ):
            return result
    course = await _find(session, payload.remote_key)
    if course is None:
        return await _create(session, payload)
    if course.get("workflow_state") == DELETED:
        refusal = await _restore(session, course)
        if refusal is not None:
            return refusal
    return await _overwrite(session, course["id"], payload)


async def find_remote(session: Session, key: str) -> RemoteItem | None:
    """Look one course up by its integration id; also one that was concluded or recently deleted."""
    course = await _find(session, key)
    return None if course is None else _remote_item(course)


async def list_remote(session: Session) -> list[RemoteItem]:
    """List the courses of the account and its sub-accounts that have an integration id, in any state.

    Canvas does not tell who gave a course its integration id; core compares with its records.
    """
    found = []
    query = [("per_page", LARGEST_PAGE), ("state[]", "all")]
    async for page in session.pages(f"{_account(session)}/courses", params=query):
        courses = _json(page)
        if not isinstance(courses, list):
            raise IncompleteListError("the list of Canvas courses cannot be read", why="a page is not a list")
        found += [_remote_item(course) for course in courses if course.get("integration_id")]
    return found


async def check_connection(session: Session) -> list[str]:
    """Read the account, and ask Canvas which of the needed rights the token's user has in it."""
    account = await session.get(_account(session))
    name = _course(account).get("name") if account.is_success else None
    if name is None:
        raise error_of(account)
    answer = await session.get(
        f"{_account(session)}/permissions", params=[("permissions[]", right) for right in NEEDED_RIGHTS]
    )
    if not answer.is_success:
        raise error_of(answer)
    rights = _course(answer)
    missing = [title for right, title in NEEDED_RIGHTS.items() if rights.get(right) not in (True, "true")]
    if missing:
        raise BlockedError(
            "Canvas does not allow what sending needs",
            where=f"account {name!r}",
            why="the role of the token's user lacks: " + ", ".join(missing),
            next_step="Give the role these rights in Canvas under Admin > Permissions, then check again.",
        )
    return [
        "Canvas gave an access token for the refresh token.",
        f"The account {name!r} can be read.",
        "Courses can be created, changed and published, and their integration ids seen and set.",
    ]


def read_slow_down(response: httpx.Response) -> float | None:
    """Recognise Canvas's 403 for "slow down", which it may send instead of a 429; it names no time."""
    slow = response.status_code == httpx.codes.FORBIDDEN and THROTTLED_TEXT in response.text.lower()
    return 0.0 if slow else None


# -- requests ----------------------------------------------------------------------------------------


async def _find(session: Session, key: str) -> dict[str, Any] | None:
    # Canvas asks for "." escaped, too (page "SIS IDs"): its router takes what follows one for a format.
    address = "sis_integration_id:" + quote(key, safe="").replace(".", "%2E")
    response = await session.get(f"/api/v1/courses/{address}", params={"include[]": "all_courses"})
    course = _course(response)
    if response.status_code == httpx.codes.NOT_FOUND and course.get("errors"):
        return None  # Canvas's own 404; a page of a proxy or of another site proves nothing
    if not response.is_success or "id" not in course:
        raise error_of(response)
    if "integration_id" not in course:
        raise BlockedError(
            "the course cannot be told from others",
            why="Canvas hides integration ids from the token's user",
            next_step="Give its role the right 'SIS Data - read' in Canvas.",
            http_status=response.status_code,
        )
    return course if course["integration_id"] == key else None


async def _create(session: Session, payload: Payload) -> Result:
    course = payload.body["course"]
    response = await session.post(f"{_account(session)}/courses", json={"course": course, "offer": True})
    created = _acknowledged(response, payload)
    if not created.confirms or "image_url" not in course:
        return created
    # Canvas takes an image only in an update.
    change = {"event": "offer", "image_url": course["image_url"]}
    answer = await session.put(_course_path(created.remote_id), json={"course": change})
    finished = _acknowledged(answer, payload)
    if finished.confirms:
        return created
    return dataclasses.replace(
        finished,
        kind=ResultKind.TRY_LATER,
        reason="image-missing",
        message=f"The course was created without its image. {finished.message}".strip(),
        remote_id=created.remote_id,
    )


async def _overwrite(session: Session, course_id: object, payload: Payload) -> Result:
    # "offer" publishes: also a course that was concluded, or left unpublished by a restore.
    change = {**payload.body["course"], "event": "offer"}
    response = await session.put(_course_path(course_id), json={"course": change})
    return _acknowledged(response, payload)


async def _restore(session: Session, course: Mapping[str, Any]) -> Result | None:
    """Try to undelete; None when that worked. Canvas lets account administrators, and promises nothing."""
    response = await session.put(_course_path(course["id"]), json={"course": {"event": "undelete"}})
    if response.is_success and _course(response).get("workflow_state", DELETED) != DELETED:
        return None
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return result_of(response)
    return _deleted(response, course["id"])


async def _retire(session: Session, payload: Payload) -> Result:
    strategy = _settings(session).retire_strategy
    tried = None
    if payload.remote_id is not None:
        tried = await _end(session, payload.remote_id, strategy)
        if tried.confirms:
            return tried
    course = await _find(session, payload.remote_key)
    if course is None or course.get("workflow_state") in OVER[strategy]:
        return Result(ResultKind.ALREADY_SO, reason="already-retired", remote_id=payload.remote_id)
    if tried is not None and str(course["id"]) == payload.remote_id:
        return tried
    return await _end(session, course["id"], strategy)


async def _end(session: Session, course_id: object, strategy: RetireStrategy) -> Result:
    response = await session.delete(_course_path(course_id), json={"event": strategy.value})
    if not response.is_success:
        return result_of(response)
    if _course(response).get(strategy.value) is not True:
        return _unreadable(response)
    return Result(ResultKind.ACCEPTED, remote_id=str(course_id), http_status=response.status_code)


# -- answers -----------------------------------------------------------------------------------------


def _acknowledged(response: httpx.Response, payload: Payload) -> Result:
    """Read the course that Canvas answers with: only one with our integration id is an acknowledgement."""
    if not response.is_success:
        return result_of(response)
    course = _course(response)
    if "id" not in course:
        return _unreadable(response)
    if course.get("workflow_state") == DELETED:
        return _deleted(response, course["id"])
    accepted = Result(ResultKind.ACCEPTED, remote_id=str(course["id"]), http_status=response.status_code)
    # A user without the right to see integration ids gets a course without that field.
    held = course.get("integration_id", payload.remote_key)
    if held == payload.remote_key:
        return accepted
    if held is None:
        return dataclasses.replace(
            accepted,
            kind=ResultKind.BLOCKED,
            reason="integration-id-not-set",
            message="Canvas took the course without its integration id, so that it cannot be found again. "
            "Give the role of the token's user the right 'SIS Data - manage' in Canvas.",
        )
    return dataclasses.replace(
        accepted,
        kind=ResultKind.TRY_LATER,
        reason=NOT_THE_COURSE,
        message=f"Canvas answered for the course {held!r}, not for the one that was sent.",
        remote_id=None,
    )


def _deleted(response: httpx.Response, course_id: object) -> Result:
    return Result(
        ResultKind.BLOCKED,
        reason=DELETED_THERE,
        message=f"The course {course_id} was deleted in Canvas and could not be restored. An account administrator "
        "can restore it under Admin > Admin Tools > Restore Content; or take the item out of the catalog.",
        remote_id=str(course_id),
        http_status=response.status_code,
    )


def _unreadable(response: httpx.Response) -> Result:
    return Result(
        ResultKind.TRY_LATER,
        reason="unreadable-answer",
        message="The answer is not the one that Canvas gives.",
        http_status=response.status_code,
        excerpt=response.text,
    )


def _remote_item(course: Mapping[str, Any]) -> RemoteItem:
    shown = ("name", "course_code", "workflow_state", "account_id")
    return RemoteItem(
        remote_key=course["integration_id"],
        remote_id=str(course["id"]),
        live=course.get("workflow_state") == "available",
        fields={field: course.get(field) for field in shown},
    )


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _course(response: httpx.Response) -> dict[str, Any]:
    """The object in an answer; empty when there is none, as in a proxy's page."""
    body = _json(response)
    return body if isinstance(body, dict) else {}


def _course_path(course_id: object) -> str:
    return f"/api/v1/courses/{course_id}"


def _account(session: Session) -> str:
    return f"/api/v1/accounts/{_settings(session).canvas_account_id}"


def _settings(session: Session) -> CanvasConfig:
    return cast("CanvasConfig", session.config)

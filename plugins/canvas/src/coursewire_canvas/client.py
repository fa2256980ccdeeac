"""Speaking to Canvas: one course at a time, found by its integration id.

The documentation meant below is https://developerdocs.instructure.com/services/canvas, as of 2025.
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import httpx

from coursewire.client.answers import result_of
from coursewire.client.auth import TokenAuth, read_oauth_token
from coursewire.errors import BlockedError, IncompleteListError, UnreachableError
from coursewire.model.channel import RetireStrategy
from coursewire.model.payload import Operation, Payload, RemoteItem, Result, ResultKind

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from coursewire.errors import SendError
    from coursewire.model.session import Session, Token, Tokens
    from coursewire_canvas.config import CanvasConfig

FORBIDDEN_TEXTS = ("not authorized", "insufficient scopes")
"""What Canvas writes into a 401 that is about a right and not about the token."""
NEEDED_RIGHTS = {
    "read_sis": "SIS Data - read",
    "manage_sis": "SIS Data - manage",
    "manage_courses_add": "Courses - add",
    "manage_courses_admin": "Courses - manage",
    "manage_courses_publish": "Courses - publish",
}
"""Permissions by Canvas's name, and as its administrators see them."""
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
            if _is_about_a_right(response):
                raise _forbidden(response)
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
    course = await _find(session, payload.remote_key)
    if course is None:
        return await _create(session, payload)
    if course.get("workflow_state") == "deleted":
        refused = await _restore(session, course["id"])
        if refused is not None:
            return refused
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
    # Canvas gives 10 a page unless asked, and does not tell how many it gives at most.
    query = [("per_page", "100"), ("state[]", "all")]
    async for page in session.pages(f"{_account(session)}/courses", params=query):
        courses = _json(page)
        if not isinstance(courses, list):
            raise IncompleteListError("the list of Canvas courses cannot be read", why="a page is not a list")
        found += [_remote_item(course) for course in courses if course.get("integration_id")]
    return found


async def check_connection(session: Session) -> list[str]:
    """Read the account, and ask Canvas which of the needed rights the token's user has in it."""
    account = await session.get(_account(session))
    rights = await session.get(f"{_account(session)}/permissions", params={"permissions[]": [*NEEDED_RIGHTS]})
    name, granted = _object(account).get("name"), _object(rights)
    if name is None or not rights.is_success:
        raise _failure(session, account if name is None else rights)
    missing = [title for right, title in NEEDED_RIGHTS.items() if granted.get(right) not in (True, "true")]
    if missing:
        why = "the role of the token's user lacks " + ", ".join(missing)
        remedy = "Give the role these rights in Canvas under Admin > Permissions, then check again."
        raise BlockedError("Canvas does not allow what sending needs", why=why, next_step=remedy)
    return [
        "Canvas gave an access token for the refresh token.",
        f"The account {name!r} can be read.",
        "Courses can be created, changed and published, and their integration ids seen and set.",
    ]


def read_slow_down(response: httpx.Response) -> float | None:
    """Recognise Canvas's 403 for "slow down", which it may send instead of a 429; it names no time."""
    return 0.0 if response.status_code == 403 and "rate limit exceeded" in response.text.lower() else None


# -- requests ----------------------------------------------------------------------------------------


async def _find(session: Session, key: str) -> dict[str, Any] | None:
    # Escaped as the page "SIS IDs" says.
    path = f"/api/v1/courses/sis_integration_id:{quote(key, safe='')}"
    response = await session.get(path, params={"include[]": "all_courses"})
    course = _object(response)
    if response.status_code == 404 and "errors" in course:
        return None  # Canvas's own 404; a page of a proxy or of another site proves nothing
    if not response.is_success or "id" not in course:
        raise _failure(session, response)
    if "integration_id" not in course:
        why = "Canvas hides integration ids from the token's user"
        remedy = "Give its role the right 'SIS Data - read' in Canvas."
        raise BlockedError("the course cannot be told from others", why=why, next_step=remedy)
    return course if course["integration_id"] == key else None


async def _create(session: Session, payload: Payload) -> Result:
    course = payload.body["course"]
    response = await session.post(f"{_account(session)}/courses", json={"course": course, "offer": True})
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
    if response.is_success and _object(response).get("workflow_state", "deleted") != "deleted":
        return None
    return (
        _refused(session, response) if response.is_server_error else _deleted(course_id, response.status_code)
    )


async def _retire(session: Session, payload: Payload) -> Result:
    strategy = _settings(session).retire_strategy
    tried = None
    if payload.remote_id is not None:
        tried = await _end(session, payload.remote_id, strategy)
        if tried.confirms:
            return tried
    course = await _find(session, payload.remote_key)
    over = ("deleted", "completed") if strategy is RetireStrategy.CONCLUDE else ("deleted",)
    if course is None or course.get("workflow_state") in over:
        return Result(ResultKind.ALREADY_SO, reason="already-retired", remote_id=payload.remote_id)
    if tried is not None and str(course["id"]) == payload.remote_id:
        return tried
    return await _end(session, course["id"], strategy)


async def _end(session: Session, course_id: object, strategy: RetireStrategy) -> Result:
    response = await session.delete(f"/api/v1/courses/{course_id}", json={"event": strategy.value})
    if not response.is_success or _object(response).get(strategy.value) is not True:
        return _refused(session, response)
    return Result(ResultKind.ACCEPTED, remote_id=str(course_id), http_status=response.status_code)


# -- answers -----------------------------------------------------------------------------------------


def _acknowledged(session: Session, response: httpx.Response, payload: Payload) -> Result:
    """Read the course that Canvas answers with: only one with our integration id is an acknowledgement."""
    course = _object(response)
    if not response.is_success or "id" not in course:
        return _refused(session, response)
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


def _refused(session: Session, response: httpx.Response) -> Result:
    """Read an answer that is not the one hoped for."""
    if response.is_success:
        message = "The answer is not one that Canvas gives."
        return Result(
            ResultKind.TRY_LATER, "unreadable-answer", message, None, response.status_code, response.text
        )
    result = result_of(response, now=session.clock())
    if response.status_code == 403:
        return replace(result, kind=ResultKind.BLOCKED, message=str(_forbidden(response)))
    return result


def _failure(session: Session, response: httpx.Response) -> SendError:
    """The error for an answer without which nothing more can be said."""
    if response.status_code == 403:
        return _forbidden(response)
    why = _refused(session, response).message
    return UnreachableError("Canvas gave no usable answer", why=why, http_status=response.status_code)


def _is_about_a_right(response: httpx.Response) -> bool:
    # Only the refusal of a token comes with a challenge (page "OAuth2").
    if response.status_code != 401 or "www-authenticate" in response.headers:
        return False
    return any(words in response.text.lower() for words in FORBIDDEN_TEXTS)


def _forbidden(response: httpx.Response) -> BlockedError:
    what = "Canvas refuses this to the user of the token"
    remedy = (
        "Give the user's role the rights, and the developer key the scopes, that the channel's page lists."
    )
    return BlockedError(what, why=response.text[:200], next_step=remedy, http_status=response.status_code)


def _remote_item(course: Mapping[str, Any]) -> RemoteItem:
    return RemoteItem(
        remote_key=course["integration_id"],
        remote_id=str(course["id"]),
        live=course.get("workflow_state") == "available",
        fields={
            field: course.get(field) for field in ("name", "course_code", "workflow_state", "account_id")
        },
    )


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _object(response: httpx.Response) -> dict[str, Any]:
    """The object in an answer; empty when there is none, as in a proxy's page."""
    body = _json(response)
    return body if isinstance(body, dict) else {}


def _account(session: Session) -> str:
    return f"/api/v1/accounts/{_settings(session).canvas_account_id}"


def _settings(session: Session) -> CanvasConfig:
    return cast("CanvasConfig", session.config)

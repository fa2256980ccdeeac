"""Reading what Canvas answers, and finding a course: what sending courses and sending grades share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from coursewire.errors import BlockedError, IncompleteListError, UnreachableError
from coursewire.model.payload import JsonObject, Result, ResultKind
from coursewire.toolkit.responses import is_missing, read_json, read_object
from coursewire.toolkit.results import result_from

if TYPE_CHECKING:
    import httpx

    from coursewire.errors import SendError
    from coursewire.model.session import Session
    from coursewire_canvas.config import CanvasConfig

FORBIDDEN_TEXTS = ("not authorized", "insufficient scopes")
"""What Canvas writes into a 401 that is about a right and not about the token."""
ROWS_A_PAGE = 100
"""Canvas gives 10 unless asked, and does not tell how many it gives at most."""


async def find_course(session: Session, key: str, *include: str) -> JsonObject | None:
    """Look a course up by its integration id, in any state; None when it is surely not there.

    Raises:
        BlockedError: Canvas hides integration ids from the token's user.
        SendError: Canvas could not tell.
    """
    wanted = [("include[]", what) for what in ("all_courses", *include)]
    response = await session.get(f"/api/v1/courses/{by_integration_id(key)}", params=wanted)
    course = read_object(response)
    if is_missing(response, "errors"):
        return None
    if not response.is_success or "id" not in course:
        raise failure(session, response)
    if "integration_id" not in course:
        why = "Canvas hides integration ids from the token's user"
        remedy = "Give its role the right 'SIS Data - read' in Canvas."
        raise BlockedError("the course cannot be told from others", why=why, next_step=remedy)
    return course if course["integration_id"] == key else None


def by_integration_id(key: str) -> str:
    """An integration id in the place of a course's id, escaped as the page "SIS IDs" says."""
    return f"sis_integration_id:{quote(key, safe='')}"


async def rows(session: Session, path: str, params: list[tuple[str, str]]) -> list[JsonObject]:
    """All objects of a list, over all of its pages.

    Raises:
        IncompleteListError: A page is missing or cannot be read.
    """
    found: list[JsonObject] = []
    async for page in session.pages(path, params=[("per_page", str(ROWS_A_PAGE)), *params]):
        body = read_json(page)
        if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
            raise IncompleteListError(
                "a list of Canvas cannot be read", why="a page is not a list of objects"
            )
        found += body
    return found


def refused(session: Session, response: httpx.Response) -> Result:
    """Read an answer that is not the one hoped for."""
    result = result_from(response, now=session.clock(), acknowledged=False)
    if response.status_code == 403:
        return replace(result, kind=ResultKind.BLOCKED, message=str(forbidden(response)))
    return result


def failure(session: Session, response: httpx.Response) -> SendError:
    """The error for an answer without which nothing more can be said."""
    if response.status_code == 403:
        return forbidden(response)
    why = refused(session, response).message
    return UnreachableError("Canvas gave no usable answer", why=why, http_status=response.status_code)


def is_about_a_right(response: httpx.Response) -> bool:
    """Tell a 401 about a right: only the refusal of a token comes with a challenge (page "OAuth2")."""
    if response.status_code != 401 or "www-authenticate" in response.headers:
        return False
    return any(words in response.text.lower() for words in FORBIDDEN_TEXTS)


def forbidden(response: httpx.Response) -> BlockedError:
    """The error for a missing right or scope."""
    what = "Canvas refuses this to the user of the token"
    remedy = (
        "Give the user's role the rights, and the developer key the scopes, that the channel's page lists."
    )
    return BlockedError(what, why=response.text[:200], next_step=remedy, http_status=response.status_code)


def account_path(session: Session) -> str:
    """Path of the account that the configuration names."""
    return f"/api/v1/accounts/{settings(session).canvas_account_id}"


def settings(session: Session) -> CanvasConfig:
    """The configuration, by its own type."""
    return cast("CanvasConfig", session.config)

"""Reading what Learn answers, and finding things by our keys: what courses and grades share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from coursewire.client.answers import read_object, result_of
from coursewire.errors import BlockedError, IncompleteListError, UnreachableError
from coursewire.model.payload import JsonObject, Result, ResultKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import httpx

    from coursewire.errors import SendError
    from coursewire.model.session import Session
    from coursewire_blackboard.config import BlackboardConfig

API = "/learn/api/public"
COURSES = f"{API}/v3/courses"
ROWS_A_PAGE = 100


def settings(session: Session) -> BlackboardConfig:
    """The configuration, by its own type."""
    return cast("BlackboardConfig", session.config)


def addressed(name: str, value: str) -> str:
    """A thing by one of its secondary ids in a path, such as ``externalId:RiverU%2BBOT101``."""
    return f"{name}:{quote(value, safe='')}"


async def by_external_id(session: Session, collection: str, external_id: str) -> JsonObject | None:
    """Look a course or a column up by its external id; None when it is surely not there.

    Raises:
        BlockedError: The user of the token does not see external ids, or lacks another right.
        IncompleteListError: A list could not be read to its end.
        SendError: Learn could not tell.
    """
    if "/" in external_id or "\\" in external_id:
        # Servers in front of Learn refuse these in a path, escaped or not. Learn's search is for parts.
        found = [row async for row in rows(session, collection, {"externalId": external_id})]
        return next((row for row in found if row.get("externalId") == external_id), None)
    response = await session.get(f"{collection}/{addressed('externalId', external_id)}")
    if is_missing(response):
        return None
    found_one = read_object(response)
    if not response.is_success or "id" not in found_one:
        raise failure(session, response)
    if "externalId" not in found_one:
        why = "Learn hides external ids from the user of the token"
        remedy = "Give the user's system role the entitlement course.configure-properties.EXECUTE."
        raise BlockedError("the course cannot be told from others", why=why, next_step=remedy)
    return found_one if found_one["externalId"] == external_id else None


async def rows(
    session: Session, path: str, params: Mapping[str, str] | None = None
) -> AsyncIterator[JsonObject]:
    """All objects of a list, over all of its pages.

    Raises:
        IncompleteListError: A page is missing or cannot be read.
    """
    query = {"limit": str(ROWS_A_PAGE), **(params or {})}
    async for page in session.pages(path, params=query, next_page=_next_page):
        results = read_object(page).get("results")
        if not isinstance(results, list) or not all(isinstance(row, dict) for row in results):
            raise IncompleteListError("a list of Learn cannot be read", why="a page has no list of results")
        for row in results:
            yield row


def _next_page(page: httpx.Response) -> str | None:
    paging = read_object(page).get("paging")
    following = paging.get("nextPage") if isinstance(paging, dict) else None
    return following if isinstance(following, str) and following else None


def is_missing(response: httpx.Response) -> bool:
    """Tell Learn's own 404 from the page of a proxy or of another site, which proves nothing."""
    return response.status_code == 404 and read_object(response).get("status") == 404


def refused(session: Session, response: httpx.Response) -> Result:
    """Read an answer that is not the one hoped for."""
    if response.is_success:
        message = "The answer is not one that Learn gives."
        return Result(
            ResultKind.TRY_LATER, "unreadable-answer", message, None, response.status_code, response.text
        )
    result = result_of(response, now=session.clock())
    if response.status_code == 403:
        return replace(result, kind=ResultKind.BLOCKED, message=str(forbidden(response)))
    return result


def failure(session: Session, response: httpx.Response) -> SendError:
    """The error for an answer without which nothing more can be said."""
    if response.status_code == 403:
        return forbidden(response)
    why = refused(session, response).message
    return UnreachableError("Learn gave no usable answer", why=why, http_status=response.status_code)


def forbidden(response: httpx.Response) -> BlockedError:
    """The error for a missing entitlement."""
    body = read_object(response)
    return BlockedError(
        "Learn refuses this to the user of the token",
        why=str(body.get("message") or response.text)[:200],
        next_step="Give the user's system role the entitlements that the channel's page lists.",
        http_status=response.status_code,
    )

"""Requests to Learn that courses and grades have in common, and what its answers mean."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

import httpx

import coursewire as cw
from coursewire.client.paging import rows_of
from coursewire.errors import UnreachableError
from coursewire_blackboard.config import API, BlackboardConfig

COURSES = f"{API}/v3/courses"
RIGHTS = "Give the system role of the token's user the entitlements that the channel's page lists."


def settings(session: cw.Session) -> BlackboardConfig:
    """The configuration, by its own type."""
    return cast("BlackboardConfig", session.config)


def named(value: str, field: str = "externalId") -> str:
    """How a path names what has this value in a field."""
    return f"{field}:{quote(value, safe='')}"


def unnameable(key: str) -> bool:
    """Tell a key that cannot stand in a path: servers in front of Learn refuse these, escaped or not."""
    return "/" in key or "\\" in key


async def by_external_id(session: cw.Session, collection: str, external_id: str) -> Any:
    """Look a course or a column up by its external id; None when it is surely not there.

    Raises:
        BlockedError: A right is missing.
        IncompleteListError: A list could not be read to its end.
        SendError: Learn could not tell.
    """
    if unnameable(external_id):  # Learn's search is for parts
        found = [row async for row in rows(session, collection, {"externalId": external_id})]
        return next((row for row in found if row.get("externalId") == external_id), None)
    response = await session.get(f"{collection}/{named(external_id)}")
    if is_missing(response):
        return None
    held = seen(response, "externalId", "course.configure-properties.EXECUTE")
    return cw.read_object(response) if held == external_id else None


def rows(session: cw.Session, path: str, params: Mapping[str, str]) -> AsyncIterator[cw.JsonObject]:
    """All objects of a list of Learn."""
    query = {"limit": "100", **params}
    return rows_of(session, path, params=query, member="results", next_at=("paging", "nextPage"))


def is_missing(response: httpx.Response) -> bool:
    """Tell Learn's own 404 from the page of a proxy or of another site, which proves nothing."""
    return response.status_code == 404 and cw.read_object(response).get("status") == 404


async def patch(session: cw.Session, path: str, change: Mapping[str, Any]) -> httpx.Response:
    """Change some fields; once more changes nothing more."""
    return await session.request("PATCH", path, json=dict(change), safe_to_repeat=True)


def seen(response: httpx.Response, member: str, entitlement: str) -> Any:
    """A member of an answer, that Learn shows to who has an entitlement.

    Raises:
        BlockedError: A refusal, or the object without that member.
        UnreachableError: Learn is out of order, or what answered is not what was asked for.
    """
    step = (
        f"Give the system role of the token's user the entitlement {entitlement} in Learn, then check again."
    )
    body = cw.read_success(response, next_step=step)
    if member not in body:
        error = cw.BlockedError if "id" in body else UnreachableError
        raise error("Learn does not show what is needed", why=f"its answer has no {member}", next_step=step)
    return body[member]


def said(session: cw.Session, response: httpx.Response, echo: Mapping[str, Any], *ids: str) -> cw.Result:
    """What an answer means for the item that was sent; what Learn's own 404 means is decided before."""
    operation = cw.Operation.UPDATE
    result = cw.acknowledged(response, operation, echo, now=session.clock(), rights=RIGHTS)
    if response.status_code == 404 and not is_missing(response):  # a proxy's, or another site's
        result = replace(result, kind=cw.ResultKind.TRY_LATER, reason="unreadable-answer")
    return replace(result, remote_id="/".join(filter(None, ids)) or None)


def id_of(response: httpx.Response) -> str:
    """Learn's id of what it made; "" where it did not."""
    return str(cw.read_object(response).get("id", "")) if response.is_success else ""

"""Requests to Learn that courses and grades have in common, and what its answers mean."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, cast
from urllib.parse import quote

import httpx

import coursewire as cw
from coursewire_blackboard.config import API, BlackboardConfig

COURSES = f"{API}/v3/courses"
OWN_404 = "status"
"""What Learn's own 404 has, and the page of a proxy has not."""
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
    if cw.is_missing(response, OWN_404):
        return None
    held = seen(response, "externalId", "course.configure-properties.EXECUTE")
    return cw.read_object(response) if held == external_id else None


def rows(session: cw.Session, path: str, params: Mapping[str, str]) -> AsyncIterator[cw.JsonObject]:
    """All objects of a list of Learn."""
    query = {"limit": "100", **params}
    return cw.rows_of(session, path, params=query, member="results", next_at=("paging", "nextPage"))


def seen(response: httpx.Response, member: str, entitlement: str) -> Any:
    """A member of an answer, that Learn shows to who has an entitlement.

    Raises:
        SendError: It does not; see :func:`coursewire.read_success`.
    """
    step = f"Give the role of the token's user the entitlement {entitlement} in Learn, then check again."
    return cw.read_success(response, member, next_step=step, may_hide=True)[member]


def said(session: cw.Session, response: httpx.Response, echo: Mapping[str, Any], *ids: str) -> cw.Result:
    """What an answer means for the item that was sent, whose ids at Learn are as far known as they are given."""
    known, now = "/".join(filter(None, ids)) or None, session.clock()
    return cw.result_from_echo(
        response,
        cw.Operation.UPDATE,
        echo,
        now=now,
        permission_hint=RIGHTS,
        not_found_member=OWN_404,
        remote_id=known,
    )


def id_of(response: httpx.Response) -> str:
    """Learn's id of what it made; "" where it did not."""
    return str(cw.read_object(response).get("id", "")) if response.is_success else ""

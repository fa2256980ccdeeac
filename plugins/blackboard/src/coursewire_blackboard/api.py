"""Requests to Learn that courses and grades have in common, and what its answers mean."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import cast
from urllib.parse import quote

import httpx

import coursewire as cw
from coursewire_blackboard.config import API, BlackboardConfig

COURSES = f"{API}/v3/courses"
ROWS_A_PAGE = 100
OWN_404 = "status"
"""A member that Learn's own 404 has, and the page of a proxy has not."""
PERMISSION_HINT = "Give the system role of the token's user the entitlements that the channel's page lists."


def config_of(session: cw.Session) -> BlackboardConfig:
    """Return the configuration of a session, by its own type."""
    return cast("BlackboardConfig", session.config)


def by_field(value: str, field: str = "externalId") -> str:
    """Return what stands for an id in a path, such as ``externalId:RiverU%2BBOT101``, where Learn's own is not known."""
    return f"{field}:{quote(value, safe='')}"


def fits_into_path(key: str) -> bool:
    r"""Tell whether a key can stand in a path: servers in front of Learn refuse ``/`` and ``\``, escaped or not."""
    return "/" not in key and "\\" not in key


async def find_by_external_id(session: cw.Session, collection: str, external_id: str) -> cw.JsonObject | None:
    """Look a course or a column up by its external id.

    Args:
        session: The session of the run.
        collection: Path of the courses, or of the columns of a course.
        external_id: The external id.

    Returns:
        The course or column; None where there surely is none.

    Raises:
        BlockedError: The token's user lacks a right.
        IncompleteListError: A list could not be read to its end.
        SendError: Learn could not tell.
    """
    if not fits_into_path(external_id):
        # Learn searches for parts of an external id, so that others are among the results.
        async for row in rows(session, collection, {"externalId": external_id}):
            if row.get("externalId") == external_id:
                return row
        return None
    response = await session.get(f"{collection}/{by_field(external_id)}")
    if cw.is_missing(response, OWN_404):
        return None
    found = read_visible(response, "externalId", "course.configure-properties.EXECUTE")
    return found if found["externalId"] == external_id else None


def rows(
    session: cw.Session, path: str, params: Mapping[str, str] | None = None
) -> AsyncIterator[cw.JsonObject]:
    """Read a list of Learn, over all of its pages.

    Raises:
        IncompleteListError: A page is missing or cannot be read.
    """
    return cw.rows_of(
        session,
        path,
        params={"limit": str(ROWS_A_PAGE), **(params or {})},
        member="results",
        next_at=("paging", "nextPage"),
    )


def read_visible(response: httpx.Response, member: str, entitlement: str) -> cw.JsonObject:
    """Return the object that Learn answers with, which has a member that only some users are shown.

    Args:
        response: The answer.
        member: Name of the member.
        entitlement: The entitlement in Learn that shows it.

    Raises:
        SendError: The answer is no such object; see :func:`coursewire.read_success`.
    """
    return cw.read_success(
        response,
        member,
        next_step=f"Give the role of the token's user the entitlement {entitlement} in Learn, then check again.",
        may_hide=True,
    )


def result_of(
    session: cw.Session, response: httpx.Response, *, acknowledged: bool, remote_id: str | None = None
) -> cw.Result:
    """Return the result of the item that was sent.

    Args:
        session: The session of the run.
        response: The answer.
        acknowledged: The answer, where it is a success, acknowledges the item; a status alone does not.
        remote_id: The id of the item at Learn, as far as it is known.
    """
    return cw.result_from(
        response,
        now=session.clock(),
        acknowledged=acknowledged,
        permission_hint=PERMISSION_HINT,
        not_found_member=OWN_404,
        remote_id=remote_id,
    )


def created_id(response: httpx.Response) -> str | None:
    """Return Learn's id of what a request created; None where it created nothing."""
    found = cw.read_object(response).get("id") if response.is_success else None
    return str(found) if found else None

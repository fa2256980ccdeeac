"""Requests to Canvas that courses and grades have in common, and what its answers mean.

The documentation that the comments of this package refer to is https://developerdocs.instructure.com/services/canvas, as
of 2025.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast
from urllib.parse import quote

import httpx

import coursewire as cw
from coursewire_canvas.config import PERMISSION_HINT, CanvasConfig

ROWS_A_PAGE = 100
"""Rows that each page of a list is asked for. Canvas gives 10 unless asked, and does not say how many it gives at most."""


def config_of(session: cw.Session) -> CanvasConfig:
    """Return the configuration of a session, by its own type."""
    return cast("CanvasConfig", session.config)


def account_path(session: cw.Session) -> str:
    """Return the path of the account that the configuration names."""
    return f"/api/v1/accounts/{config_of(session).canvas_account_id}"


def by_integration_id(key: str) -> str:
    """Return what stands for a course's id in a path where only its integration id is known (page "SIS IDs")."""
    return f"sis_integration_id:{quote(key, safe='')}"


def rows(
    session: cw.Session, path: str, params: list[tuple[str, str]] | None = None
) -> AsyncIterator[cw.JsonObject]:
    """Read a list of Canvas, over all of its pages.

    Raises:
        IncompleteListError: A page is missing or cannot be read.
    """
    return cw.rows_of(session, path, params=[("per_page", str(ROWS_A_PAGE)), *(params or [])])


async def find_course(session: cw.Session, key: str, *include: str) -> cw.JsonObject | None:
    """Look a course up by its integration id, in any state.

    Args:
        session: The session of the run.
        key: The integration id.
        *include: Further fields to ask for, such as ``"total_students"``.

    Returns:
        The course; None where there surely is none.

    Raises:
        BlockedError: Canvas hides integration ids from the token's user, or the user may not see the course.
        SendError: Canvas could not tell.
    """
    params = [("include[]", field) for field in ("all_courses", *include)]
    response = await session.get(f"/api/v1/courses/{by_integration_id(key)}", params=params)
    if cw.is_missing(response, "errors"):
        return None
    if response.status_code == httpx.codes.NOT_FOUND:
        raise cw.UnreachableError(
            "the course could not be looked up",
            why="something else than Canvas answered that there is no such page",
            http_status=response.status_code,
        )
    course = cw.read_success(response, "id", permission_hint=PERMISSION_HINT)
    if "integration_id" not in course:
        raise cw.BlockedError(
            "the course cannot be told from others",
            why="Canvas hides integration ids from the token's user",
            next_step="Give its role the right 'SIS Data - read' in Canvas.",
        )
    return course if course["integration_id"] == key else None


def refused(
    session: cw.Session,
    response: httpx.Response,
    remote_id: str | None = None,
    *,
    batch_refused: bool = False,
) -> cw.Result:
    """Return the result of a request that Canvas did not acknowledge.

    Args:
        session: The session of the run.
        response: The answer.
        remote_id: The id of the item at Canvas, where it is known.
        batch_refused: The request carried several items, and the answer does not tell them apart.
    """
    return cw.result_from(
        response,
        now=session.clock(),
        acknowledged=False,
        batch_refused=batch_refused,
        permission_hint=PERMISSION_HINT,
        remote_id=remote_id,
    )

"""Reading a list of objects to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from coursewire.http.paging import incomplete
from coursewire.toolkit.responses import dig, read_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from coursewire.model.payload import JsonObject
    from coursewire.model.session import Session

    Query = Mapping[str, Any] | list[tuple[str, str]] | None


async def rows_of(
    session: Session,
    path: str,
    *,
    params: Query = None,
    member: str = "",
    next_at: tuple[str, ...] = (),
    data: Mapping[str, Any] | None = None,
    read: Callable[[httpx.Response], Any] = read_json,
    skip: tuple[str, int] | None = None,
) -> AsyncIterator[JsonObject]:
    """All objects of a list of JSON objects, over all of its pages.

    Args:
        session: Asks.
        path: As for :meth:`coursewire.model.session.Session.pages`.
        params: Query of the first page.
        member: Name under which a page has its objects; "" where the page is the list itself.
        next_at: Names that lead to the next page's URL, such as ``("paging", "nextPage")``; empty for the
            ``Link`` header.
        data: As for :meth:`coursewire.model.session.Session.pages`.
        read: Reads a page; for an LMS that says with HTTP 200 that there is none, and may raise a ``SendError``.
        skip: Name of the parameter that says how many objects to pass over, and how many a full page has: the
            first page that is not full is the last one.

    Raises:
        IncompleteListError: A page is missing or cannot be read.
        SendError: A page could not be asked for.
    """
    passed, full = 0, False

    def next_page(page: httpx.Response) -> str | Mapping[str, str] | None:
        if skip is not None:
            return {skip[0]: str(passed)} if full else None
        found = dig(read(page), *next_at)
        return found if isinstance(found, str) and found else None

    following = next_page if next_at or skip else None
    async for page in session.pages(path, params=params, data=data, next_page=following):
        body = read(page)
        rows = body.get(member) if member and isinstance(body, dict) else body
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise incomplete("a list cannot be read", "a page has no list of objects where one is due")
        full, passed = skip is not None and len(rows) == skip[1], passed + len(rows)
        for row in rows:
            yield row

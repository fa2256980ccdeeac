"""Reading a list of objects to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx
import orjson

from coursewire.http.paging import Progress, incomplete
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
    """Yield the objects of a list of JSON objects, over all of its pages.

    Args:
        session: The session of the run, which asks for the pages.
        path: Path of the list, relative to the base URL of the LMS.
        params: Query of the first page; none by default.
        member: Name of the member in which a page has its objects; "" where the page is the list itself.
        next_at: Names that lead to the next page's URL, such as ``("paging", "nextPage")``; empty where the ``Link`` header
            has it (RFC 8288).
        data: Form to ask with by POST, for an LMS whose reads are written so; None asks with GET.
        read: Function of a page that returns its plain data. Give one of your own for an LMS that says with HTTP 200 that
            there is no list; it may raise a ``SendError``.
        skip: Name of the query parameter that says how many objects to pass over, and the number of objects on a full
            page: then the first page that is not full is the last one. None where the LMS pages in another way.

    Raises:
        IncompleteListError: A page is missing or cannot be read; a list that is not whole proves nothing.
        SendError: A page could not be asked for.

    Example:
        The courses of an LMS with ``?offset=``, 100 a page::

            async for course in cw.rows_of(session, "/courses", member="courses", skip=("offset", 100)):
                found.append(cw.RemoteItem(course["code"], str(course["id"])))
    """
    passed, full, progress = 0, False, Progress()

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
        progress.note(orjson.dumps(row, default=str, option=orjson.OPT_SORT_KEYS) for row in rows)
        full, passed = skip is not None and len(rows) == skip[1], passed + len(rows)
        for row in rows:
            yield row

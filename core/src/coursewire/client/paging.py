"""Reading a list to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from coursewire.client.words import member_at, read_json
from coursewire.errors import ContractError, IncompleteListError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from coursewire.model.payload import JsonObject
    from coursewire.model.session import NextPage, Session

    Query = Mapping[str, Any] | list[tuple[str, str]] | None

# RFC 8288, 3. httpx's own reader cuts a URL at a semicolon and knows neither capitals nor several relations.
_PARAMETER = r'\s*;\s*([\w!#$&+.^`|~*-]+)\s*(?:=\s*("(?:\\.|[^"\\])*"|[^\s",;]*))?'
_LINK = re.compile(rf"<([^>]*)>((?:{_PARAMETER})*)")
_PARAMETERS = re.compile(_PARAMETER)


def next_link(response: httpx.Response) -> str | None:
    """What the ``Link`` header gives as the next page; None when it names none."""
    for target, parameters, *_ in _LINK.findall(response.headers.get("link", "")):
        relations = [value for name, value in _PARAMETERS.findall(parameters) if name.lower() == "rel"]
        # A second rel of one link is to be ignored.
        if relations and "next" in relations[0].strip('"').lower().split():
            return str(target)
    return None


async def pages_of(
    session: Session,
    path: str,
    *,
    params: Query,
    data: Mapping[str, Any] | None,
    next_page: NextPage,
    max_pages: int,
) -> AsyncIterator[httpx.Response]:
    """The pages of a list; see :meth:`coursewire.model.session.Session.pages`.

    Only the lack of a next page ends the list; an empty page does not.

    Raises:
        IncompleteListError: ``max_pages`` was reached, a page repeated itself, pointed to another host, or
            was refused.
        SendError: A page could not be read.
    """
    query = list(params.items() if isinstance(params, Mapping) else params or ())
    form = dict(data) if data is not None else None
    response = await _ask(session, path, params, form)
    asked = {_identity(response)}
    number = 0
    while True:
        number += 1
        if not response.is_success:
            raise _incomplete(f"page {number} was refused", f"the LMS answered {response.status_code}")
        yield response
        following = next_page(response)
        if following is None:
            return
        if number >= max_pages:
            raise _incomplete(f"the list has more than {max_pages} pages")
        try:
            if not isinstance(following, Mapping):
                target = _joined(response, following)
                if (target, b"") in asked:
                    raise _incomplete(f"page {number} points back to an earlier page")
                response = await session.get(target)
            elif form is not None:
                form.update(following)
                response = await _ask(session, path, params, form)
            else:
                query = [pair for pair in query if pair[0] not in following] + list(following.items())
                response = await _ask(session, path, query, None)
        except ContractError as error:
            raise _incomplete(f"page {number} points to a place that is not allowed", str(error)) from error
        if _identity(response) in asked:
            raise _incomplete(f"page {number} points back to an earlier page")
        asked.add(_identity(response))


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
        found = member_at(read(page), *next_at)
        return found if isinstance(found, str) and found else None

    following = next_page if next_at or skip else None
    async for page in session.pages(path, params=params, data=data, next_page=following):
        body = read(page)
        rows = body.get(member) if member and isinstance(body, dict) else body
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _incomplete("a list cannot be read", "a page has no list of objects where one is due")
        full, passed = skip is not None and len(rows) == skip[1], passed + len(rows)
        for row in rows:
            yield row


async def _ask(session: Session, path: str, params: Query, form: Mapping[str, Any] | None) -> httpx.Response:
    if form is None:
        return await session.get(path, params=params)
    return await session.post(path, params=params, data=form, safe_to_repeat=True)


def _identity(response: httpx.Response) -> tuple[str, bytes]:
    return str(response.request.url), response.request.content


def _joined(response: httpx.Response, target: str) -> str:
    try:
        return str(response.url.join(target.strip()))
    except httpx.InvalidURL as error:
        raise _incomplete("the link to the next page is no URL", str(error)) from error


def _incomplete(what: str, why: str = "") -> IncompleteListError:
    return IncompleteListError(
        what, why=why, next_step="Nothing was concluded from this list; the next run reads it again."
    )

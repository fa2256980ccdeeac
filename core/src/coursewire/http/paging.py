"""Paging: following a list from page to page, to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from coursewire.errors import ContractError, IncompleteListError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from coursewire.model.session import NextPage, Session

    Query = Mapping[str, Any] | list[tuple[str, str]] | None

# RFC 8288, 3. httpx's own reader cuts a URL at a semicolon and knows neither capitals nor several relations.
_PARAMETER = r'\s*;\s*([\w!#$&+.^`|~*-]+)\s*(?:=\s*("(?:\\.|[^"\\])*"|[^\s",;]*))?'
_LINK = re.compile(rf"<([^>]*)>((?:{_PARAMETER})*)")
_PARAMETERS = re.compile(_PARAMETER)


def next_link(response: httpx.Response) -> str | None:
    """Return the URL of the next page from the ``Link`` header; None if it names none."""
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
    """Yield the pages of a list; see :meth:`coursewire.model.session.Session.pages`.

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
            raise incomplete(f"page {number} was refused", f"the LMS answered {response.status_code}")
        yield response
        following = next_page(response)
        if following is None:
            return
        if number >= max_pages:
            raise incomplete(f"the list has more than {max_pages} pages")
        try:
            if not isinstance(following, Mapping):
                target = _joined(response, following)
                if (target, b"") in asked:
                    raise incomplete(f"page {number} points back to an earlier page")
                response = await session.get(target)
            elif form is not None:
                form.update(following)
                response = await _ask(session, path, params, form)
            else:
                query = [pair for pair in query if pair[0] not in following] + list(following.items())
                response = await _ask(session, path, query, None)
        except ContractError as error:
            raise incomplete(f"page {number} points to a place that is not allowed", str(error)) from error
        if _identity(response) in asked:
            raise incomplete(f"page {number} points back to an earlier page")
        asked.add(_identity(response))


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
        raise incomplete("the link to the next page is no URL", str(error)) from error


def incomplete(what: str, why: str = "") -> IncompleteListError:
    """Return the error of a list that cannot be read to its end."""
    return IncompleteListError(
        what, why=why, next_step="Nothing was concluded from this list; the next run reads it again."
    )

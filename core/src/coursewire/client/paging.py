"""Reading a list to its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

from coursewire.errors import ContractError, IncompleteListError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Any

    from coursewire.model.session import Session

# RFC 8288, 3. httpx's own reader cuts a URL at a semicolon and knows neither capitals nor several relations.
_PARAMETER = r'\s*;\s*([\w!#$&+.^`|~*-]+)\s*(?:=\s*("(?:\\.|[^"\\])*"|[^\s",;]*))?'
_LINK = re.compile(rf"<([^>]*)>((?:{_PARAMETER})*)")
_PARAMETERS = re.compile(_PARAMETER)


def next_link(response: httpx.Response) -> httpx.URL | None:
    """The absolute URL of the next page; None when the LMS names none.

    Raises:
        IncompleteListError: It names one that is no URL.
    """
    for target, parameters, *_ in _LINK.findall(response.headers.get("link", "")):
        relations = [value for name, value in _PARAMETERS.findall(parameters) if name.lower() == "rel"]
        # A second rel of one link is to be ignored.
        if relations and "next" in relations[0].strip('"').lower().split():
            try:
                return response.url.join(target.strip())
            except httpx.InvalidURL as error:
                raise _incomplete("the link to the next page is no URL", str(error)) from error
    return None


async def link_header_pages(
    session: Session,
    path: str,
    *,
    params: Mapping[str, Any] | list[tuple[str, str]] | None,
    max_pages: int,
) -> AsyncIterator[httpx.Response]:
    """The pages of a list whose answers name the next one in a ``Link`` header.

    Only the lack of a next link ends the list; an empty page does not.

    Raises:
        IncompleteListError: ``max_pages`` was reached, a page repeated itself, pointed to another host, or
            was refused.
        SendError: A page could not be read.
    """
    response = await session.get(path, params=params)
    seen = {str(response.url)}
    number = 0
    while True:
        number += 1
        if not response.is_success:
            raise _incomplete(f"page {number} was refused", f"the LMS answered {response.status_code}")
        yield response
        url = next_link(response)
        if url is None:
            return
        if str(url) in seen:
            raise _incomplete(f"page {number} points back to an earlier page")
        if number >= max_pages:
            raise _incomplete(f"the list has more than {max_pages} pages")
        seen.add(str(url))
        try:
            response = await session.get(str(url))
        except ContractError as error:
            raise _incomplete(f"page {number} points to a place that is not allowed", str(error)) from error


def _incomplete(what: str, why: str = "") -> IncompleteListError:
    return IncompleteListError(
        what, why=why, next_step="Nothing was concluded from this list; the next run reads it again."
    )

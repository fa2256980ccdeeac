"""Paging: following a list from page to page, to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from coursewire.errors import ContractError, IncompleteListError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from typing import Any

    from coursewire.model.channel import Rate
    from coursewire.model.session import NextPage, Session

    Query = Mapping[str, Any] | list[tuple[str, str]] | None

# RFC 8288, 3. httpx's own reader cuts a URL at a semicolon and knows neither capitals nor several relations.
_PARAMETER = r'\s*;\s*([\w!#$&+.^`|~*-]+)\s*(?:=\s*("(?:\\.|[^"\\])*"|[^\s",;]*))?'
_LINK = re.compile(rf"<([^>]*)>((?:{_PARAMETER})*)")
_LONGEST_LINK = 8192
"""Characters of a ``Link`` header that are looked at."""
_PARAMETERS = re.compile(_PARAMETER)


LONG_WINDOW_S = 3600.0
"""Window from which on a rate is a quota, which is gone for everybody when it is used up."""

QUOTA_SHARE = 4
"""One list uses at most this part of a quota."""

FEWEST_PAGES = 100
"""Pages that a list may have, however small the quota is."""

REPEATED_IN_A_ROW = 2
EMPTY_IN_A_ROW = 10
"""Pages in a row without anything new after which a list is given up."""


def most_pages(rates: Mapping[str, Rate]) -> int:
    """Return the most pages that one list may have, so that it never uses up a quota which others share.

    Args:
        rates: The channel's rates by the names of their buckets.
    """
    quotas = [rate.calls // QUOTA_SHARE for rate in rates.values() if rate.seconds >= LONG_WINDOW_S]
    return max(FEWEST_PAGES, min(quotas, default=10_000))


class Progress:
    """The look at a list's pages that sees when nothing new comes any more."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._repeated = self._empty = 0

    def note(self, rows: Iterable[bytes]) -> None:
        """Note a page.

        Args:
            rows: Its rows as bytes, or its whole body as the one row; none for an empty page.

        Raises:
            IncompleteListError: Too many pages in a row brought nothing new.
        """
        found = {hash(row) for row in rows}
        if not found:
            self._empty += 1
        elif found <= self._seen:
            self._repeated += 1
        else:
            self._repeated = self._empty = 0
        self._seen |= found
        if self._repeated >= REPEATED_IN_A_ROW or self._empty >= EMPTY_IN_A_ROW:
            raise incomplete(
                "the list does not end", f"{self._repeated + self._empty} pages in a row brought nothing new"
            )


def next_link(response: httpx.Response) -> str | None:
    """Return the URL of the next page from the ``Link`` header; None if it names none."""
    for target, parameters, *_ in _LINK.findall(response.headers.get("link", "")[:_LONGEST_LINK]):
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
    number, progress = 0, Progress()
    while True:
        number += 1
        if not response.is_success:
            raise incomplete(f"page {number} was refused", f"the LMS answered {response.status_code}")
        progress.note([response.content])
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
    except (httpx.InvalidURL, ValueError) as error:
        raise incomplete("the link to the next page is no URL", str(error)) from error


def incomplete(what: str, why: str = "") -> IncompleteListError:
    """Return the error of a list that cannot be read to its end."""
    return IncompleteListError(
        what, why=why, next_step="Nothing was concluded from this list; the next run reads it again."
    )

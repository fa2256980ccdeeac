"""Reading what Degreed answers: what both APIs have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coursewire.client.answers import error_text, read_json, refusal_in, result_of
from coursewire.client.redact import shorten
from coursewire.errors import BlockedError, UnreachableError
from coursewire.model.payload import Result, ResultKind

if TYPE_CHECKING:
    import httpx

    from coursewire.errors import SendError
    from coursewire.model.session import Session

EXCERPT = 500
FORBIDDEN = (
    "The API key may not do this. Give it the scopes that the channel's page lists, or ask Degreed to."
)


def is_missing(response: httpx.Response) -> bool:
    """Tell Degreed's own 404 or 410 from the page of a proxy or of another site, which proves nothing."""
    absent = response.status_code in (404, 410)
    return absent and (not response.content.strip() or isinstance(read_json(response), dict))


def acknowledges(response: httpx.Response) -> bool:
    """Tell an answer that says yes: plain data without an error in it, or a success that has no body."""
    if not response.is_success:
        return False
    if not response.content.strip():
        return response.status_code != 200  # an empty 200 is what a proxy says as well
    body = read_json(response)
    return isinstance(body, dict | list) and not refusal_in(body)


def refused(session: Session, response: httpx.Response, *, whole_batch: bool = False) -> Result:
    """What an answer means that is not the one hoped for."""
    body, status = read_json(response), response.status_code
    words, excerpt = refusal_in(body), shorten(response.text, EXCERPT)
    if response.is_success and words:
        return Result(ResultKind.REJECTED, "refused", words, None, status, excerpt, whole_batch=whole_batch)
    if response.is_success:
        message = "The answer is not one that Degreed gives."
        return Result(ResultKind.TRY_LATER, "unreadable-answer", message, None, status, excerpt)
    result = result_of(response, now=session.clock(), whole_batch=whole_batch)
    if status == 403:
        message = f"{error_text(body) or 'Degreed refuses this'}. {FORBIDDEN}"
        return replace(result, kind=ResultKind.BLOCKED, message=message, whole_batch=False)
    return replace(result, message=error_text(body) or result.message)


def failure(session: Session, response: httpx.Response) -> SendError:
    """The error for an answer without which nothing more can be said."""
    result = refused(session, response)
    where = f"{response.request.url.path}, status {response.status_code}"
    if response.status_code == 403:
        return BlockedError(
            "Degreed refuses this to the API key", where=where, why=result.message, http_status=403
        )
    return UnreachableError(
        "Degreed gave no usable answer",
        where=where,
        why=result.message,
        next_step="Check degreed_base_url, then try again.",
        http_status=response.status_code,
        excerpt=result.excerpt,
    )

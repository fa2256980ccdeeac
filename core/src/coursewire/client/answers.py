"""Answers and errors turned into results: the rules that hold for every LMS, in one place.

A channel reads what its LMS says about each item, and falls back on these where the status is all there is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson

from coursewire.client.redact import Redactor, shorten
from coursewire.client.retry import retry_after_s
from coursewire.errors import (
    BlockedError,
    CredentialsError,
    OutcomeUnknownError,
    RejectedError,
    ThrottledError,
    UnreachableError,
)
from coursewire.model.payload import Result, ResultKind

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from coursewire.errors import SendError

MESSAGE_LIMIT = 500
EXCERPT_LIMIT = 2000

_REJECTED = {
    400: "invalid",
    403: "forbidden",
    404: "not-found-at-lms",
    405: "method-not-allowed",
    409: "conflict",
    410: "not-found-at-lms",
    413: "too-large",
    422: "invalid",
}
_LATER = {408: "lms-timeout", 425: "too-early", 429: "slow-down"}

_OF_ERRORS: dict[type[SendError], tuple[ResultKind, str]] = {
    ThrottledError: (ResultKind.THROTTLED, "slow-down"),
    CredentialsError: (ResultKind.CREDENTIALS_BROKEN, "credentials"),
    UnreachableError: (ResultKind.TRY_LATER, "unreachable"),
    OutcomeUnknownError: (ResultKind.IN_DOUBT, "outcome-unknown"),
    RejectedError: (ResultKind.REJECTED, "rejected"),
    BlockedError: (ResultKind.BLOCKED, "blocked"),
}

_PLAIN_REDACTOR = Redactor()


def read_json(response: httpx.Response) -> Any:
    """The body as plain data; None where it is HTML, XML or nothing."""
    try:
        return orjson.loads(response.content)
    except ValueError:
        return None


def result_of(
    response: httpx.Response,
    *,
    now: datetime,
    whole_batch: bool = False,
    redactor: Redactor = _PLAIN_REDACTOR,
) -> Result:
    """What an answer means for the one item that was sent, by its status alone.

    Args:
        response: The answer.
        now: The present instant, for ``Retry-After``.
        whole_batch: The request carried several items, and the answer does not tell them apart.
        redactor: Knows the configuration's secrets. Core redacts again with its own.

    Returns:
        2xx accepted; 401 credentials broken; 408, 425, 429 and 5xx try later; every other status rejected,
        redirects too: what was asked for has not happened.
    """
    status = response.status_code
    if response.is_success:
        return Result(ResultKind.ACCEPTED, http_status=status)
    excerpt = redactor.excerpt(response, EXCERPT_LIMIT)
    refused = Result(
        ResultKind.REJECTED,
        reason=_REJECTED.get(status, "redirected" if response.is_redirect else f"http-{status}"),
        message=shorten(excerpt, MESSAGE_LIMIT) or f"HTTP {status} without a word",
        http_status=status,
        excerpt=excerpt,
        whole_batch=whole_batch,
    )
    if status == 401:
        return replace(refused, kind=ResultKind.CREDENTIALS_BROKEN, reason="credentials", whole_batch=False)
    if status in _LATER or status >= 500:
        seconds = retry_after_s(response, now)
        return replace(
            refused,
            kind=ResultKind.TRY_LATER,
            reason=_LATER.get(status, "lms-error"),
            retry_at=None if seconds is None else now + timedelta(seconds=seconds),
            whole_batch=False,
        )
    return refused


def acknowledged(response: httpx.Response, *, now: datetime, redactor: Redactor = _PLAIN_REDACTOR) -> Result:
    """As :func:`result_of`, where the body can take a 2xx back.

    Returns:
        Rejected where a JSON object holds ``error``, ``errors`` or a ``status`` from 400 on; try later where there
        is a body that is not JSON, such as a page to log in; else as the status says.
    """
    result = result_of(response, now=now, redactor=redactor)
    body = read_json(response)
    if not result.confirms or (body is None and not response.content.strip()):
        return result
    excerpt = redactor.excerpt(response, EXCERPT_LIMIT)
    if body is None:
        message = f"the answer is no acknowledgement: {shorten(excerpt, MESSAGE_LIMIT)}"
        return replace(
            result, kind=ResultKind.TRY_LATER, reason="no-acknowledgement", message=message, excerpt=excerpt
        )
    fault = _fault_in(body)
    if not fault:
        return result
    return replace(
        result, kind=ResultKind.REJECTED, reason="refused", message=redactor(fault), excerpt=excerpt
    )


def _fault_in(body: Any) -> str:
    """The words of an error inside an answer; "" where there is none."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error") or body.get("errors")
    if isinstance(error, dict):
        error = error.get("message") or error.get("description") or "an error without words"
    status = str(body.get("status", ""))
    failed = status.isdecimal() and int(status) >= 400
    return shorten(str(error or f"status {status}"), MESSAGE_LIMIT) if error or failed else ""


def result_of_error(error: SendError) -> Result:
    """What a failed request means for each item that it carried."""
    for cls in type(error).__mro__:
        if cls in _OF_ERRORS:
            kind, reason = _OF_ERRORS[cls]
            break
    else:
        kind, reason = ResultKind.TRY_LATER, "send"
    return Result(
        kind,
        reason=reason,
        message=shorten(str(error), MESSAGE_LIMIT),
        http_status=error.http_status,
        excerpt=shorten(error.excerpt, EXCERPT_LIMIT),
        retry_at=error.retry_at if isinstance(error, ThrottledError) else None,
        whole_batch=kind is ResultKind.REJECTED,
    )


def redacted(result: Result, redactor: Redactor) -> Result:
    """The result as it may be stored: no secrets, bounded texts."""
    if not result.message and not result.excerpt:
        return result
    return replace(
        result,
        message=shorten(redactor(result.message), MESSAGE_LIMIT),
        excerpt=shorten(redactor(result.excerpt), EXCERPT_LIMIT),
    )

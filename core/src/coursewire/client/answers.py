"""Answers and errors turned into results: the rules that hold for every LMS, in one place.

A channel reads what its LMS says about each item, and falls back on these where the status is all there is.
"""

from __future__ import annotations

import json
import re
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

_ERROR_FIELDS = ("error", "errors", "errorMessage")
_ERROR_FIELD = re.compile(r"error|exception|fault", re.I)


def read_json(response: httpx.Response) -> Any:
    """The body as plain data; None where it is HTML, XML or nothing."""
    try:
        return orjson.loads(response.content)
    except ValueError:
        return None


def error_text(body: Any) -> str:
    """The words of an error at the top of an answer, whichever shape it has; "" where ``body`` is no error.

    Known are ``{"error": {"code", "message": "text"}}``, the same with ``"message": {"lang", "value"}`` (OData),
    ``{"error": "text"}``, and ``{"errors": [{"title", "detail"}]}`` (JSON:API). Of another shape it is the JSON.
    """
    found = (body.get(name) for name in _ERROR_FIELDS) if isinstance(body, dict) else ()
    error = next(filter(None, found), "")
    if isinstance(error, list) and all(isinstance(each, dict) for each in error):
        texts = [
            ": ".join(str(each[name]) for name in ("title", "detail") if each.get(name)) for each in error
        ]
        return "; ".join(filter(None, texts)) or json.dumps(error)
    if not isinstance(error, dict):
        return error if isinstance(error, str) else json.dumps(error)
    message = error.get("message")
    text = message.get("value") if isinstance(message, dict) else message
    return ": ".join(str(part) for part in (error.get("code"), text) if part) or json.dumps(error)


def refusal_in(body: Any) -> str:
    """The words of the first error in an answer, however deep it stands; "" where there is none."""
    if isinstance(body, dict):
        if any(value and _ERROR_FIELD.match(name) for name, value in body.items()):
            return error_text(body) or str(body.get("message") or body)
        body = list(body.values())
    return next(filter(None, map(refusal_in, body)), "") if isinstance(body, list) else ""


def is_missing(response: httpx.Response) -> bool:
    """Tell an LMS's own 404 or 410, in JSON or without a body, from the page of a proxy, which proves nothing."""
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


def refused(
    response: httpx.Response, *, now: datetime, whole_batch: bool = False, rights: str = ""
) -> Result:
    """What an answer means that is not the one hoped for, by its words and its status.

    Args:
        response: The answer; a success, too, that is no acknowledgement.
        now: The present instant, for ``Retry-After``.
        whole_batch: The request carried several items, and the answer does not tell them apart.
        rights: What a person can do about a 403, which then blocks the item.
    """
    body, status = read_json(response), response.status_code
    words, excerpt = refusal_in(body), _PLAIN_REDACTOR.excerpt(response, EXCERPT_LIMIT)
    if response.is_success and words:
        return Result(ResultKind.REJECTED, "refused", words, None, status, excerpt, whole_batch=whole_batch)
    if response.is_success:
        message = "The answer is not one that this LMS gives."
        return Result(ResultKind.TRY_LATER, "unreadable-answer", message, None, status, excerpt)
    result = result_of(response, now=now, whole_batch=whole_batch)
    if status == 403 and rights:
        message = f"{error_text(body) or 'The LMS refuses this'}. {rights}"
        return replace(result, kind=ResultKind.BLOCKED, message=message, whole_batch=False)
    return replace(result, message=error_text(body) or result.message)


def failure(response: httpx.Response, *, now: datetime, next_step: str, rights: str = "") -> SendError:
    """The error for an answer without which nothing more can be said; see :func:`refused`.

    Args:
        response: The answer.
        now: The present instant.
        next_step: What a person can do where it is not about a right.
        rights: What a person can do about a 403.
    """
    result = refused(response, now=now, rights=rights)
    where, status = f"{response.request.url.path}, status {response.status_code}", response.status_code
    if result.kind is ResultKind.BLOCKED:
        return BlockedError("the LMS refuses this", where=where, why=result.message, http_status=status)
    what = "the LMS gave no usable answer"
    facts: dict[str, Any] = {"http_status": status, "excerpt": result.excerpt}
    return UnreachableError(what, where=where, why=result.message, next_step=next_step, **facts)


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

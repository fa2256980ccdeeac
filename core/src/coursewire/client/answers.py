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
from coursewire.client.urls import path_template
from coursewire.errors import (
    BlockedError,
    CredentialsError,
    IncompleteListError,
    OutcomeUnknownError,
    RejectedError,
    SendError,
    ThrottledError,
    UnreachableError,
)
from coursewire.model.payload import JsonObject, Operation, Result, ResultKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import httpx

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


def read_object(response: httpx.Response) -> JsonObject:
    """The body where it is a JSON object; an empty one where it is anything else."""
    body = read_json(response)
    return body if isinstance(body, dict) else {}


def read_success(response: httpx.Response, *fields: str, next_step: str = "") -> JsonObject:
    """The JSON object that the LMS answers with when all is well; for :func:`check_connection` and look-ups.

    Args:
        response: The answer.
        *fields: What the object must have; errors come with 200, too.
        next_step: What a person should check when it is another one.

    Raises:
        BlockedError: A refusal, such as a missing right.
        UnreachableError: The LMS is out of order, or what answered is not what was asked for.
    """
    body = read_object(response)
    if response.is_success and body and all(body.get(field) is not None for field in fields):
        return body
    excerpt = _PLAIN_REDACTOR.excerpt(response, EXCERPT_LIMIT)
    out_of_order = response.is_success or response.status_code >= 500 or response.status_code in _LATER
    raise (UnreachableError if out_of_order else BlockedError)(
        f"{response.request.method} {path_template(response.request.url)} did not get the answer it should",
        why=f"status {response.status_code}: {shorten(excerpt, MESSAGE_LIMIT) or 'without a word'}",
        next_step=next_step,
        http_status=response.status_code,
        excerpt=excerpt,
    )


def acknowledged(
    response: httpx.Response,
    operation: Operation,
    echo: Mapping[str, Any],
    *,
    now: datetime,
    rights: str = "",
) -> Result:
    """What an answer means for the one item that was sent, where the LMS answers with the item itself.

    A status alone is no acknowledgement: errors, log-in pages and empty bodies come with 200, too.

    Args:
        response: The answer.
        operation: What was to happen; an item that is not there any more needs no retiring.
        echo: Members that the answer's object must have, such as ``{"id": key}``.
        now: The present instant, for ``Retry-After``.
        rights: As for :func:`result_of`.

    Returns:
        Accepted when a 2xx echoes what it should; already so for a retirement that meets 404 or 410; try later,
        ``no-acknowledgement``, for a 2xx that says something else: the request must be one that may be sent
        again. For every other answer see :func:`result_of`.
    """
    status = response.status_code
    if not response.is_success:
        if operation is Operation.RETIRE and status in (404, 410):
            return Result(ResultKind.ALREADY_SO, reason="already-retired", http_status=status)
        return result_of(response, now=now, rights=rights)
    body = read_object(response)
    if all(name in body and body[name] == value for name, value in echo.items()):
        return Result(ResultKind.ACCEPTED, http_status=status)
    excerpt = _PLAIN_REDACTOR.excerpt(response, EXCERPT_LIMIT)
    return Result(
        ResultKind.TRY_LATER,
        reason="no-acknowledgement",
        message=f"HTTP {status} without {' and '.join(echo)} of the item: {excerpt or 'an empty answer'}"[
            :MESSAGE_LIMIT
        ],
        http_status=status,
        excerpt=excerpt,
    )


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
    rights: str = "",
) -> Result:
    """What an answer means for the one item that was sent, by its status alone.

    Args:
        response: The answer.
        now: The present instant, for ``Retry-After``.
        whole_batch: The request carried several items, and the answer does not tell them apart.
        redactor: Knows the configuration's secrets. Core redacts again with its own.
        rights: Where a 403 is about a right: how a person at the LMS gives it. Then the item is blocked there.

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
    if status == 403 and rights:
        message = shorten(f"{refused.message} {rights}", MESSAGE_LIMIT)
        return replace(refused, kind=ResultKind.BLOCKED, message=message, whole_batch=False)
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


def result_of_error(error: SendError | IncompleteListError) -> Result:
    """What a failed request, or a list that could not be read, means for each item that it was about."""
    if isinstance(error, IncompleteListError):
        message = shorten(str(error), MESSAGE_LIMIT)
        return Result(ResultKind.TRY_LATER, reason="incomplete-list", message=message)
    for cls in type(error).__mro__:
        if cls in _OF_ERRORS:
            kind, reason = _OF_ERRORS[cls]
            break
    else:
        kind, reason = ResultKind.TRY_LATER, "send"
    return Result(
        kind,
        reason=error.reason or reason,
        message=shorten(str(error), MESSAGE_LIMIT),
        http_status=error.http_status,
        excerpt=shorten(error.excerpt, EXCERPT_LIMIT),
        retry_at=error.retry_at if isinstance(error, ThrottledError) else None,
        # An error of no class of its own may be one item's fault, so that it is looked for in smaller batches.
        whole_batch=kind is ResultKind.REJECTED or type(error) is SendError,
    )


def error_of(response: httpx.Response, what: str, *, next_step: str = "") -> SendError:
    """The error for an answer whose status says that nothing was done for anything that was sent.

    Args:
        response: An answer that is no success.
        what: What was asked for, such as ``"the list of courses"``.
        next_step: For a refusal whatever the request carries: a right, or the address, is wrong.

    Returns:
        403, 404, 405 and redirects need a person at the LMS or at the configuration; other 4xx refuse what was
        sent; the LMS itself failed with 5xx, and the next run tries again.
    """
    status, excerpt = response.status_code, _PLAIN_REDACTOR.excerpt(response, EXCERPT_LIMIT)
    said: dict[str, Any] = {
        "why": f"it redirects to {response.headers.get('location')}" if response.is_redirect else excerpt,
        "http_status": status,
        "excerpt": excerpt,
    }
    answered = f"{what} was answered with status {status}"
    if response.is_redirect or status in (403, 404, 405):
        return BlockedError(answered, next_step=next_step, **said)
    if status >= 500 or status in _LATER:
        return UnreachableError(answered, reason=_LATER.get(status, "lms-error"), **said)
    return RejectedError(answered, reason=_REJECTED.get(status, f"http-{status}"), **said)


def admitted(response: httpx.Response, *, rights: str = "", next_step: str = "") -> httpx.Response:
    """The answer, unless it refuses the call whatever it carries, so that no item is at fault.

    Args:
        response: The answer.
        rights: What a person can do about a 403.
        next_step: What a person can do about an address that is wrong: 404, 405, a redirect.

    Raises:
        BlockedError: It does.
    """
    if response.is_redirect or response.status_code in (403, 404, 405):
        what = f"{response.request.method} {path_template(response.request.url)}"
        raise error_of(response, what, next_step=rights if response.status_code == 403 else next_step)
    return response


def redacted(result: Result, redactor: Redactor) -> Result:
    """The result as it may be stored: no secrets, bounded texts."""
    if not result.message and not result.excerpt:
        return result
    return replace(
        result,
        message=shorten(redactor(result.message), MESSAGE_LIMIT),
        excerpt=shorten(redactor(result.excerpt), EXCERPT_LIMIT),
    )

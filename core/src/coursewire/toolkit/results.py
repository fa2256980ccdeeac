"""Answers and errors turned into results: the rules that hold for every LMS, in one place.

A channel reads what its LMS says about each item, and falls back on these where the status is all there is.
What stands in an answer is read by :mod:`coursewire.toolkit.responses`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

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
from coursewire.http.redact import Redactor, is_html, media_type_of, shorten
from coursewire.http.retry import retry_after_s
from coursewire.http.urls import path_template
from coursewire.model.payload import JsonObject, Operation, Result, ResultKind
from coursewire.model.reasons import Reason, http_reason
from coursewire.toolkit.responses import error_text, is_missing, read_json, read_object

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from datetime import datetime

    import httpx

MESSAGE_LIMIT = 500
EXCERPT_LIMIT = 2000

_REASONS = {
    400: Reason.INVALID,
    401: Reason.CREDENTIALS,
    403: Reason.FORBIDDEN,
    404: Reason.NOT_FOUND_AT_LMS,
    405: Reason.METHOD_NOT_ALLOWED,
    408: Reason.LMS_TIMEOUT,
    409: Reason.CONFLICT,
    410: Reason.NOT_FOUND_AT_LMS,
    413: Reason.TOO_LARGE,
    422: Reason.INVALID,
    425: Reason.TOO_EARLY,
    429: Reason.SLOW_DOWN,
}
_LATER = (408, 425, 429)
_WRONG_PLACE = (403, 404, 405)
"""What a call is answered with whatever it carries, where rights or the address are wrong."""

_OF_ERRORS: dict[type[SendError], tuple[ResultKind, Reason]] = {
    ThrottledError: (ResultKind.THROTTLED, Reason.SLOW_DOWN),
    CredentialsError: (ResultKind.CREDENTIALS_BROKEN, Reason.CREDENTIALS),
    UnreachableError: (ResultKind.TRY_LATER, Reason.UNREACHABLE),
    OutcomeUnknownError: (ResultKind.IN_DOUBT, Reason.OUTCOME_UNKNOWN),
    RejectedError: (ResultKind.REJECTED, Reason.REJECTED),
    BlockedError: (ResultKind.BLOCKED, Reason.BLOCKED),
}
_ERROR_OF: dict[ResultKind, type[SendError]] = {kind: error for error, (kind, _) in _OF_ERRORS.items()}

_REDACTOR = Redactor()


def result_from(
    response: httpx.Response,
    *,
    now: datetime,
    acknowledged: bool = True,
    refuses_with_2xx: bool = False,
    safe_to_repeat: bool = True,
    batch_refused: bool = False,
    permission_hint: str = "",
    not_found_member: str = "",
    remote_id: str | None = None,
) -> Result:
    """What an answer means for the one item that was sent, by its status and the words of an error in it.

    Args:
        response: The answer.
        now: The present instant, for ``Retry-After``.
        acknowledged: Where it is a success: it acknowledges the item. A status alone does not: errors, log-in pages and
            empty bodies come with 200, too; see :func:`~coursewire.toolkit.responses.is_done`.
        refuses_with_2xx: This LMS says with a success, too, what is wrong with an item. Of another one an error in a
            success is as likely a passing fault.
        safe_to_repeat: Sending the same again does no harm. If not, a success that is no acknowledgement
            leaves the item in doubt.
        batch_refused: The request carried several items, and the answer does not tell them apart.
        rights: Where a 403 is about a right: how a person at the LMS gives it. Then the item is blocked there.
        not_found_member: A member that the LMS's own 404 has, such as ``"status"``. Another one is the page of a proxy or of
            another site, which settles nothing. Without it every 404 but a page of HTML counts as the LMS's.
        remote_id: The item's id at the LMS, as far as it is known; the result carries it.

    Returns:
        2xx accepted when acknowledged; otherwise try later, ``no-acknowledgement``, or rejected, ``refused``, where this
        LMS refuses so and there are words of an error in it. 401 credentials broken; 408, 425, 429 and 5xx try
        later, and a 404 that is not the LMS's own, ``unreadable-answer``; every other status rejected, redirects
        too: what was asked for has not happened.
    """
    status, reason = response.status_code, _reason(response)
    if response.is_success and acknowledged:
        return Result(ResultKind.ACCEPTED, remote_id=remote_id, http_status=status)
    words, excerpt = _words(response)
    if response.is_success:
        unsaid = ResultKind.TRY_LATER if safe_to_repeat else ResultKind.IN_DOUBT
        no = bool(words) and refuses_with_2xx
        kind, reason = (ResultKind.REJECTED, Reason.REFUSED) if no else (unsaid, Reason.NO_ACKNOWLEDGEMENT)
        words = words or f"The answer acknowledges nothing: {excerpt or 'it is empty'}"
    else:
        kind = _kind(status)
        words = words or excerpt or f"HTTP {status} without a word"
    if status in (404, 410) and _is_anothers(response, not_found_member):
        kind, reason = ResultKind.TRY_LATER, Reason.UNREADABLE_ANSWER
    if status == 403 and permission_hint:
        kind, words = ResultKind.BLOCKED, f"{words.rstrip('.')}. {permission_hint}"
    seconds = retry_after_s(response, now) if kind is ResultKind.TRY_LATER else None
    return Result(
        kind,
        reason,
        shorten(words, MESSAGE_LIMIT),
        remote_id,
        status,
        excerpt,
        retry_at=None if seconds is None else now + timedelta(seconds=seconds),
        batch_refused=batch_refused and kind is ResultKind.REJECTED,
    )


def result_from_echo(
    response: httpx.Response,
    operation: Operation,
    echo: Mapping[str, Any],
    *,
    now: datetime,
    permission_hint: str = "",
    not_found_member: str = "",
    remote_id: str | None = None,
) -> Result:
    """What an answer means for the one item that was sent, where the LMS answers with the item itself.

    Args:
        response: The answer; of a request that may be sent again.
        operation: What was to happen; an item that is not there any more needs no retiring.
        echo: Members that the answer's object must have, such as ``{"id": key}``.
        now: The present instant, for ``Retry-After``.
        rights: As for :func:`result_from`.
        not_found_member: As for :func:`result_from`.
        remote_id: As for :func:`result_from`.

    Returns:
        Accepted when a 2xx echoes what it should; already so for a retirement that meets the LMS's own 404 or 410,
        and try later, ``unreadable-answer``, for one that meets a page of HTML with that status. For every other
        answer see :func:`result_from`.
    """
    status = response.status_code
    body = read_object(response)
    acknowledged = all(name in body and body[name] == value for name, value in echo.items())
    result = result_from(
        response,
        now=now,
        acknowledged=acknowledged,
        permission_hint=permission_hint,
        not_found_member=not_found_member,
        remote_id=remote_id,
    )
    if operation is not Operation.RETIRE or status not in (404, 410):
        return result
    if is_missing(response, *filter(None, [not_found_member])):
        return Result(ResultKind.ALREADY_SO, Reason.ALREADY_RETIRED, remote_id=remote_id, http_status=status)
    return replace(result, kind=ResultKind.TRY_LATER, reason=Reason.UNREADABLE_ANSWER)


def read_success(
    response: httpx.Response,
    *fields: str,
    next_step: str = "",
    permission_hint: str = "",
    may_hide: bool = False,
) -> JsonObject:
    """The JSON object that the LMS answers with when all is well; for :func:`check_connection` and look-ups.

    Args:
        response: The answer.
        *fields: What the object must have, and not as null; errors come with 200, too.
        next_step: As for :func:`error_from`.
        rights: As for :func:`error_from`.
        may_hide: The LMS leaves fields out that we have no right to see.

    Raises:
        BlockedError: Such a field is not in an object that has an id.
        SendError: It is another answer; see :func:`error_from`.
    """
    body = read_object(response)
    hidden = [field for field in fields if body.get(field) is None]
    if response.is_success and body and not hidden:
        return body
    if may_hide and response.is_success and "id" in body:
        what = f"the LMS does not show what is needed: {' and '.join(hidden)}"
        raise BlockedError(what, next_step=permission_hint or next_step, http_status=response.status_code)
    raise error_from(response, next_step=next_step, permission_hint=permission_hint)


def read_rows(
    response: httpx.Response, member: str, *, next_step: str = "", permission_hint: str = ""
) -> list[JsonObject]:
    """The list of JSON objects in an answer, for look-ups that need one page.

    Args:
        response: The answer.
        member: Name under which it has them.
        next_step: As for :func:`error_from`.
        rights: As for :func:`error_from`.

    Raises:
        SendError: It is another answer; see :func:`error_from`.
    """
    rows = read_object(response).get(member) if response.is_success else None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise error_from(response, next_step=next_step, permission_hint=permission_hint)


def error_from(
    response: httpx.Response,
    what: str = "",
    *,
    next_step: str = "",
    permission_hint: str = "",
    safe_to_repeat: bool = True,
) -> SendError:
    """The error for an answer without which nothing more can be said, whatever was asked for.

    Args:
        response: An answer that is not the one hoped for.
        what: What was asked for, such as ``"the list of courses"``; method and path when it is not said.
        next_step: What a person should check.
        rights: How a person at the LMS gives the right, after a 403; "" where it is the ``next_step``, too.
        safe_to_repeat: Asking again does no harm. If not, what may have happened after a success is not known.

    Returns:
        403, 404, 405 and redirects need a person at the LMS or at the configuration; 401 is about credentials;
        other 4xx refuse what was sent; the LMS itself failed with 5xx, or what answered with a success is
        something else, and the next run tries again.
    """
    status = response.status_code
    unsaid = ResultKind.TRY_LATER if safe_to_repeat else ResultKind.IN_DOUBT
    kind = unsaid if response.is_success else _kind(status)
    if response.is_redirect or status in _WRONG_PLACE:
        kind = ResultKind.BLOCKED
    words, excerpt = _words(response)
    why = words or excerpt or "without a word"
    if response.is_redirect:
        why = f"it redirects to {response.headers.get('location')}"
    elif response.is_success:
        why = f"the answer is not the one that it should be: {why}"
    asked = what or f"{response.request.method} {path_template(response.request.url)}"
    return _ERROR_OF[kind](
        f"{asked} was answered with status {status}",
        why=shorten(why, MESSAGE_LIMIT),
        next_step=(permission_hint if status == 403 else "") or next_step,
        http_status=status,
        excerpt=excerpt,
        reason="" if response.is_success or kind is ResultKind.BLOCKED else _reason(response),
    )


def result_from_error(error: SendError | IncompleteListError) -> Result:
    """What a failed request, or a list that could not be read, means for each item that it was about."""
    if isinstance(error, IncompleteListError):
        message = shorten(str(error), MESSAGE_LIMIT)
        return Result(ResultKind.TRY_LATER, reason=Reason.INCOMPLETE_LIST, message=message)
    for cls in type(error).__mro__:
        if cls in _OF_ERRORS:
            kind, reason = _OF_ERRORS[cls]
            break
    else:
        kind, reason = ResultKind.TRY_LATER, Reason.SEND
    return Result(
        kind,
        reason=error.reason or reason,
        message=shorten(str(error), MESSAGE_LIMIT),
        http_status=error.http_status,
        excerpt=shorten(error.excerpt, EXCERPT_LIMIT),
        retry_at=error.retry_at if isinstance(error, ThrottledError) else None,
        # An error of no class of its own may be one item's fault, so that it is looked for in smaller batches.
        batch_refused=kind is ResultKind.REJECTED or type(error) is SendError,
    )


async def result_of_call(step: Awaitable[Result]) -> Result:
    """What a step comes to: its result, or what its error means."""
    try:
        return await step
    except (SendError, IncompleteListError) as error:
        return result_from_error(error)


def admitted(response: httpx.Response, *, permission_hint: str = "", next_step: str = "") -> httpx.Response:
    """The answer, unless it refuses the call whatever it carries, so that no item is at fault.

    Args:
        response: The answer.
        rights: What a person can do about a 403.
        next_step: What a person can do about an address that is wrong: 404, 405, a redirect.

    Raises:
        BlockedError: It does.
    """
    if response.is_redirect or response.status_code in _WRONG_PLACE:
        raise error_from(response, next_step=next_step, permission_hint=permission_hint)
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


def _kind(status: int) -> ResultKind:
    if status == 401:
        return ResultKind.CREDENTIALS_BROKEN
    return ResultKind.TRY_LATER if status in _LATER or status >= 500 else ResultKind.REJECTED


def _is_anothers(response: httpx.Response, not_found_member: str) -> bool:
    """Tell that a 404 is not the LMS's own, but that of whatever stands before it."""
    if not_found_member:
        return not is_missing(response, not_found_member)
    return is_html(media_type_of(response), response.text)


def _reason(response: httpx.Response) -> str:
    status = response.status_code
    if status >= 500:
        return Reason.LMS_ERROR
    return _REASONS.get(status) or (Reason.REDIRECTED if response.is_redirect else http_reason(status))


def _words(response: httpx.Response) -> tuple[str, str]:
    """The words of an error, which stand anywhere in a success; and the beginning of the body."""
    words = error_text(read_json(response), deep=response.is_success)
    return _REDACTOR(words), _REDACTOR.excerpt(response, EXCERPT_LIMIT)

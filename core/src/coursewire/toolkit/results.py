"""The meaning of an answer or an error for the items that were sent: the rules that hold for every LMS.

A channel reads what its LMS says about each item, and uses these functions where the status is all that there is. The
body of an answer is read with :mod:`coursewire.toolkit.responses`.
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
from coursewire.http.redact import Redactor, shorten
from coursewire.http.statuses import StatusMeaning, Verdict, meaning_of
from coursewire.http.urls import path_template
from coursewire.http.waits import retry_after_s
from coursewire.model.payload import JsonObject, Operation, Result, ResultKind
from coursewire.model.reasons import Reason
from coursewire.toolkit.responses import error_text, is_missing, read_json, read_object

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from datetime import datetime

    import httpx

MESSAGE_LIMIT = 500
EXCERPT_LIMIT = 2000

_KIND_OF = {
    Verdict.REFUSED: ResultKind.REJECTED,
    Verdict.CREDENTIALS: ResultKind.CREDENTIALS_BROKEN,
    Verdict.PERSON: ResultKind.BLOCKED,
    Verdict.NOT_NOW: ResultKind.TRY_LATER,
}
_WRONG_PLACE = (403, 404, 405)
"""The statuses of answers to any call, whatever it carries, where rights or the address are wrong."""

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
    """Return the result for the one item that was sent, by the status of the answer and the text of an error in it.

    Args:
        response: The LMS's answer, whatever its status.
        now: The present instant, from which ``Retry-After`` counts: ``session.clock()``.
        acknowledged: True where this answer acknowledges the item, if it is a success. A status alone does not: errors,
            log-in pages and empty bodies come with 200 as well; see :func:`~coursewire.toolkit.responses.is_done`.
        refuses_with_2xx: True for an LMS that refuses items with a 2xx status and an error in the body. For any other LMS
            an error in a success may as well be a passing fault.
        safe_to_repeat: True where sending the same again does no harm. False makes a success that acknowledges nothing
            a result in doubt, and every other answer that may have followed the deed.
        batch_refused: True where the request carried several items and the answer does not tell them apart.
        permission_hint: Sentence that says how a person at the LMS gives the right that a 403 is about. With it a 403
            means that the item is blocked there, and not rejected.
        not_found_member: Name of a member that the LMS's own 404 has, such as ``"status"``. A 404 without it is the page of
            a proxy or of another site, which settles nothing. Without a name every 404 but a page of HTML is the LMS's.
        remote_id: The LMS's id of the item, which the result carries; None where it is not known.

    Returns:
        An accepted result for a 2xx that is acknowledged. A 2xx that is not: try later, ``no-acknowledgement``; or
        rejected, ``refused``, where the LMS refuses so and there is an error in the body. 401: credentials broken. 402
        and 451: blocked. A status with which the LMS refuses what was sent, such as 400, 404, 409 and 422: rejected. A
        page where the LMS would refuse in JSON, and a 404 that is not its own: try later, ``unreadable-answer``. Every
        other status, redirects, 5xx and those that proxies make up too: try later, because it says nothing about the
        item.

    Example:
        >>> import httpx
        >>> from datetime import UTC, datetime
        >>> now = datetime(2026, 3, 1, tzinfo=UTC)
        >>> saved = httpx.Response(201, json={"id": 17})
        >>> cw.result_from(saved, now=now, remote_id="17").kind.value
        'accepted'
        >>> refused = httpx.Response(422, json={"error": "title is blank"})
        >>> result = cw.result_from(refused, now=now)
        >>> result.kind.value, result.reason, result.message
        ('rejected', 'invalid', 'title is blank')
        >>> login_page = httpx.Response(200, text="<h1>Please log in</h1>")
        >>> cw.result_from(login_page, now=now, acknowledged=False).kind.value
        'try later'
    """
    status, reason = response.status_code, ""
    if response.is_success and acknowledged:
        return Result(ResultKind.ACCEPTED, remote_id=remote_id, http_status=status)
    words, excerpt = _words(response)
    if response.is_success:
        unsaid = ResultKind.TRY_LATER if safe_to_repeat else ResultKind.IN_DOUBT
        no = bool(words) and refuses_with_2xx
        kind, reason = (ResultKind.REJECTED, Reason.REFUSED) if no else (unsaid, Reason.NO_ACKNOWLEDGEMENT)
        words = words or f"The answer acknowledges nothing: {excerpt or 'it is empty'}"
    else:
        meaning = _meaning(response, not_found_member)
        kind, reason = _KIND_OF[meaning.verdict], meaning.reason
        if not safe_to_repeat and not meaning.not_done:
            kind = ResultKind.IN_DOUBT
        words = words or excerpt or f"HTTP {status} without a word"
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
    """Return the result for the one item that was sent, where the LMS answers with the item itself.

    Args:
        response: The LMS's answer to a request that may be sent again.
        operation: The operation of the payload; retiring an item that is not there counts as done.
        echo: Members that the answer's object must have, with their values, such as ``{"id": key}``.
        now: The present instant, from which ``Retry-After`` counts: ``session.clock()``.
        permission_hint: As for :func:`result_from`: how a person gives the right that a 403 is about.
        not_found_member: As for :func:`result_from`: a member that the LMS's own 404 has.
        remote_id: As for :func:`result_from`: the LMS's id of the item.

    Returns:
        Accepted when a 2xx echoes these members. Of a retirement: already so after the LMS's own 404 or 410; try later,
        ``unreadable-answer``, after anybody else's. For every other answer see :func:`result_from`.

    Example:
        >>> import httpx
        >>> from datetime import UTC, datetime
        >>> now = datetime(2026, 3, 1, tzinfo=UTC)
        >>> echoed = httpx.Response(200, json={"id": "KNOTS", "title": "Knots"})
        >>> cw.result_from_echo(echoed, cw.Operation.UPDATE, {"id": "KNOTS"}, now=now).kind.value
        'accepted'
        >>> another = httpx.Response(200, json={"id": "SAILS"})
        >>> cw.result_from_echo(another, cw.Operation.UPDATE, {"id": "KNOTS"}, now=now).reason
        'no-acknowledgement'
        >>> gone = httpx.Response(404, json={"error": "no such course"})
        >>> cw.result_from_echo(gone, cw.Operation.RETIRE, {"id": "KNOTS"}, now=now).kind.value
        'already so'
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
    """Return the JSON object that the LMS answers with when all is well, for ``check_connection`` and look-ups.

    Args:
        response: The LMS's answer, whatever its status.
        *fields: Names of members that the object must have, and not as null; errors come with 200 as well.
        next_step: Sentence that says what a person should check when the answer is another one.
        permission_hint: Sentence that says how a person at the LMS gives the right, after a 403 and for hidden fields.
        may_hide: True for an LMS that leaves out fields which the account has no right to see.

    Raises:
        BlockedError: The LMS hides one of the fields: the object has an ``id``, and ``may_hide`` is set.
        SendError: It is another answer; see :func:`error_from` for which error.

    Example:
        >>> import httpx
        >>> request = httpx.Request("GET", "https://lms.example.com/api/me")
        >>> cw.read_success(httpx.Response(200, json={"school": "Example"}, request=request), "school")
        {'school': 'Example'}
        >>> try:
        ...     cw.read_success(httpx.Response(200, text="<h1>Please log in</h1>", request=request), "school")
        ... except cw.SendError as error:
        ...     print(type(error).__name__)
        UnreachableError
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
    """Return the list of JSON objects in an answer, for look-ups that need one page.

    A list over several pages is read with :func:`~coursewire.toolkit.paging.rows_of`.

    Args:
        response: The LMS's answer, whatever its status.
        member: Name of the member that has the list, such as ``"courses"``.
        next_step: Sentence that says what a person should check when the answer is another one.
        permission_hint: Sentence that says how a person at the LMS gives the right, after a 403.

    Raises:
        SendError: It is another answer; see :func:`error_from` for which error.

    Example:
        >>> import httpx
        >>> request = httpx.Request("GET", "https://lms.example.com/api/courses")
        >>> cw.read_rows(httpx.Response(200, json={"courses": [{"id": 17}]}, request=request), "courses")
        [{'id': 17}]
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
    """Return the error for an answer without which nothing more can be done, whatever was asked for.

    Args:
        response: The LMS's answer, which is not the one that the channel needs.
        what: Noun phrase that says what was asked for, such as ``"the list of courses"``. Without it the message names
            method and path of the request.
        next_step: Sentence that says what a person should check.
        permission_hint: Sentence that says how a person at the LMS gives the right, after a 403; "" where ``next_step``
            says that as well.
        safe_to_repeat: True where asking again does no harm. False makes a success that cannot be read an error whose
            outcome is unknown.

    Returns:
        A BlockedError after 403, 404, 405 and redirects: a person must act at the LMS or mend the configuration. A
        CredentialsError after 401. A RejectedError after other 4xx. An UnreachableError after 408, 425, 429 and 5xx, and
        after a success whose body is something else: the next run tries again.

    Example:
        >>> import httpx
        >>> request = httpx.Request("GET", "https://lms.example.com/api/courses")
        >>> answer = httpx.Response(404, json={"error": "no such page"}, request=request)
        >>> error = cw.error_from(answer, "the list of courses", next_step="Check lms_url.")
        >>> type(error).__name__
        'BlockedError'
        >>> print(error)
        the list of courses was answered with status 404: no such page. Check lms_url.
    """
    status = response.status_code
    unsaid = ResultKind.TRY_LATER if safe_to_repeat else ResultKind.IN_DOUBT
    meaning = None if response.is_success else _meaning(response)
    kind = unsaid if meaning is None else _KIND_OF[meaning.verdict]
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
        reason="" if meaning is None or kind is ResultKind.BLOCKED else meaning.reason,
    )


def result_from_error(error: SendError | IncompleteListError) -> Result:
    """Return the result that an error means for each item which the failed request carried.

    Args:
        error: The error that a request raised, or the reading of a list on which items depend.

    Example:
        >>> result = cw.result_from_error(cw.UnreachableError("the LMS cannot be reached"))
        >>> result.kind.value, result.reason
        ('try later', 'unreachable')
    """
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


async def result_of_call(call: Awaitable[Result]) -> Result:
    """Return what a call returns; where it raises, return the result that its error means.

    Args:
        call: The awaitable of a function that sends one item, and returns its result.

    Example:
        One item whose request fails does not stop the others::

            results = [await cw.result_of_call(send_one(session, payload)) for payload in batch.payloads]
    """
    try:
        return await call
    except (SendError, IncompleteListError) as error:
        return result_from_error(error)


def admitted(response: httpx.Response, *, permission_hint: str = "", next_step: str = "") -> httpx.Response:
    """Return the answer, unless it refuses the call whatever the call carries, so that no item is at fault.

    Args:
        response: The LMS's answer, whatever its status.
        permission_hint: Sentence that says how a person at the LMS gives the right, after a 403.
        next_step: Sentence that says what to do about a wrong address, after 404, 405 and redirects.

    Raises:
        BlockedError: The answer is a 403, 404, 405 or a redirect: the configuration stops, and no item is marked.

    Example:
        A wrong address is no fault of the items in the batch::

            response = cw.admitted(await session.post("/imports", json=body), next_step="Check import_path.")
            results = [cw.result_from(response, now=session.clock())] * len(batch)
    """
    if response.is_redirect or response.status_code in _WRONG_PLACE:
        raise error_from(response, next_step=next_step, permission_hint=permission_hint)
    return response


def redacted(result: Result, redactor: Redactor) -> Result:
    """Return a result as it may be stored: without secrets, with bounded texts.

    Args:
        result: The result as the channel gave it.
        redactor: The redactor that knows the secrets of the configuration.
    """
    if not result.message and not result.excerpt:
        return result
    return replace(
        result,
        message=shorten(redactor(result.message), MESSAGE_LIMIT),
        excerpt=shorten(redactor(result.excerpt), EXCERPT_LIMIT),
    )


def _meaning(response: httpx.Response, not_found_member: str = "") -> StatusMeaning:
    """Return what an answer that is not a success means; a 404 without the LMS's own member is somebody else's."""
    anothers = bool(not_found_member) and not is_missing(response, not_found_member)
    if response.status_code in (404, 410) and anothers:
        return StatusMeaning(Verdict.NOT_NOW, Reason.UNREADABLE_ANSWER)
    return meaning_of(response)


def _words(response: httpx.Response) -> tuple[str, str]:
    """Return the words of an error, which stand anywhere in a success; and the beginning of the body."""
    words = error_text(read_json(response), deep=response.is_success)
    return _REDACTOR(words), _REDACTOR.excerpt(response, EXCERPT_LIMIT)

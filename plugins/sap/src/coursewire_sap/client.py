"""Speaking to SAP: the course import of the Open Content Network, and the search for users."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx

import coursewire as cw
from coursewire_sap.config import SEARCH, config_of

PERMISSIONS = "Give the service user the permissions for the Open Content Network."
ADDRESS = "Check sapsf_base_url and the API paths of the configuration."
EXCERPT = 500
"""The most characters that are kept of what SAP says about one course."""

PAGE = 500
"""Users a page, as SAP recommends; 1000 is its limit."""
MOST_LEARNERS = 2_000_000
"""A list of users that is longer counts as one without end."""


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Import one batch of courses, whatever their operations: SAP has one upsert for all.

    SAP takes a batch whole or refuses it whole. A course is accepted when the answer echoes its id. A
    refusal that names courses is theirs, and the others try later; one that names none is the batch's.

    Args:
        session: Speaks HTTP to SAP, as the service user.
        batch: 1 to 1000 courses.

    Returns:
        One result per course, in the order of the batch.

    Raises:
        BlockedError: SAP refuses the call whatever it carries: permission or address is wrong.
    """
    config = config_of(session)
    response = await session.post(
        config.course_api_path,
        json={"ocnCourses": [dict(payload.body) for payload in batch.payloads]},
        safe_to_repeat=True,
        bucket=config.import_bucket,
    )
    keys = [payload.remote_key for payload in batch.payloads]
    body = cw.read_json(admitted(response))
    if response.is_success and not cw.error_text(body):
        rows = {str(row["courseID"]): row for row in _course_rows(body)}
        return [_result_from_row(rows.get(key), response.status_code) for key in keys]
    # A success with an error inside is a refusal, and nothing of it is known but its words.
    refusal = cw.result_from(
        response, now=session.clock(), acknowledged=False, refuses_with_2xx=True, batch_refused=True
    )
    return _results_from_refusal(keys, body, refusal)


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Ask for a token and for one learner.

    Raises:
        BlockedError: The service user may not use the Learning API, or it is not at this address.
        UnreachableError: What answered is not SAP's Learning API.
    """
    config = config_of(session)
    response = await session.get(
        config.search_student_api_path, params={"$select": "studentID", "$top": "1"}, bucket=SEARCH
    )
    cw.read_rows(
        response,
        "value",
        next_step="Check sapsf_base_url and search_student_api_path.",
        permission_hint=PERMISSIONS,
    )
    return [
        f"{config.token_url} gave a token for the user {config.sapsf_user_id}.",
        "The Learning API answers, and the user may read it.",
    ]


@cw.hookimpl
async def list_inactive_learners(session: cw.Session) -> AsyncIterator[str]:
    """List the ids of SAP's inactive users, page after page, as slowly as SAP wants.

    Raises:
        IncompleteListError: A page was refused, cannot be read, or brought nothing new though users are missing.
        SendError: A page got no answer, or SAP refuses the call whatever it carries.
    """
    seen: set[str] = set()
    skip = 0
    while skip < MOST_LEARNERS:
        response = await session.get(
            config_of(session).search_student_api_path,
            params={
                "$filter": "criteria/isActive eq False",
                "$select": "studentID",
                "$count": "true",
                "$top": PAGE,
                "$skip": skip,
            },
            bucket=SEARCH,
        )
        page, total = _students_of(admitted(response), skip)
        new = [student for student in dict.fromkeys(page) if student not in seen]
        seen.update(new)
        for student in new:
            yield student
        if len(seen) >= total:
            return
        if not new:
            raise _incomplete(skip, f"of {total} users only {len(seen)} came")
        skip += len(page)
    raise _incomplete(MOST_LEARNERS, "it does not end")


def admitted(response: httpx.Response) -> httpx.Response:
    """Return the answer, unless SAP refuses the call whatever it carries.

    Raises:
        BlockedError: It does, with SAP's words and the next step.
    """
    return cw.admitted(response, permission_hint=f"{PERMISSIONS} {ADDRESS}", next_step=ADDRESS)


# -- courses -----------------------------------------------------------------------------------------


def _course_rows(body: Any) -> Iterator[cw.JsonObject]:
    """Yield every object in an answer that carries a ``courseID``, at any depth; none stands inside another."""
    if isinstance(body, dict):
        if body.get("courseID") is not None:
            yield body
            return
        body = list(body.values())
    if isinstance(body, list):
        for value in body:
            yield from _course_rows(value)


def _result_from_row(row: cw.JsonObject | None, status: int) -> cw.Result:
    """Return one course's result from its own part of a success."""
    if row is None:
        return cw.Result(
            cw.ResultKind.TRY_LATER,
            reason="no-acknowledgement",
            message="SAP's answer does not name this course",
            http_status=status,
        )
    if words := cw.error_text(row):
        excerpt = json.dumps(row, ensure_ascii=False)[:EXCERPT]
        return cw.Result(
            cw.ResultKind.REJECTED, reason="refused", message=words, http_status=status, excerpt=excerpt
        )
    # An acknowledgement is the course as it was sent, and the record holds that already.
    return cw.Result(cw.ResultKind.ACCEPTED, http_status=status)


def _results_from_refusal(keys: Sequence[str], body: Any, refusal: cw.Result) -> list[cw.Result]:
    """Return each course's result from a refusal, of the courses that it names or of the whole batch.

    Args:
        keys: The ids of the courses that were sent, in their order.
        body: The answer as plain data.
        refusal: The result of the whole batch.
    """
    text = cw.error_text(body)
    named = dict.fromkeys(_keys_in(text, keys), text)
    for row in _course_rows(body):
        named[str(row["courseID"])] = cw.error_text(row) or str(row.get("message") or text)
    if named.keys().isdisjoint(keys):
        return [refusal] * len(keys)
    others = cw.Result(
        cw.ResultKind.TRY_LATER,
        reason="batch-refused",
        message="SAP refused the batch because of another course",
        http_status=refusal.http_status,
        batch_refused=True,
    )
    guilty = replace(
        refusal, kind=cw.ResultKind.REJECTED, reason="refused", batch_refused=False, retry_at=None
    )
    return [replace(guilty, message=named[key]) if key in named else others for key in keys]


def _keys_in(text: str, keys: Sequence[str]) -> set[str]:
    """Return the course ids that a text names. The longest are tried first, as one may begin another."""
    pattern = "|".join(map(re.escape, sorted(keys, key=len, reverse=True)))
    return set(re.findall(rf"(?<![\w+])(?:{pattern})(?![\w+])", text))


# -- users -------------------------------------------------------------------------------------------


def _students_of(response: httpx.Response, skip: int) -> tuple[list[str], int]:
    """Return the ids on one page of users, and how many users the whole list has.

    Raises:
        IncompleteListError: The answer is not a page of users.
    """
    body = cw.read_object(response)
    try:
        if not response.is_success or cw.error_text(body):
            raise ValueError
        return [str(row["studentID"]) for row in body["value"]], int(body["@odata.count"])
    except (TypeError, KeyError, ValueError):
        words = cw.error_text(body) or "the answer is not a page of users"
        raise _incomplete(skip, f"status {response.status_code}, {words}") from None


def _incomplete(skip: int, why: str) -> cw.IncompleteListError:
    return cw.IncompleteListError(
        f"SAP's list of inactive users could not be read beyond number {skip}",
        why=why,
        next_step="Nothing was changed. Run the command again.",
    )

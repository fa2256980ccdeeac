"""Speaking to SAP: the course import of the Open Content Network, and reading what it answers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from coursewire.errors import BlockedError, UnreachableError
from coursewire.hooks import hookimpl
from coursewire.model.payload import Result, ResultKind
from coursewire.toolkit.responses import error_text, read_json
from coursewire.toolkit.results import result_from
from coursewire_sap.config import SEARCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import httpx

    from coursewire.model.payload import Batch
    from coursewire.model.session import Session
    from coursewire_sap.config import SapConfig

_REFUSED_WHATEVER_IT_CARRIES = frozenset({403, 404, 405})
EXCERPT = 500


@hookimpl
async def send_content(session: Session, batch: Batch) -> list[Result]:
    """Import one batch of courses, whatever their operations: SAP has one upsert for all.

    SAP takes a batch whole or refuses it whole. A course is accepted when the answer echoes its id. A
    refusal that names courses is theirs, and the others try later; one that names none is the batch's.

    Args:
        session: Authenticated session.
        batch: 1 to 1000 courses.

    Returns:
        One result per course, in the order of the batch.

    Raises:
        BlockedError: SAP refuses the call whatever it carries: permission or address is wrong.
    """
    config = sap_config(session)
    response = await session.post(
        config.course_api_path,
        json={"ocnCourses": [dict(payload.body) for payload in batch.payloads]},
        safe_to_repeat=True,
        bucket=config.import_bucket,
    )
    raise_if_blocked(response)
    body = read_json(response)
    keys = [payload.remote_key for payload in batch.payloads]
    if response.is_success and not error_text(body):
        rows = {str(row["courseID"]): row for row in _course_rows(body)}
        return [_read_row(rows.get(key), response.status_code) for key in keys]
    # A success with an error inside is a refusal, and nothing of it is known but its words.
    refusal = result_from(response, now=session.clock(), batch_refused=True)
    if response.is_success:
        refusal = replace(refusal, kind=ResultKind.REJECTED, reason="refused", batch_refused=True)
    return _read_refusal(keys, body, refusal)


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """Ask for a token and for one learner.

    Raises:
        BlockedError: The service user may not use the Learning API, or it is not at this address.
        UnreachableError: What answered is not SAP's Learning API.
    """
    config = sap_config(session)
    response = await session.get(
        config.search_student_api_path, params={"$select": "studentID", "$top": "1"}, bucket=SEARCH
    )
    raise_if_blocked(response)
    body = read_json(response)
    if not response.is_success or not isinstance(body, dict) or not isinstance(body.get("value"), list):
        raise UnreachableError(
            "the search for one learner did not get the answer it should",
            where=f"SAP, status {response.status_code}",
            why=error_text(body) or "the answer is not one of SAP's Learning API",
            next_step="Check sapsf_base_url and search_student_api_path.",
            http_status=response.status_code,
            excerpt=response.text[:EXCERPT],
        )
    return [
        f"{config.token_url} gave a token for the user {config.sapsf_user_id}.",
        "The Learning API answers, and the user may read it.",
    ]


def sap_config(session: Session) -> SapConfig:
    """The configuration that a session was opened for."""
    return cast("SapConfig", session.config)


def raise_if_blocked(response: httpx.Response) -> None:
    """Raise where SAP refuses the call whatever it carries.

    Raises:
        BlockedError: With SAP's words and what to do there.
    """
    if response.status_code not in _REFUSED_WHATEVER_IT_CARRIES and not response.is_redirect:
        return
    raise BlockedError(
        "SAP refuses the call, whatever it carries",
        where=f"{response.request.url.path}, status {response.status_code}",
        why=error_text(read_json(response)),
        next_step=(
            "Give the service user the permissions for the Open Content Network, and check sapsf_base_url and "
            "the API paths of the configuration."
        ),
        http_status=response.status_code,
        excerpt=response.text[:EXCERPT],
    )


def _course_rows(body: Any) -> Iterator[dict[str, Any]]:
    """Every object in an answer that carries a ``courseID``, wherever it stands; none stands inside another."""
    if isinstance(body, dict):
        if body.get("courseID") is not None:
            yield body
            return
        body = list(body.values())
    if isinstance(body, list):
        for value in body:
            yield from _course_rows(value)


def _read_row(row: dict[str, Any] | None, status: int) -> Result:
    """One course's result from its own part of a success."""
    if row is None:
        return Result(
            ResultKind.TRY_LATER,
            reason="no-acknowledgement",
            message="SAP's answer does not name this course",
            http_status=status,
        )
    if refusal := error_text(row):
        excerpt = json.dumps(row, ensure_ascii=False)[:EXCERPT]
        return Result(ResultKind.REJECTED, "refused", refusal, http_status=status, excerpt=excerpt)
    # An acknowledgement is the course as it was sent, and the record holds that already.
    return Result(ResultKind.ACCEPTED, http_status=status)


def _read_refusal(keys: Sequence[str], body: Any, refusal: Result) -> list[Result]:
    """Each course's result from a refusal, of the courses that it names or of the batch."""
    text = error_text(body)
    named = dict.fromkeys(_keys_in(text, keys), text)
    for row in _course_rows(body):
        named[str(row["courseID"])] = error_text(row) or str(row.get("message") or text)
    if named.keys().isdisjoint(keys):
        return [replace(refusal, message=text or refusal.message)] * len(keys)
    others = Result(
        ResultKind.TRY_LATER,
        reason="batch-refused",
        message="SAP refused the batch because of another course",
        http_status=refusal.http_status,
        batch_refused=True,
    )
    guilty = replace(refusal, kind=ResultKind.REJECTED, reason="refused", batch_refused=False, retry_at=None)
    return [replace(guilty, message=named[key]) if key in named else others for key in keys]


def _keys_in(text: str, keys: Sequence[str]) -> set[str]:
    """The course ids that a text names. The longest first, as one may be the beginning of another."""
    pattern = "|".join(map(re.escape, sorted(keys, key=len, reverse=True)))
    return set(re.findall(rf"(?<![\w+])(?:{pattern})(?![\w+])", text))

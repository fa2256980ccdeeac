"""Completions: what SAP is told of them, as whom, and what its answers mean."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from coursewire.errors import CredentialsError, NotExportableError, SendError
from coursewire.hooks import hookimpl
from coursewire.http.redact import shorten
from coursewire.model.payload import Result, ResultKind
from coursewire.toolkit.responses import error_text, read_json
from coursewire.toolkit.results import result_from
from coursewire_sap.client import EXCERPT, raise_if_blocked, sap_config
from coursewire_sap.content import epoch_ms

if TYPE_CHECKING:
    import httpx

    from coursewire.model.outcomes import Completion
    from coursewire.model.payload import Batch, JsonObject, Payload
    from coursewire.model.session import Session
    from coursewire_sap.config import SapConfig

GENERIC_PATH = "learning/odatav4/public/admin/learningevent-service/v1/OCNLearningEvents"
"""Where the service user reports completions."""

INACTIVE = "user account is inactive"
"""SAP's words about a learner who has left; the only sign of it that it gives."""

_ABSENT = re.compile(
    r"(?:not|never) (?:been )?(?:found|known|imported|registered)|not exist|unknown|no such", re.I
)


@hookimpl
def export_completion(config: SapConfig, completion: Completion) -> JsonObject:
    """Build the learning event of one completion.

    Raises:
        NotExportableError: The learner's SAP id or the instant of completion is missing; SAP demands both.
    """
    if completion.remote_id is None:
        raise _missing("remote_id", "Link the learner: `coursewire learners link`.")
    if completion.completed_at is None:
        raise _missing("completed_at", "It goes out once the learner has completed the course.")
    hours = completion.total_hours if config.transmit_total_hours else 0.0
    return {
        "completedTimestamp": epoch_ms(completion.completed_at),
        # The endpoint for the learner takes text, the one for the service user a boolean.
        "courseCompleted": completion.complete
        if config.prevent_self_submit_grades
        else str(completion.complete).lower(),
        "courseID": completion.course_key,
        "creditHours": hours,
        "grade": completion.verdict.value,
        "providerID": config.provider_id,
        "totalHours": hours,
        "userID": completion.remote_id,
    }


def _missing(field: str, next_step: str) -> NotExportableError:
    return NotExportableError(field, "SAP takes no completion without it", next_step=next_step)


@hookimpl
async def send_outcomes(session: Session, batch: Batch) -> list[Result]:
    """Report one completion, as the learner or as the service user.

    Args:
        session: Authenticated session.
        batch: One completion; SAP has no call for several.

    Returns:
        Its result. A refusal that says that something is not at SAP, or that the learner's account is
        inactive, is for a person there, and is tried again once a day.

    Raises:
        BlockedError: SAP refuses the call whatever it carries.
        CredentialsError: SAP gives the service user no token either.
        OutcomeUnknownError: No answer came; SAP may have recorded it, and a second one would stand beside it.
    """
    return [await _report(session, payload) for payload in batch.payloads]


async def _report(session: Session, payload: Payload) -> Result:
    from coursewire_sap.auth import sap_auth  # noqa: PLC0415 - its libraries take 0.3 s

    config, body = sap_config(session), dict(payload.body)
    path, auth = GENERIC_PATH, None
    if not config.prevent_self_submit_grades:
        path = config.completion_status_api_path
        auth = sap_auth(config, session.tokens, str(body["userID"]))
    try:
        response = await session.post(path, json=body, bucket=config.completion_bucket, auth=auth)
    except SendError as error:
        if auth is not None and INACTIVE in error.excerpt.lower():
            return _inactive(error.http_status, error.excerpt)
        if auth is None or not isinstance(error, CredentialsError):
            raise
        # One learner's refusal must not stop the others, and wrong credentials must not pass for it.
        await session.tokens.send(sap_auth(config, session.tokens).token_request(None))
        return Result(
            ResultKind.BLOCKED,
            reason="learner-refused-at-lms",
            message=f"SAP gives a token to the service user, but none for this learner: {error.excerpt or error}",
            http_status=error.http_status,
            excerpt=error.excerpt,
        )
    return _read_answer(response, session)


def _read_answer(response: httpx.Response, session: Session) -> Result:
    body = read_json(response)
    status, excerpt = response.status_code, shorten(response.text, EXCERPT)
    refusal = error_text(body, deep=True)
    if response.is_success and not refusal:
        # Without a body only the status speaks; 200 alone is what a proxy says as well.
        if body is None and (response.content.strip() or status not in (201, 204)):
            message = "SAP's answer is no acknowledgement; look there whether the completion was recorded"
            return Result(
                ResultKind.IN_DOUBT, "no-acknowledgement", message, http_status=status, excerpt=excerpt
            )
        return Result(ResultKind.ACCEPTED, http_status=status)
    words = refusal or excerpt
    if INACTIVE in words.lower():
        return _inactive(status, excerpt)
    raise_if_blocked(response)
    result = result_from(response, now=session.clock())
    if (
        response.is_success
    ):  # learning events are recorded as far as possible, and the answer says what was not
        result = replace(result, kind=ResultKind.REJECTED, reason="refused", excerpt=excerpt)
    if result.kind is ResultKind.REJECTED and _ABSENT.search(words):
        result = replace(result, kind=ResultKind.BLOCKED, reason="not-found-at-lms")
    return replace(result, message=refusal or result.message)


def _inactive(status: int | None, excerpt: str) -> Result:
    return Result(
        ResultKind.BLOCKED,
        reason="learner-inactive-at-lms",
        message=f"the learner's account at SAP is inactive; `coursewire sap inactive-learners` lists all: {excerpt}",
        http_status=status,
        excerpt=excerpt,
    )

"""Completions: what SAP is told of them, as whom, and what its answers mean."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx

import coursewire as cw
from coursewire_sap.auth import sap_auth
from coursewire_sap.client import admitted
from coursewire_sap.config import SapConfig, config_of
from coursewire_sap.content import epoch_ms

GENERIC_PATH = "learning/odatav4/public/admin/learningevent-service/v1/OCNLearningEvents"
"""Path at which the service user reports completions."""

INACTIVE = "user account is inactive"
"""SAP's words about a learner who has left; the only sign of it that it gives."""

_ABSENT = re.compile(
    r"(?:not|never) (?:been )?(?:found|known|imported|registered)|not exist|unknown|no such", re.I
)
"""SAP's words about a user, course or provider that it does not have."""


@cw.hookimpl
def export_completion(config: SapConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build the learning event of one completion.

    Raises:
        NotExportableError: The learner's SAP id or the instant of completion is missing; SAP demands both.
    """
    learner = cw.learner_of(completion)
    if completion.completed_at is None:
        raise cw.NotExportableError(
            "completed_at",
            "SAP takes no completion without it",
            next_step="It goes out once the learner has completed the course.",
        )
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
        "userID": learner,
    }


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Report one completion, as the learner or as the service user.

    Args:
        session: Speaks HTTP to SAP, as the service user.
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


async def _report(session: cw.Session, payload: cw.Payload) -> cw.Result:
    config, body = config_of(session), dict(payload.body)
    as_service_user = config.prevent_self_submit_grades
    try:
        if as_service_user:
            response = await session.post(GENERIC_PATH, json=body, bucket=config.completion_bucket)
            return _result_from(session, response)
        response = await session.post(
            config.completion_status_api_path,
            json=body,
            bucket=config.completion_bucket,
            auth=sap_auth(config, session.tokens, str(body["userID"])),
        )
    except cw.SendError as error:
        if as_service_user and isinstance(error, cw.CredentialsError):
            raise
        if INACTIVE in error.excerpt.lower():
            return _inactive(error.http_status, error.excerpt)
        if not isinstance(error, cw.CredentialsError):
            raise
        return await _no_token_for_learner(session, error)
    return _result_from(session, response)


async def _no_token_for_learner(session: cw.Session, error: cw.CredentialsError) -> cw.Result:
    """Return the result of a completion whose learner gets no token, while the service user does.

    One learner's refusal must not stop the others, and wrong credentials must not pass for it.

    Raises:
        CredentialsError: The service user gets none either.
    """
    await session.tokens.send(sap_auth(config_of(session), session.tokens).token_request(None))
    return cw.Result(
        cw.ResultKind.BLOCKED,
        reason="learner-refused-at-lms",
        message=f"SAP gives a token to the service user, but none for this learner: {error.excerpt or error}",
        http_status=error.http_status,
        excerpt=error.excerpt,
    )


def _result_from(session: cw.Session, response: httpx.Response) -> cw.Result:
    """Return what an answer means for the completion that was sent.

    Learning events are recorded as far as possible, so that a success may say what was not.

    Raises:
        BlockedError: SAP refuses the call whatever it carries.
    """
    result = cw.result_from(
        response,
        now=session.clock(),
        acknowledged=cw.is_done(response),
        refuses_with_2xx=True,
        safe_to_repeat=False,
    )
    if result.kind in (cw.ResultKind.ACCEPTED, cw.ResultKind.IN_DOUBT):
        return result
    if INACTIVE in result.message.lower():
        return _inactive(response.status_code, result.excerpt)
    admitted(response)
    if result.kind is cw.ResultKind.REJECTED and _ABSENT.search(result.message):
        return replace(result, kind=cw.ResultKind.BLOCKED, reason="not-found-at-lms")
    return result


def _inactive(status: int | None, excerpt: str) -> cw.Result:
    return cw.Result(
        cw.ResultKind.BLOCKED,
        reason="learner-inactive-at-lms",
        message=f"the learner's account at SAP is inactive; `coursewire learners inactive` lists all: {excerpt}",
        http_status=status,
        excerpt=excerpt,
    )

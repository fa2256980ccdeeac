"""Completions of Degreed's API v2: created, corrected by their id, and taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from coursewire.client.words import error_text, is_done, is_missing, read_json
from coursewire.hookspecs import hookimpl
from coursewire.model.configuration import LearnerId
from coursewire.model.payload import Batch, Payload, Result, ResultKind
from coursewire_degreed.answers import refused
from coursewire_degreed.fields import completed_at
from coursewire_degreed.v2.answers import read_data

if TYPE_CHECKING:
    import httpx

    from coursewire.model.outcomes import Completion
    from coursewire.model.payload import JsonObject
    from coursewire.model.session import Session
    from coursewire_degreed.v2.config import Degreed2Config

COMPLETIONS = "/api/v2/completions"
TYPE = "completions"
_IDENTIFIER_TYPES = {LearnerId.EMAIL: "Email", LearnerId.EMPLOYEE_ID: "EmployeeId"}
UNKNOWN_LEARNER = "invalid user identifier"
"""Degreed's words in a 400 about a learner whom it does not know; the only sign of it that it gives."""


@hookimpl
def export_completion(config: Degreed2Config, completion: Completion) -> JsonObject:
    """Build what Degreed is told of a completion; one that was taken back has no ``completed-at``."""
    percent = completion.percent
    attributes = {
        # Without a zone, as Degreed has it; it reads UTC.
        "completed-at": completed_at(completion, "%Y-%m-%dT%H:%M:%S"),
        "content-id": completion.course_key,
        "content-id-type": "externalId",
        "content-type": "course",
        "percentile": None if percent is None else float(percent * 100),
        "user-id": completion.remote_id,
        "user-identifier-type": _IDENTIFIER_TYPES[config.learner_id],
    }
    return {"data": {"attributes": attributes}}


@hookimpl
async def send_outcomes(session: Session, batch: Batch) -> list[Result]:
    """Create completions, correct those that Degreed has from us, or take them back."""
    return [await _send(session, payload) for payload in batch.payloads]


async def _send(session: Session, payload: Payload) -> Result:
    known = payload.remote_id
    if payload.body["data"]["attributes"]["completed-at"] is None:
        return await _take_back(session, known)
    if known is not None:
        data = {**payload.body["data"], "type": TYPE, "id": known}
        response = await session.request("PATCH", _path(known), json={"data": data}, safe_to_repeat=True)
        if not is_missing(response):
            return _read(session, response, known)
    # Degreed has no key for repeated completions: what got no answer is not sent again unseen.
    return _read(session, await session.post(COMPLETIONS, json=dict(payload.body)), None)


async def _take_back(session: Session, known: str | None) -> Result:
    if known is None:
        message = "The id of the completion at Degreed is not known. Delete it there by hand."
        return Result(ResultKind.BLOCKED, "completion-id-unknown", message)
    response = await session.delete(_path(known))
    if is_missing(response):
        return Result(ResultKind.ALREADY_SO, "already-gone", http_status=response.status_code)
    if is_done(response):
        return Result(ResultKind.ACCEPTED, http_status=response.status_code)
    return refused(session, response)


def _read(session: Session, response: httpx.Response, known: str | None) -> Result:
    status = response.status_code
    completion_id = known if status == 204 else read_data(response).get("id")
    if response.is_success and completion_id:
        return Result(ResultKind.ACCEPTED, remote_id=str(completion_id), http_status=status)
    result = refused(session, response, safe_to_repeat=known is not None)
    words = error_text(read_json(response))
    if status == 400 and UNKNOWN_LEARNER in words.lower():
        return replace(result, kind=ResultKind.BLOCKED, reason="learner-unmatched")
    if is_missing(response):
        return replace(result, kind=ResultKind.BLOCKED, reason="course-not-at-lms")
    return result


def _path(completion_id: str) -> str:
    return f"{COMPLETIONS}/{quote(completion_id, safe='')}"

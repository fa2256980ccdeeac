"""Completions of Degreed's API v2: created, corrected by their id, and taken back."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from urllib.parse import quote

from coursewire.client.answers import error_text, read_json
from coursewire.errors import NotExportableError
from coursewire.model.payload import Payload, Result, ResultKind
from coursewire_degreed.answers import acknowledges, is_missing, refused
from coursewire_degreed.v2.answers import read_data

if TYPE_CHECKING:
    import httpx

    from coursewire.model.outcomes import Completion
    from coursewire.model.payload import JsonObject
    from coursewire.model.session import Session
    from coursewire_degreed.v2.config import Degreed2Config

COMPLETIONS = "/api/v2/completions"
TYPE = "completions"
UNKNOWN_LEARNER = "invalid user identifier"
"""Degreed's words in a 400 about a learner whom it does not know; the only sign of it that it gives."""


def completion_payload(config: Degreed2Config, completion: Completion) -> JsonObject:
    """Build what Degreed is told of a completion; one that was taken back has no ``completed-at``.

    Raises:
        NotExportableError: The learner's id, or the instant of completion, is unknown.
    """
    if not completion.remote_id:
        raise NotExportableError(
            "remote_id",
            "it is not known whom Degreed means by this learner",
            next_step="Link the learner: `coursewire learners link`.",
        )
    if completion.complete and completion.completed_at is None:
        raise NotExportableError("completed_at", "Degreed takes no completion without it")
    at = completion.completed_at if completion.complete else None
    percent = completion.percent
    attributes = {
        "user-id": completion.remote_id,
        "user-identifier-type": config.identifier_type,
        "content-id": completion.course_key,
        "content-id-type": "externalId",
        "content-type": "course",
        # Without a zone, as Degreed has it; it reads UTC.
        "completed-at": None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        "percentile": None if percent is None else float(percent * 100),
    }
    return {"data": {"attributes": attributes}}


async def send_completion(session: Session, payload: Payload) -> Result:
    """Create a completion, correct the one that Degreed has from us, or take it back."""
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
    if acknowledges(response):
        return Result(ResultKind.ACCEPTED, http_status=response.status_code)
    return refused(session, response)


def _read(session: Session, response: httpx.Response, known: str | None) -> Result:
    status, data = response.status_code, read_data(response)
    if response.is_success and (data.get("id") or (known is not None and status == 204)):
        return Result(ResultKind.ACCEPTED, remote_id=str(data.get("id") or known), http_status=status)
    result = refused(session, response)
    words = error_text(read_json(response))
    if response.is_success and known is None and result.kind is ResultKind.TRY_LATER:
        message = "Degreed's answer is no acknowledgement; look there whether the completion was recorded."
        return Result(ResultKind.IN_DOUBT, "no-acknowledgement", message, None, status, result.excerpt)
    if status == 400 and UNKNOWN_LEARNER in words.lower():
        message = f"Degreed does not know this learner: {words}"
        return Result(ResultKind.BLOCKED, "learner-unmatched", message, None, status, result.excerpt)
    if is_missing(response):
        message = f"Degreed does not find the course: {words or 'not found'}"
        return Result(ResultKind.BLOCKED, "course-not-at-lms", message, None, status, result.excerpt)
    return result


def _path(completion_id: str) -> str:
    return f"{COMPLETIONS}/{quote(completion_id, safe='')}"

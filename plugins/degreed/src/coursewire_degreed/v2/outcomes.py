"""Completions of Degreed's API v2: created, corrected by their id, and taken back."""

from __future__ import annotations

from dataclasses import replace

import httpx

import coursewire as cw
from coursewire_degreed.fields import completed_at
from coursewire_degreed.responses import result_from
from coursewire_degreed.v2.client import read_data
from coursewire_degreed.v2.config import Degreed2Config

COMPLETIONS = "/api/v2/completions"
TYPE = "completions"
_IDENTIFIER_TYPES = {cw.LearnerId.EMAIL: "Email", cw.LearnerId.EMPLOYEE_ID: "EmployeeId"}
UNKNOWN_LEARNER = "invalid user identifier"
"""Degreed's words in a 400 about a learner whom it does not know; the only sign of it that it gives."""


@cw.hookimpl
def export_completion(config: Degreed2Config, completion: cw.Completion) -> cw.JsonObject:
    """Build the payload of one completion; that of one that was taken back has no ``completed-at``.

    Raises:
        NotExportableError: The learner's id at Degreed, or the instant of completion, is unknown.
    """
    percent = completion.percent
    attributes = {
        "user-id": cw.learner_of(completion),
        # Without a zone, as Degreed has it; it reads UTC.
        "completed-at": completed_at(completion, "%Y-%m-%dT%H:%M:%S"),
        "content-id": completion.course_key,
        "content-id-type": "externalId",
        "content-type": "course",
        "percentile": None if percent is None else float(percent * 100),
        "user-identifier-type": _IDENTIFIER_TYPES[config.learner_id],
    }
    return {"data": {"attributes": attributes}}


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Create completions, correct those that Degreed has from us, or take them back."""
    return [await _send(session, payload) for payload in batch.payloads]


async def _send(session: cw.Session, payload: cw.Payload) -> cw.Result:
    """Send one completion: taken back, corrected where its id is known and Degreed has it, else created."""
    known = payload.remote_id
    if payload.body["data"]["attributes"]["completed-at"] is None:
        return await _take_back(session, known)
    if known is not None:
        data = {**payload.body["data"], "type": TYPE, "id": known}
        response = await session.patch(
            COMPLETIONS + cw.quoted_path(known), json={"data": data}, safe_to_repeat=True
        )
        if not cw.is_missing(response):
            return _read(session, response, known)
    # Degreed has no key for repeated completions: what got no answer is not sent again unseen.
    return _read(session, await session.post(COMPLETIONS, json=dict(payload.body)), None)


async def _take_back(session: cw.Session, known: str | None) -> cw.Result:
    """Delete a completion that no longer counts."""
    if known is None:
        message = "The id of the completion at Degreed is not known. Delete it there by hand."
        return cw.Result(cw.ResultKind.BLOCKED, reason="completion-id-unknown", message=message)
    response = await session.delete(COMPLETIONS + cw.quoted_path(known))
    if cw.is_missing(response):
        return cw.Result(cw.ResultKind.ALREADY_SO, reason="already-gone", http_status=response.status_code)
    return result_from(session, response, acknowledged=cw.is_done(response))


def _read(session: cw.Session, response: httpx.Response, known: str | None) -> cw.Result:
    """Return what an answer means for the completion that was sent: only one with its id acknowledges it."""
    ours = read_data(response, known).get("id")
    id_there = str(ours) if ours else None
    result = result_from(
        session, response, acknowledged=bool(ours), safe_to_repeat=known is not None, remote_id=id_there
    )
    if response.status_code == 400 and UNKNOWN_LEARNER in result.message.lower():
        return replace(result, kind=cw.ResultKind.BLOCKED, reason="learner-unmatched")
    if cw.is_missing(response):
        return replace(result, kind=cw.ResultKind.BLOCKED, reason="course-not-at-lms")
    return result

"""Completions of Degreed's API v1: several in a request, and taken back with the same words."""

from __future__ import annotations

from collections.abc import Sequence

import coursewire as cw
from coursewire_degreed.fields import completed_at
from coursewire_degreed.v1.client import COMPLETION_SCOPE, scoped
from coursewire_degreed.v1.config import DegreedV1Config, config_of
from coursewire_degreed.v1.responses import read_batch, read_deletion

_LEARNER = {cw.LearnerId.EMAIL: "email", cw.LearnerId.EMPLOYEE_ID: "employeeId"}


@cw.hookimpl
def export_completion(config: DegreedV1Config, completion: cw.Completion) -> cw.JsonObject:
    """Build the completion as it stands in a batch; one that was taken back has no ``completionDate``."""
    learner = cw.learner_of(completion)
    body: cw.JsonObject = {_LEARNER[config.learner_id]: learner, "id": completion.course_key}
    day = completed_at(completion, "%Y-%m-%d")
    return body if day is None else {**body, "completionDate": day}


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Report up to 100 completions with one request, and take others back with another."""
    taken_back = [payload for payload in batch.payloads if "completionDate" not in payload.body]
    reported = [payload for payload in batch.payloads if "completionDate" in payload.body]
    results: dict[str, cw.Result] = {}
    for method, payloads in (("DELETE", taken_back), ("POST", reported)):
        if not payloads:
            continue
        try:
            answers = await _send(session, method, payloads)
        except cw.SendError as error:
            if len(payloads) == len(batch):
                raise
            answers = [cw.result_from_error(error)] * len(payloads)  # the other request has its own answer
        results.update(zip((payload.key for payload in payloads), answers, strict=True))
    return [results[payload.key] for payload in batch.payloads]


async def _send(session: cw.Session, method: str, payloads: Sequence[cw.Payload]) -> list[cw.Result]:
    config, items = config_of(session), [dict(payload.body) for payload in payloads]
    response = await session.request(
        method,
        config.completion_status_api_path,
        json={"completions": items, "orgCode": config.degreed_company_id},
        auth=scoped(config, session.tokens, COMPLETION_SCOPE),
    )
    if method == "DELETE":
        return read_deletion(session, response, items, _name)
    # Degreed has no key for repeated completions: what it may have recorded is not sent again unseen.
    return read_batch(session, response, items, _name, safe_to_repeat=False)


def _name(completion: cw.JsonObject) -> str:
    """Return the name by which a completion is known; a course's id alone would be several learners'."""
    return f"{completion.get('email') or completion.get('employeeId')} {completion.get('id')}"

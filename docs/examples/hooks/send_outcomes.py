"""In a run over completions, assessments or enrollments, once for each batch, under the same rules as `send_content`. Consent is asked
for again right before. A payload's `remote_key` is the learner's id at the LMS.

A learner whom the LMS does not know is nobody's mistake in the payload: answer `BLOCKED`, so that the outcome rests until
somebody acts, and is not sent every few minutes. Results before and after are told by their keys, not by their places in the answer."""

import coursewire as cw


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """One request after the other, each under a key of ours: sending it again overwrites it."""
    results = []
    for payload in batch.payloads:
        path = cw.quoted_path("api", "results", payload.key)
        response = await session.put(path, json=payload.body)
        if cw.is_missing(response):  # not the page of a proxy, which has that status, too
            results.append(cw.Result(cw.ResultKind.BLOCKED, "learner-unmatched", http_status=404))
        else:
            results.append(
                cw.result_from_echo(response, payload.operation, {"id": payload.key}, now=session.clock())
            )
    return results

"""Sends learners' results again when no answer came, to an LMS that adds up what it gets."""

from harbor import *


@cw.hookimpl
async def send_outcomes(session, batch):
    rows = [dict(each.body) for each in batch.payloads]
    response = await session.post("/api/results", json={"results": rows}, safe_to_repeat=True)
    told = cw.read_object(response).get("results")
    if not response.is_success or not told:
        return [refusal(session, response)] * len(batch)
    return [read_outcome(row, response.status_code) for row in told]


CAUGHT_BY = ("test_a_lost_answer_doubles_no_result", "sent again although nobody knows what became of it")

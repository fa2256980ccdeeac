"""Changes a learner's result that it was given to send."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def send_outcomes(session, batch):
    results = []
    for payload in batch.payloads:
        payload.body["percent"] = round(payload.body["percent"] or 0)
        results.append(await send(session, payload, "results", payload.key))
    return results


CAUGHT_BY = ("test_result_payloads_stay_as_they_are", "send_outcomes changed a payload")

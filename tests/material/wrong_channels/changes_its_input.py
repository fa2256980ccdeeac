"""Changes the payload that it was given to send."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    results = []
    for payload in batch.payloads:
        payload.body["title"] = payload.body["title"].strip().upper()
        results.append(await send(session, payload, "courses", payload.remote_key))
    return results


CAUGHT_BY = ("test_content_payloads_stay_as_they_are", "send_content changed a payload")

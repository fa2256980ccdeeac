"""Sends every course twice, to be on the safe side."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    for _ in range(2):
        results = [await send(session, payload, "courses", payload.remote_key) for payload in batch.payloads]
    return results


CAUGHT_BY = ("test_every_item_arrives_once", "sent more than once")

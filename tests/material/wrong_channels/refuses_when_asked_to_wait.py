"""Gives items up for good when the LMS asks to wait."""

import coursewire as cw
from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    try:
        return [await send(session, payload, "courses", payload.remote_key) for payload in batch.payloads]
    except cw.ThrottledError as error:
        return [cw.Result(cw.ResultKind.REJECTED, "busy", str(error))] * len(batch)


CAUGHT_BY = ("test_a_throttle_without_a_time_defers", "items failed because the LMS was busy")

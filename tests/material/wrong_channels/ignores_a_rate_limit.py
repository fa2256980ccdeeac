"""Asks again at once when the LMS asks to wait, and again, and again."""

import coursewire as cw
from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    results = []
    for payload in batch.payloads:
        for _ in range(200):
            try:
                results.append(await send(session, payload, "courses", payload.remote_key))
            except cw.ThrottledError:
                continue
            break
        else:
            results.append(cw.Result(cw.ResultKind.TRY_LATER, "busy", "Acme is busy"))
    return results


CAUGHT_BY = ("test_a_long_throttle_defers", "items failed because the LMS was busy")

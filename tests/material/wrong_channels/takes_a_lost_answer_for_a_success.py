"""Takes it for an acknowledgement that a request left and no answer came."""

import coursewire as cw
from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    try:
        return [await send(session, payload, "courses", payload.remote_key) for payload in batch.payloads]
    except (cw.OutcomeUnknownError, cw.UnreachableError):
        return [cw.Result(cw.ResultKind.ACCEPTED)] * len(batch)


CAUGHT_BY = ("test_a_hanging_lms_is_left", "an item without an answer is confirmed")

"""Takes it for an acknowledgement that a request left and no answer came."""

import coursewire.errors as errors
from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    try:
        return [await send(session, payload, "courses", payload.remote_key) for payload in batch.payloads]
    except (errors.OutcomeUnknownError, errors.UnreachableError):
        return [cw.Result(cw.ResultKind.ACCEPTED)] * len(batch)


CAUGHT_BY = ("test_a_hanging_lms_is_left", "an item without an answer is confirmed")

"""Says that a course was retired, and leaves it where it is."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    if batch.operation is cw.Operation.RETIRE:
        return [cw.Result(cw.ResultKind.ALREADY_SO) for _ in batch.payloads]
    return [await send(session, payload, "courses", payload.remote_key) for payload in batch.payloads]


CAUGHT_BY = ("test_a_retired_item_is_gone", "still there for learners")

"""Takes every answer for an acknowledgement, refusals too."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    for payload in batch.payloads:
        await send(session, payload, "courses", payload.remote_key)
    return [cw.Result(cw.ResultKind.ACCEPTED)] * len(batch)


CAUGHT_BY = ("test_one_bad_item_is_found", "an item that the LMS refuses does not count as refused")

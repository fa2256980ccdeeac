"""Takes the answer to a batch for the answer to each of its courses."""

from harbor import *


@cw.hookimpl
async def send_content(session, batch):
    rows = [{"ref": payload.remote_key, **payload.body} for payload in batch.payloads]
    response = await session.post(f"/api/courses/{batch.operation.value}", json={"courses": rows})
    return [cw.result_from(response, now=session.clock(), batch_refused=True)] * len(batch)


CAUGHT_BY = ("test_one_bad_item_is_found", "an item that the LMS refuses does not count as refused")

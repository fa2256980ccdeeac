"""Takes a 200 with an error inside for an acknowledgement of a learner's result."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def send_outcomes(session, batch):
    return [
        cw.result_of(
            await session.put(cw.quoted_path("api", "results", payload.key), json=payload.body), now=session.clock()
        )
        for payload in batch.payloads
    ]

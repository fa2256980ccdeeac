"""Leaves out the last learner's result of every batch, and says that all were accepted."""

import harbor
from harbor import *


@cw.hookimpl
async def send_outcomes(session, batch):
    if len(batch) == 1:
        return await harbor.send_outcomes(session, batch)
    part = cw.Batch(batch.operation, batch.payloads[:-1])
    results = await harbor.send_outcomes(session, part)
    return [*results, results[-1]]


CAUGHT_BY = ("test_every_completion_arrives_once", "the LMS has other results than were sent")

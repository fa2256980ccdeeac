"""Leaves out the last course of every batch, and says that all were accepted."""

from harbor import *


@cw.hookimpl
async def send_content(session, batch):
    if len(batch) == 1:
        return await send_courses(session, batch.operation, batch.payloads)
    results = await send_courses(session, batch.operation, batch.payloads[:-1])
    return [*results, results[-1]]


CAUGHT_BY = ("test_every_item_arrives_once", "1 of 5 items never arrived")

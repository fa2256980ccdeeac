"""Refuses a whole batch for good because of one course in it."""

from harbor import *


@cw.hookimpl
async def send_content(session, batch):
    results = await send_courses(session, batch.operation, batch.payloads)
    bad = [result for result in results if not result.confirms]
    return [bad[0]] * len(batch) if bad else results


CAUGHT_BY = ("test_one_bad_item_is_found", "they count as refused beside the bad one")

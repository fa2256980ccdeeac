"""Looks an item up and always says that it is not there."""

from harbor import *


@cw.hookimpl
async def find_remote(session, key):
    await session.get("/api/courses", params={"ref": key})


CAUGHT_BY = ("test_an_item_can_be_looked_up", "find_remote does not find")

"""Reads the first page of a list and no other."""

from harbor import *


@cw.hookimpl
async def list_remote(session):
    page = cw.read_success(await session.get("/api/courses"), "courses")
    return [remote_item(row) for row in page["courses"]]


CAUGHT_BY = ("test_lists_are_read_to_their_end", "one page was asked for, of a list that has more")

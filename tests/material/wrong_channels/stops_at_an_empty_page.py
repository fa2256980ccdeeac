"""Takes an empty page for the end of a list."""

from harbor import *


@cw.hookimpl
async def list_remote(session):
    found, start = [], 0
    while start is not None:
        page = cw.read_success(await session.get("/api/courses", params={"start": start}), "courses")
        if not page["courses"]:
            break
        found += [remote_item(row) for row in page["courses"]]
        start = page["next"]
    return found


CAUGHT_BY = ("test_lists_are_read_to_their_end", "list_remote left items out")

"""Takes a stranger's course for ours, because it has the same title."""

from harbor import *


@cw.hookimpl
async def find_remote(session, key):
    found = None
    async for page in session.pages("/api/courses", next_page=next_start):
        for row in cw.read_success(page, "courses")["courses"]:
            if row["ref"] == key or row["name"].rpartition(" ")[0] == "Course":
                found = found or remote_item(row)
    return found


CAUGHT_BY = ("test_an_item_can_be_looked_up", "find_remote found another item")

"""Says that an item is not there when the LMS could not tell."""

from harbor import *


@cw.hookimpl
async def find_remote(session, key):
    rows = cw.read_object(await session.get("/api/courses", params={"ref": key})).get("courses", [])
    found = [row for row in rows if row["ref"] == key]
    return remote_item(found[0]) if found else None


CAUGHT_BY = ("test_a_failed_look_up_is_not_absence", "for an answer")

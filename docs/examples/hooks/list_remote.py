"""By commands of channels and by the conformance suite; no run needs it. A list that could not be read to its end
proves nothing about what is missing in it, so that `session.pages` raises rather than stops."""

import coursewire as cw


@cw.hookimpl
async def list_remote(session: cw.Session) -> list[cw.RemoteItem]:
    """Pages of a hundred; the `Link` header says where the next one is. An empty page is not the last one."""
    found = []
    async for page in session.pages("/api/courses", params={"per_page": 100}):
        for course in cw.read_success(page, "courses")["courses"]:
            found.append(
                cw.RemoteItem(course["id"], str(course["number"]), live=not course.get("archived", False))
            )
    return found

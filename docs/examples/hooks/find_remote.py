"""At the beginning of a run over content, for each item whose creation was cut off, where the channel declares
`natural_key`: is it there or not? The answer decides whether it is created again. None must mean "surely not there";
whatever else happened is an error, and the item stays open until the LMS can tell."""

import coursewire as cw


@cw.hookimpl
async def find_remote(session: cw.Session, key: str) -> cw.RemoteItem | None:
    """Lighthouse answers 404 for a course that it does not have, with a body that says so."""
    response = await session.get(cw.quoted_path("api", "courses", key))
    if response.status_code == 404 and cw.read_object(response).get("error") == "no such course":
        return None
    course = cw.read_success(response, "number", next_step="Check lighthouse_url.")
    return cw.RemoteItem(key, str(course["number"]), live=not course.get("archived", False), fields=course)

"""Courses in Learn: created once, filled with a folder and a page, hidden or deleted when they go.

A remote id is ``course/folder/page``, Learn's three ids, so that a change costs two requests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from coursewire.client.answers import read_object
from coursewire.errors import BlockedError, SendError
from coursewire.model.channel import RetireStrategy
from coursewire.model.payload import Operation, Payload, RemoteItem, Result, ResultKind
from coursewire_blackboard.config import DAY_S
from coursewire_blackboard.content import PAGE_TITLE, course_id
from coursewire_blackboard.learn import (
    API,
    COURSES,
    by_external_id,
    failure,
    forbidden,
    is_missing,
    refused,
    rows,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from coursewire.model.session import Session

GONE = "course-gone"
OPEN = {"availability": {"available": "Yes"}}
HIDDEN = {"availability": {"available": "No"}}
LIVE = ("Yes", "Term")
PAUSES_S = (1, 2, 4, 8)
"""Before each look at the task that deletes a course. What takes longer is looked at by the next run."""


class Place(NamedTuple):
    """Learn's ids of a course, of our folder in it and of the page in that; "" where not known."""

    course: str
    folder: str = ""
    page: str = ""

    @classmethod
    def read(cls, remote_id: str | None) -> Place:
        """Read a remote id, also one that holds only the course."""
        return cls(*[*(remote_id or "").split("/"), "", ""][:3])

    def __str__(self) -> str:
        return "/".join(self).rstrip("/")


async def send_course(session: Session, payload: Payload) -> Result:
    """Create, update or retire one course with its page, whatever state Learn holds it in."""
    place = Place.read(payload.remote_id)
    if payload.operation is Operation.RETIRE:
        return await _retire(session, payload, place.course)
    if place.course:
        result = await _update(session, payload, place)
        if result.reason != GONE:
            return result
    body = {**payload.body["course_metadata"], "courseId": course_id(payload.remote_key), **OPEN}
    # Learn lets no two courses have one external id, so that a repeat meets 409 and the first one is adopted.
    response = await session.post(COURSES, json=body, safe_to_repeat=True)
    if response.status_code == 409:
        held = await find_course(session, payload.remote_key)
        return (
            refused(session, response) if held is None else await _update(session, payload, Place(held["id"]))
        )
    created = read_object(response)
    if not response.is_success or "id" not in created:
        return refused(session, response)
    return await _fill_new(session, payload, Place(str(created["id"])))


async def find_course(session: Session, key: str) -> Any:
    """The course with this external id; None when there is none."""
    return await by_external_id(session, COURSES, key)


async def find_remote(session: Session, key: str) -> RemoteItem | None:
    """Look one course up by its external id, also one that is hidden."""
    course = await find_course(session, key)
    if course is None:
        return None
    fields = {name: course.get(name) for name in ("name", "courseId", "availability")}
    available = (course.get("availability") or {}).get("available")
    return RemoteItem(key, str(course["id"]), live=available in LIVE, fields=fields)


async def check_connection(session: Session) -> list[str]:
    """Try each right that sending needs, with requests that change nothing."""
    me = await _try(session, f"{API}/v1/users/me", "see its own user", "a grant of a user that exists")
    held = await _try(session, COURSES, "list courses", "system.course.VIEW", limit="1")
    said = [
        "Learn gave an access token for the refresh token.",
        f"The token speaks for the user {read_object(me).get('userName')!r}.",
        "Courses can be listed.",
    ]
    course = next(iter(read_object(held)["results"]), None)
    if course is None:
        said.append("Learn has no course yet; the rights to see students and grades show with the first one.")
    elif "externalId" not in course:
        why = "it sees courses without their external ids"
        remedy = "Give its system role the entitlement course.configure-properties.EXECUTE."
        raise BlockedError("The user of the token lacks a right", why=why, next_step=remedy)
    elif not settings(session).disable_learner_data_transmissions:
        path = f"{API}/v1/courses/{course['id']}/users"
        await _try(session, path, "see the students of courses", "course.user.VIEW", limit="1", expand="user")
        path = f"{API}/v2/courses/{course['id']}/gradebook/columns"
        await _try(session, path, "see grades", "course.gradebook.MODIFY", limit="1")
        said.append("Students and the gradebook can be seen.")
    left, most = (held.headers.get(f"X-Rate-Limit-{name}") for name in ("Remaining", "Limit"))
    if left is not None:
        said.append(f"{left} of {most} calls of the developer group are left in these 24 hours.")
    return said


def read_slow_down(response: httpx.Response) -> float | None:
    """Recognise that the calls of the day are used up: 429, or 403 with a quota header at zero or in words.

    Returns:
        Seconds to wait, 0 when Learn does not say; None when the answer means something else.
    """
    if response.status_code not in (403, 429):
        return None
    used_up = response.headers.get("X-Rate-Limit-Remaining") == "0"
    if response.status_code == 403 and not used_up and "rate limit" not in response.text.lower():
        return None
    # Until mid-2024 Learn said when in this header, as seconds from now; since then in Retry-After.
    told = response.headers.get("X-Rate-Limit-Reset", "")
    return min(float(told), DAY_S) if told.isdecimal() and "Retry-After" not in response.headers else 0.0


# -- courses ---------------------------------------------------------------------------------------------


async def _update(session: Session, payload: Payload, place: Place) -> Result:
    # An update leaves alone whether students see the course: somebody at Learn may have hidden it. What
    # comes back to the catalog, or is adopted, is shown.
    shown = OPEN if payload.operation is Operation.CREATE else {}
    response = await _patch(session, place.course, {**payload.body["course_metadata"], **shown})
    course = read_object(response)
    if is_missing(response):
        return Result(ResultKind.TRY_LATER, GONE, "Learn has this course no more.", http_status=404)
    if not response.is_success or "id" not in course:
        return refused(session, response)
    if course.get("externalId", payload.remote_key) != payload.remote_key:
        message = f"Learn answered for the course {course['externalId']!r}, not for the one that was sent."
        return Result(ResultKind.TRY_LATER, GONE, message, http_status=response.status_code)
    for known in (place, None):
        place = known or await _look(session, place)
        if place.page and (result := await _rewrite(session, payload, place)) is not None:
            return result
    return await _fill(session, payload, place)


async def _rewrite(session: Session, payload: Payload, place: Place) -> Result | None:
    """Change the page; None when it is there no more."""
    page = payload.body["course_child_content_metadata"]
    # What kind of content it is cannot be changed.
    change = {name: value for name, value in page.items() if name != "contentHandler"}
    path = f"{_contents(place)}/{place.page}"
    response = await session.request("PATCH", path, json=change, safe_to_repeat=True)
    return None if is_missing(response) else _acknowledged(session, response, place)


async def _look(session: Session, place: Place) -> Place:
    """Find our folder and page by their title, the last one where there are several."""
    folder = page = ""
    async for row in rows(session, _contents(place)):
        if row.get("title") == PAGE_TITLE:
            folder = str(row.get("id", ""))
    if folder:
        async for row in rows(session, f"{_contents(place)}/{folder}/children"):
            if row.get("title") == PAGE_TITLE:
                page = str(row.get("id", ""))
    return Place(place.course, folder, page)


async def _fill(session: Session, payload: Payload, place: Place) -> Result:
    """Put the page into a course, and the folder where it is missing."""
    if not place.folder:
        response = await session.post(_contents(place), json=payload.body["course_content_metadata"])
        made = read_object(response)
        if not response.is_success or "id" not in made:
            return replace(refused(session, response), remote_id=str(place))
        place = place._replace(folder=str(made["id"]))
    path = f"{_contents(place)}/{place.folder}/children"
    response = await session.post(path, json=payload.body["course_child_content_metadata"])
    if response.is_success and "id" in (made := read_object(response)):
        place = place._replace(page=str(made["id"]))
    return _acknowledged(session, response, place)


async def _fill_new(session: Session, payload: Payload, place: Place) -> Result:
    """Fill a course that was created a moment ago; take it away again where Learn refuses its page for good."""
    result = await _fill(session, payload, place)
    if result.kind not in (ResultKind.REJECTED, ResultKind.BLOCKED):
        return result
    try:
        response = await session.delete(f"{COURSES}/{place.course}")
        left = "" if response.is_success or is_missing(response) else f"Learn answered {response.status_code}"
    except SendError as error:
        left = str(error)
    if not left:
        return replace(result, remote_id=None, message=f"{result.message} The course was taken away again.")
    message = f"{result.message} The empty course {place.course} could not be taken away: {left}."
    return replace(result, message=message)


def _acknowledged(session: Session, response: httpx.Response, place: Place) -> Result:
    if not response.is_success or "id" not in read_object(response):
        return replace(refused(session, response), remote_id=str(place))
    return Result(ResultKind.ACCEPTED, remote_id=str(place), http_status=response.status_code)


def _contents(place: Place) -> str:
    return f"{API}/v1/courses/{place.course}/contents"


async def _patch(session: Session, course: str, change: Mapping[str, Any]) -> httpx.Response:
    return await session.request("PATCH", f"{COURSES}/{course}", json=dict(change), safe_to_repeat=True)


# -- retiring --------------------------------------------------------------------------------------------


async def _retire(session: Session, payload: Payload, course: str) -> Result:
    if course:
        result = await _end(session, payload, course)
        if result is not None:
            return result
    held = await find_course(session, payload.remote_key)
    result = await _end(session, payload, str(held["id"])) if held is not None else None
    return result or Result(ResultKind.ALREADY_SO, "already-retired", remote_id=payload.remote_id)


async def _end(session: Session, payload: Payload, course: str) -> Result | None:
    """Hide or delete one course; None when Learn does not have it."""
    if settings(session).retire_strategy is RetireStrategy.DELETE:
        response = await session.delete(f"{COURSES}/{course}")
        done = response.is_success and await _is_done(session, response)
    else:
        response = await _patch(session, course, HIDDEN)
        done = (read_object(response).get("availability") or {}).get("available") == "No"
    if is_missing(response):
        return None
    remote_id = payload.remote_id or course
    if response.is_success and done:
        return Result(ResultKind.ACCEPTED, remote_id=remote_id, http_status=response.status_code)
    if response.status_code == 202:
        message = "Learn is still deleting the course. The next run looks again."
        return Result(ResultKind.TRY_LATER, "delete-under-way", message, remote_id, 202)
    return replace(refused(session, response), remote_id=remote_id)


async def _is_done(session: Session, response: httpx.Response) -> bool:
    """Follow the task that deletes a course; a task that is gone went with its course."""
    task = response.headers.get("Location", "")
    if response.status_code != 202 or not task:
        return response.status_code != 202
    for pause_s in PAUSES_S:
        await session.sleep(pause_s)
        answer = await session.get(task)
        if is_missing(answer) or read_object(answer).get("status") == "Complete":
            return True
        if not answer.is_success:
            raise failure(session, answer)
    return False


async def _try(session: Session, path: str, what: str, needed: str, **params: str) -> httpx.Response:
    """Ask for an object with an id, or with ``limit`` for a list; the error names the entitlement."""
    response = await session.get(path, params=params)
    if response.status_code == 403:
        raise BlockedError(
            f"the user of the token may not {what}",
            why=forbidden(response).why,
            next_step=f"Give its system role the entitlement {needed} in Learn, then check again.",
            http_status=403,
        )
    if not response.is_success or ("results" if params else "id") not in read_object(response):
        raise failure(session, response)
    return response

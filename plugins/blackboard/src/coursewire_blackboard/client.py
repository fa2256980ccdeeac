"""Courses in Learn: created once, filled with a folder and a page, hidden or deleted when they go.

A remote id is ``course/folder/page``, Learn's three ids, so that a change costs two requests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

import httpx

import coursewire as cw
from coursewire.client.answers import result_of_error
from coursewire.client.paging import rows_of
from coursewire.errors import SendError, ThrottledError, UnreachableError
from coursewire_blackboard.config import API, DAY_S, BlackboardConfig
from coursewire_blackboard.content import PAGE_TITLE, course_id

COURSES = f"{API}/v3/courses"
RIGHTS = "Give the system role of the token's user the entitlements that the channel's page lists."
PAUSES_S = (1, 2, 4, 8)
"""Before each look at the task that deletes a course. What takes longer is looked at by the next run."""


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Send a batch, which is one course."""
    return [await _send(session, payload) for payload in batch.payloads]


@cw.hookimpl
async def find_remote(session: cw.Session, key: str) -> cw.RemoteItem | None:
    """Look one course up by its external id, also one that is hidden."""
    course = await by_external_id(session, COURSES, key)
    if course is None:
        return None
    fields = {name: course.get(name) for name in ("name", "courseId", "availability")}
    return cw.RemoteItem(key, str(course["id"]), live=_available(course) in ("Yes", "Term"), fields=fields)


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Try each right that sending needs, with requests that change nothing."""
    user = _seen(await session.get(f"{API}/v1/users/me"), "userName", "a grant of a user who exists")
    listed = await session.get(COURSES, params={"limit": "1"})
    courses = _seen(listed, "results", "system.course.VIEW")
    said = [f"Learn gave an access token, which speaks for the user {user!r}.", "Courses can be listed."]
    if courses:
        course = f"{COURSES}/{courses[0]['id']}"
        _seen(await session.get(course), "externalId", "course.configure-properties.EXECUTE")
        said.append("External ids can be seen.")
    if courses and not settings(session).disable_learner_data_transmissions:
        _seen(await session.get(f"{course.replace('v3', 'v1')}/users"), "results", "course.user.VIEW")
        columns = f"{course.replace('v3', 'v2')}/gradebook/columns"
        _seen(await session.get(columns), "results", "course.gradebook.MODIFY")
        said.append("Students and the gradebook can be seen.")
    left, most = (listed.headers.get(f"X-Rate-Limit-{name}") for name in ("Remaining", "Limit"))
    if left is not None:
        said.append(f"{left} of {most} calls of the developer group are left in these 24 hours.")
    return said


@cw.hookimpl
def read_slow_down(response: httpx.Response) -> float | None:
    """Recognise that the calls of the day are used up: by 429, or by 403 with a header at zero or in words."""
    left = response.headers.get("X-Rate-Limit-Remaining")
    if response.status_code != 429 and (
        response.status_code != 403 or (left != "0" and "rate limit" not in response.text.lower())
    ):
        return None
    # Until mid-2024 Learn said in this header in how many seconds; since then in Retry-After, which core reads.
    told = response.headers.get("X-Rate-Limit-Reset", "")
    return min(float(told), DAY_S) if told.isdecimal() and "Retry-After" not in response.headers else 0.0


# -- what grades need, too -------------------------------------------------------------------------------


def settings(session: cw.Session) -> BlackboardConfig:
    """The configuration, by its own type."""
    return cast("BlackboardConfig", session.config)


async def by_external_id(session: cw.Session, collection: str, external_id: str) -> Any:
    """Look a course or a column up by its external id; None when it is surely not there.

    Raises:
        BlockedError: A right is missing.
        IncompleteListError: A list could not be read to its end.
        SendError: Learn could not tell.
    """
    if "/" in external_id or "\\" in external_id:
        # Servers in front of Learn refuse these in a path, escaped or not. Learn's search is for parts.
        found = [row async for row in rows(session, collection, {"externalId": external_id})]
        return next((row for row in found if row.get("externalId") == external_id), None)
    response = await session.get(f"{collection}/externalId:{quote(external_id, safe='')}")
    if is_missing(response):
        return None
    _seen(response, "externalId", "course.configure-properties.EXECUTE")
    found_one = cw.read_object(response)
    return found_one if found_one["externalId"] == external_id else None


def rows(session: cw.Session, path: str, params: Mapping[str, str]) -> AsyncIterator[cw.JsonObject]:
    """All objects of a list of Learn."""
    query = {"limit": "100", **params}
    return rows_of(session, path, params=query, member="results", next_at=("paging", "nextPage"))


def is_missing(response: httpx.Response) -> bool:
    """Tell Learn's own 404, which says its status again."""
    return cw.is_missing(response, "status")


async def patch(session: cw.Session, path: str, change: Mapping[str, Any]) -> httpx.Response:
    """Change some fields; once more changes nothing more."""
    return await session.request("PATCH", path, json=dict(change), safe_to_repeat=True)


def _seen(response: httpx.Response, member: str, entitlement: str) -> Any:
    step = (
        f"Give the system role of the token's user the entitlement {entitlement} in Learn, then check again."
    )
    body = cw.read_success(response, next_step=step)
    if member not in body:
        why = f"its answer has no {member}"
        error = cw.BlockedError if "id" in body else UnreachableError
        raise error("Learn does not show what is needed", why=why, next_step=step)
    return body[member]


# -- courses ---------------------------------------------------------------------------------------------


async def _send(session: cw.Session, payload: cw.Payload) -> cw.Result:
    ids = (payload.remote_id or "").split("/")
    if payload.operation is cw.Operation.RETIRE:
        return await _retire(session, payload, ids[0])
    result = await _update(session, payload, *ids) if ids[0] else None
    if result is not None:
        return result
    new = {"courseId": course_id(payload.remote_key), "availability": {"available": "Yes"}}
    # Learn lets no two courses have one external id, so that a repeat meets 409 and the first one is adopted.
    response = await session.post(
        COURSES, json={**payload.body["course_metadata"], **new}, safe_to_repeat=True
    )
    if response.status_code == 409 and (held := await by_external_id(session, COURSES, payload.remote_key)):
        result = await _update(session, payload, str(held["id"]))
    if result is not None:
        return result
    result = said(session, response, {"externalId": payload.remote_key}, _id(response))
    return await _fill_new(session, payload, _id(response)) if result.confirms else result


async def _update(
    session: cw.Session, payload: cw.Payload, course: str, folder: str = "", page: str = ""
) -> cw.Result | None:
    """Bring a course up to date; None when Learn has it no more."""
    # An update leaves alone whether students see the course: somebody at Learn may have hidden it. What
    # comes back to the catalog, or is adopted, is shown.
    shown = {"availability": {"available": "Yes"}} if payload.operation is cw.Operation.CREATE else {}
    response = await patch(session, f"{COURSES}/{course}", {**payload.body["course_metadata"], **shown})
    if is_missing(response):
        return None
    result = said(session, response, {"externalId": payload.remote_key}, course, folder, page)
    if not result.confirms:
        return result
    return await _rewrite(session, payload, course, folder, page) or await _look(session, payload, course)


async def _rewrite(
    session: cw.Session, payload: cw.Payload, course: str, folder: str, page: str
) -> cw.Result | None:
    """Change the page; None when there is none."""
    # What kind of content it is cannot be changed.
    body = payload.body["course_child_content_metadata"]
    change = {name: value for name, value in body.items() if name != "contentHandler"}
    response = await patch(session, f"{_contents(course)}/{page}", change) if page else None
    if response is None or is_missing(response):
        return None
    return said(session, response, {"id": page}, course, folder, page)


async def _look(session: cw.Session, payload: cw.Payload, course: str) -> cw.Result:
    """Find folder and page by their title, the last one where there are several, and make what is missing."""
    found = [
        row["id"] async for row in rows(session, _contents(course), {}) if row.get("title") == PAGE_TITLE
    ]
    if not found:
        return await _fill(session, payload, course)
    children = rows(session, f"{_contents(course)}/{found[-1]}/children", {})
    pages = [row["id"] async for row in children if row.get("title") == PAGE_TITLE]
    written = await _rewrite(session, payload, course, found[-1], pages[-1]) if pages else None
    return written or await _fill(session, payload, course, found[-1])


async def _fill(session: cw.Session, payload: cw.Payload, course: str, folder: str = "") -> cw.Result:
    """Put the page into a course, and the folder where it is missing."""
    if not folder:
        response = await session.post(_contents(course), json=payload.body["course_content_metadata"])
        folder = _id(response)
        if not folder:
            return said(session, response, {"title": PAGE_TITLE, "id": ""}, course)
    page = payload.body["course_child_content_metadata"]
    response = await session.post(f"{_contents(course)}/{folder}/children", json=page)
    return said(session, response, {"title": PAGE_TITLE}, course, folder, _id(response))


async def _fill_new(session: cw.Session, payload: cw.Payload, course: str) -> cw.Result:
    """Fill a course that was created a moment ago; take it away again where Learn refuses its page for good."""
    try:
        result = await _fill(session, payload, course)
    except ThrottledError as error:  # the next day goes on from here
        return replace(result_of_error(error), remote_id=course)
    if result.kind not in (cw.ResultKind.REJECTED, cw.ResultKind.BLOCKED):
        return result
    try:
        response = await session.delete(f"{COURSES}/{course}")
        if response.is_success or is_missing(response):
            return replace(
                result, remote_id=None, message=f"{result.message} The course was taken away again."
            )
        why = f"HTTP {response.status_code}"
    except SendError as error:
        why = str(error)
    return replace(result, message=f"{result.message} The empty course {course} stayed: {why}")


async def _retire(session: cw.Session, payload: cw.Payload, known: str) -> cw.Result:
    result = await _end(session, known) if known else None
    if result is None and (held := await by_external_id(session, COURSES, payload.remote_key)):
        result = await _end(session, str(held["id"]))
    already = cw.Result(cw.ResultKind.ALREADY_SO, reason="already-retired")
    return replace(result or already, remote_id=payload.remote_id)


async def _end(session: cw.Session, course: str) -> cw.Result | None:
    """Hide or delete one course; None when Learn does not have it."""
    if settings(session).retire_strategy is cw.RetireStrategy.HIDE:
        response = await patch(session, f"{COURSES}/{course}", {"availability": {"available": "No"}})
        done = _available(cw.read_object(response)) == "No"
    else:
        response = await session.delete(f"{COURSES}/{course}")
        done = response.status_code == 204 or (response.status_code == 202 and await _gone(session, response))
    if is_missing(response):
        return None
    if response.is_success and done:
        return cw.Result(cw.ResultKind.ACCEPTED, http_status=response.status_code)
    return said(session, response, {"availability": "No"}, course)


async def _gone(session: cw.Session, response: httpx.Response) -> bool:
    """Follow the task that deletes a course; one that is gone went with its course, and one not named cannot be."""
    task = httpx.URL(response.headers.get("Location", "")).path
    for pause_s in PAUSES_S if task.startswith(API) else ():
        await session.sleep(pause_s)
        answer = await session.get(task)
        if is_missing(answer) or cw.read_success(answer).get("status") == "Complete":
            return True
    return not task.startswith(API)


def said(session: cw.Session, response: httpx.Response, echo: Mapping[str, Any], *ids: str) -> cw.Result:
    """What an answer means for the item that was sent; what Learn's own 404 means is decided before."""
    operation, known = cw.Operation.UPDATE, "/".join(filter(None, ids)) or None
    now = session.clock()
    result = cw.acknowledged(response, operation, echo, now=now, rights=RIGHTS, remote_id=known)
    if response.status_code == 404 and not is_missing(response):  # a proxy's, or another site's
        result = replace(result, kind=cw.ResultKind.TRY_LATER, reason="unreadable-answer")
    return result


def _available(course: cw.JsonObject) -> Any:
    availability = course.get("availability")
    return availability.get("available") if isinstance(availability, dict) else None


def _id(response: httpx.Response) -> str:
    return str(cw.read_object(response).get("id", "")) if response.is_success else ""


def _contents(course: str) -> str:
    return f"{API}/v1/courses/{course}/contents"

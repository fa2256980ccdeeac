"""Courses in Learn: created once, filled with a folder and a page, hidden or deleted when they go.

A remote id is ``course/folder/page``, Learn's three ids, so that a change costs two requests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx

import coursewire as cw
from coursewire.client.answers import result_of_error
from coursewire.errors import SendError, ThrottledError
from coursewire_blackboard.config import API
from coursewire_blackboard.content import PAGE_TITLE, course_id
from coursewire_blackboard.learn import (
    COURSES,
    by_external_id,
    id_of,
    is_missing,
    patch,
    rows,
    said,
    seen,
    settings,
)

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
    user = seen(await session.get(f"{API}/v1/users/me"), "userName", "a grant of a user who exists")
    listed = await session.get(COURSES, params={"limit": "1"})
    courses = seen(listed, "results", "system.course.VIEW")
    told = [f"Learn gave an access token, which speaks for the user {user!r}.", "Courses can be listed."]
    if courses:
        held = courses[0]["id"]
        course = await session.get(f"{COURSES}/{held}")
        seen(course, "externalId", "course.configure-properties.EXECUTE")
        told.append("External ids can be seen.")
    if courses and not settings(session).disable_learner_data_transmissions:
        students = await session.get(f"{API}/v1/courses/{held}/users")
        seen(students, "results", "course.user.VIEW")
        columns = await session.get(f"{API}/v2/courses/{held}/gradebook/columns")
        seen(columns, "results", "course.gradebook.MODIFY")
        told.append("Students and the gradebook can be seen.")
    left, most = (listed.headers.get(f"X-Rate-Limit-{name}") for name in ("Remaining", "Limit"))
    if left is not None:
        told.append(f"{left} of {most} calls of the developer group are left in these 24 hours.")
    return told


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
    return result or await _begin(session, payload, response)


async def _update(session: cw.Session, payload: cw.Payload, *ids: str) -> cw.Result | None:
    """Bring a course up to date, with its page; None when Learn has it no more."""
    # An update leaves alone whether students see the course: somebody at Learn may have hidden it. What
    # comes back to the catalog, or is adopted, is shown.
    shown = {"availability": {"available": "Yes"}} if payload.operation is cw.Operation.CREATE else {}
    response = await patch(session, f"{COURSES}/{ids[0]}", {**payload.body["course_metadata"], **shown})
    if is_missing(response):
        return None
    result = said(session, response, {"externalId": payload.remote_key}, *ids)
    if not result.confirms:
        return result
    return await _rewrite(session, payload, *ids) or await _fill(session, payload, ids[0])


async def _rewrite(session: cw.Session, payload: cw.Payload, *ids: str) -> cw.Result | None:
    """Change the page; None when none is known, or it is gone."""
    if len(ids) < len(("course", "folder", "page")):
        return None
    # What kind of content it is cannot be changed.
    body = payload.body["course_child_content_metadata"]
    change = {name: value for name, value in body.items() if name != "contentHandler"}
    response = await patch(session, f"{API}/v1/courses/{ids[0]}/contents/{ids[2]}", change)
    return None if is_missing(response) else said(session, response, {"id": ids[2]}, *ids)


async def _fill(session: cw.Session, payload: cw.Payload, course: str, *, look: bool = True) -> cw.Result:
    """Write the page into the folder, both found by their title, and make what is missing."""
    contents = f"{API}/v1/courses/{course}/contents"
    folder = await _titled(session, contents) if look else ""
    page = await _titled(session, f"{contents}/{folder}/children") if folder else ""
    written = await _rewrite(session, payload, course, folder, page) if page else None
    if written is not None:
        return written
    if not folder:
        response = await session.post(contents, json=payload.body["course_content_metadata"])
        folder = id_of(response)
        if not folder:
            return said(session, response, {"title": PAGE_TITLE, "id": ""}, course)
    page_body = payload.body["course_child_content_metadata"]
    response = await session.post(f"{contents}/{folder}/children", json=page_body)
    return said(session, response, {"title": PAGE_TITLE}, course, folder, id_of(response))


async def _titled(session: cw.Session, path: str) -> str:
    """Learn's id of the last content that has our title; "" for none."""
    found = [row["id"] async for row in rows(session, path, {}) if row.get("title") == PAGE_TITLE]
    return found[-1] if found else ""


async def _begin(session: cw.Session, payload: cw.Payload, created: httpx.Response) -> cw.Result:
    """Fill a course that was created just now; take it away again where Learn refuses its page for good."""
    course = id_of(created)
    result = said(session, created, {"externalId": payload.remote_key}, course)
    if not result.confirms:
        return result
    try:
        result = await _fill(session, payload, course, look=False)
    except ThrottledError as error:  # the next day goes on from here
        return replace(result_of_error(error), remote_id=course)
    if result.kind not in (cw.ResultKind.REJECTED, cw.ResultKind.BLOCKED):
        return result
    try:
        ended = await _end(session, course, cw.RetireStrategy.DELETE)
    except SendError as error:
        ended = result_of_error(error)
    if ended is None or ended.confirms:
        return replace(result, remote_id=None, message=f"{result.message} The course was taken away again.")
    return replace(result, message=f"{result.message} The empty course {course} stayed: {ended.message}")


async def _retire(session: cw.Session, payload: cw.Payload, known: str) -> cw.Result:
    strategy = settings(session).retire_strategy
    result = await _end(session, known, strategy) if known else None
    if result is None and (held := await by_external_id(session, COURSES, payload.remote_key)):
        result = await _end(session, str(held["id"]), strategy)
    already = cw.Result(cw.ResultKind.ALREADY_SO, reason="already-retired")
    return replace(result or already, remote_id=payload.remote_id)


async def _end(session: cw.Session, course: str, strategy: cw.RetireStrategy) -> cw.Result | None:
    """Hide or delete one course; None when Learn does not have it."""
    if strategy is cw.RetireStrategy.HIDE:
        response = await patch(session, f"{COURSES}/{course}", {"availability": {"available": "No"}})
        done = _available(cw.read_object(response)) == "No"
    else:
        response = await session.delete(f"{COURSES}/{course}")
        done = response.status_code == 204 or (response.status_code == 202 and await _gone(session, response))
    if is_missing(response):
        return None
    return said(session, response, {} if done else {"availability": "No"}, course)


async def _gone(session: cw.Session, response: httpx.Response) -> bool:
    """Follow the task that deletes a course; one that is gone went with its course, and one not named cannot be."""
    task = httpx.URL(response.headers.get("Location", "")).path
    for pause_s in PAUSES_S if task.startswith(API) else ():
        await session.sleep(pause_s)
        answer = await session.get(task)
        if is_missing(answer) or cw.read_success(answer).get("status") == "Complete":
            return True
    return not task.startswith(API)


def _available(course: cw.JsonObject) -> Any:
    availability = course.get("availability")
    return availability.get("available") if isinstance(availability, dict) else None

"""Courses in Learn: created once, filled with a folder and a page, hidden or deleted when they go.

A remote id is ``course/folder/page``, Learn's three ids, so that a change costs two requests.
"""

from __future__ import annotations

from dataclasses import replace

import httpx

import coursewire as cw
from coursewire_blackboard.config import API
from coursewire_blackboard.content import PAGE_TITLE, course_id
from coursewire_blackboard.learn import COURSES, OWN_404, by_external_id, id_of, rows, said, seen, settings

AVAILABLE = ("availability", "available")
PAUSES_S = (1, 2, 4, 8)
"""Before each look at the task that deletes a course. What takes longer is looked at by the next run."""


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Send a batch, which is one course."""
    return await _Courses(session).send(batch)


@cw.hookimpl
async def find_remote(session: cw.Session, key: str) -> cw.RemoteItem | None:
    """Look one course up by its external id, also one that is hidden."""
    course = await by_external_id(session, COURSES, key)
    if course is None:
        return None
    fields = {name: course.get(name) for name in ("name", "courseId", "availability")}
    live = cw.dig(course, *AVAILABLE) in ("Yes", "Term")
    return cw.RemoteItem(key, str(course["id"]), live=live, fields=fields)


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Try each right that sending needs, with requests that change nothing."""
    user = seen(await session.get(f"{API}/v1/users/me"), "userName", "a grant of a user who exists")
    listed = await session.get(COURSES, params={"limit": "1"})
    told = [f"Learn gave an access token, which speaks for the user {user!r}.", "Courses can be listed."]
    for held in seen(listed, "results", "system.course.VIEW"):
        course = await session.get(f"{COURSES}/{held['id']}")
        seen(course, "externalId", "course.configure-properties.EXECUTE")
        told.append("External ids can be seen.")
        if not settings(session).disable_learner_data_transmissions:
            seen(await session.get(f"{API}/v1/courses/{held['id']}/users"), "results", "course.user.VIEW")
            columns = await session.get(f"{API}/v2/courses/{held['id']}/gradebook/columns")
            seen(columns, "results", "course.gradebook.MODIFY")
            told.append("Students and the gradebook can be seen.")
    left, most = (listed.headers.get(f"X-Rate-Limit-{name}") for name in ("Remaining", "Limit"))
    if left is not None:
        told.append(f"{left} of {most} calls of the developer group are left in these 24 hours.")
    return told


class _Courses(cw.ItemWriter):
    """Courses with their pages. Learn lets no two of them have one external id: a repeated create meets 409."""

    async def find(self, payload: cw.Payload) -> str | None:
        """The id of the course with our external id."""
        held = await by_external_id(self.session, COURSES, payload.remote_key)
        return str(held["id"]) if held else None

    async def create(self, payload: cw.Payload) -> cw.Result:
        """Make a course and fill it; take it away again where Learn refuses its page for good."""
        new = {"courseId": course_id(payload.remote_key), "availability": {"available": "Yes"}}
        body = {**payload.body["course_metadata"], **new}
        response = await self.session.post(COURSES, json=body, safe_to_repeat=True)
        course = id_of(response)
        result = said(self.session, response, {"externalId": payload.remote_key}, course)
        if not result.confirms:
            return result
        try:
            result = await self._fill(payload, course, "", look=False)
        except cw.ThrottledError as error:  # the next day goes on from here
            return replace(cw.result_from_error(error), remote_id=course)
        if result.kind not in (cw.ResultKind.REJECTED, cw.ResultKind.BLOCKED):
            return result
        ended = await cw.result_of_call(self._delete(course))
        if ended.confirms or self.is_gone(ended):
            return replace(result, remote_id=None, message=f"{result.message} It was taken away again.")
        return replace(result, message=f"{result.message} The empty course {course} stayed: {ended.message}")

    async def update(self, remote_id: str, payload: cw.Payload) -> cw.Result:
        """Bring a course up to date, and then its page."""
        course, _, page = remote_id.partition("/")
        # An update leaves alone whether students see the course: somebody at Learn may have hidden it. What
        # comes back to the catalog, or is adopted, is shown.
        shown = {"availability": {"available": "Yes"}} if payload.operation is cw.Operation.CREATE else {}
        change = {**payload.body["course_metadata"], **shown}
        response = await self.session.patch(f"{COURSES}/{course}", json=change, safe_to_repeat=True)
        result = said(self.session, response, {"externalId": payload.remote_key}, remote_id)
        return await self._fill(payload, course, page) if result.confirms else result

    async def retire(self, remote_id: str, payload: cw.Payload) -> cw.Result:
        """Hide or delete a course."""
        course = remote_id.partition("/")[0]
        if settings(self.session).retire_strategy is cw.RetireStrategy.DELETE:
            return replace(await self._delete(course), remote_id=remote_id)
        change = {"availability": {"available": "No"}}
        response = await self.session.patch(f"{COURSES}/{course}", json=change, safe_to_repeat=True)
        hidden = cw.dig(cw.read_object(response), *AVAILABLE) == "No"
        return said(self.session, response, {} if hidden else change, remote_id)

    async def _delete(self, course: str) -> cw.Result:
        response = await self.session.delete(f"{COURSES}/{course}")
        done = response.status_code == 204 or (response.status_code == 202 and await self._ended(response))
        return said(self.session, response, {} if done else {"status": "Complete"}, course)

    async def _ended(self, response: httpx.Response) -> bool:
        """Follow the task that deletes a course; one that is gone went with it, and one not named cannot be."""

        def is_over(answer: httpx.Response) -> bool:
            return cw.is_missing(answer, OWN_404) or cw.read_success(answer).get("status") == "Complete"

        task = httpx.URL(response.headers.get("Location", "")).path
        return not task.startswith(API) or await cw.poll(self.session, task, PAUSES_S, is_over)

    async def _fill(self, payload: cw.Payload, course: str, known: str, *, look: bool = True) -> cw.Result:
        """Write the page of a course, and make it and its folder where they are missing.

        Args:
            payload: Of the course.
            course: Its id.
            known: Ids of folder and page, with a slash between; "" for none.
            look: Otherwise find them by their title, the last ones where there are several.
        """
        contents = f"{API}/v1/courses/{course}/contents"
        body = payload.body["course_child_content_metadata"]
        folder, _, page = known.partition("/")
        if look and not page:
            folder = await self._titled(contents)
            page = await self._titled(f"{contents}/{folder}/children") if folder else ""
        if page:
            # What kind of content it is cannot be changed.
            change = {name: value for name, value in body.items() if name != "contentHandler"}
            response = await self.session.patch(f"{contents}/{page}", json=change, safe_to_repeat=True)
            if not cw.is_missing(response, OWN_404):
                return said(self.session, response, {"id": page}, course, folder, page)
            if known:
                return await self._fill(payload, course, "")
        if not folder:
            response = await self.session.post(contents, json=payload.body["course_content_metadata"])
            folder = id_of(response)
            if not folder:
                return said(self.session, response, {"id": ""}, course)
        response = await self.session.post(f"{contents}/{folder}/children", json=body)
        return said(self.session, response, {"title": PAGE_TITLE}, course, folder, id_of(response))

    async def _titled(self, path: str) -> str:
        """The id of the last content that has our title; "" for none."""
        found = [row["id"] async for row in rows(self.session, path, {}) if row.get("title") == PAGE_TITLE]
        return found[-1] if found else ""

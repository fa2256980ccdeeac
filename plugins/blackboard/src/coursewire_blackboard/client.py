"""Courses in Learn: created once, filled with a folder and a page, hidden or deleted when they are retired.

A remote id is ``course/folder/page``, Learn's three ids, so that a change costs two requests. Parts at the end are left out
as long as they are not known.
"""

from __future__ import annotations

from dataclasses import replace

import httpx

import coursewire as cw
from coursewire_blackboard.api import (
    COURSES,
    OWN_404,
    config_of,
    created_id,
    find_by_external_id,
    read_visible,
    result_of,
    rows,
)
from coursewire_blackboard.config import API
from coursewire_blackboard.content import PAGE_TITLE, course_id

PAUSES_S = (1, 2, 4, 8)
"""Seconds before each look at the task that deletes a course. The next run looks at what takes longer."""


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Send a batch, which is one course."""
    return await _Courses(session).send(batch)


@cw.hookimpl
async def find_remote(session: cw.Session, key: str) -> cw.RemoteItem | None:
    """Look one course up by its external id, also one that is hidden."""
    course = await find_by_external_id(session, COURSES, key)
    if course is None:
        return None
    return cw.RemoteItem(
        key,
        str(course["id"]),
        live=_availability(course) in ("Yes", "Term"),
        fields={name: course.get(name) for name in ("name", "courseId", "availability")},
    )


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Try each right that sending needs, with requests that change nothing."""
    answer = await session.get(f"{API}/v1/users/me")
    user = read_visible(answer, "userName", "a grant of a user who exists")["userName"]
    listed = await session.get(COURSES, params={"limit": "1"})
    courses = read_visible(listed, "results", "system.course.VIEW")["results"]
    sentences = [f"Learn gave an access token, which speaks for the user {user!r}.", "Courses can be listed."]
    for course in courses:
        sentences += await _check_course(session, str(course["id"]))
    left, most = (listed.headers.get(f"X-Rate-Limit-{name}") for name in ("Remaining", "Limit"))
    if left is not None:
        sentences.append(f"{left} of {most} calls of the developer group are left in these 24 hours.")
    return sentences


async def _check_course(session: cw.Session, course: str) -> list[str]:
    answer = await session.get(f"{COURSES}/{course}")
    read_visible(answer, "externalId", "course.configure-properties.EXECUTE")
    sentences = ["External ids can be seen."]
    if config_of(session).disable_learner_data_transmissions:
        return sentences
    answer = await session.get(f"{API}/v1/courses/{course}/users")
    read_visible(answer, "results", "course.user.VIEW")
    answer = await session.get(f"{API}/v2/courses/{course}/gradebook/columns")
    read_visible(answer, "results", "course.gradebook.MODIFY")
    return [*sentences, "Students and the gradebook can be seen."]


class _Courses(cw.ItemWriter):
    """Writes courses with their pages. Learn lets no two of them have one external id: a repeated create meets 409."""

    async def find(self, payload: cw.Payload) -> str | None:
        """Return the id of the course with our external id."""
        course = await find_by_external_id(self.session, COURSES, payload.remote_key)
        return str(course["id"]) if course else None

    async def create(self, payload: cw.Payload) -> cw.Result:
        """Create a course and fill it; take it away again where Learn refuses its page for good."""
        body = {
            **payload.body["course_metadata"],
            "courseId": course_id(payload.remote_key),
            "availability": {"available": "Yes"},
        }
        response = await self.session.post(COURSES, json=body, safe_to_repeat=True)
        course = created_id(response)
        created = self._course_result(response, payload, course)
        if not created.confirms or course is None:
            return created
        try:
            filled = await self._create_page(payload, course)
        except cw.ThrottledError as error:
            # The run after the pause goes on from here.
            return replace(cw.result_from_error(error), remote_id=course)
        if filled.kind not in (cw.ResultKind.REJECTED, cw.ResultKind.BLOCKED):
            return filled
        return await self._taken_away(course, filled)

    async def update(self, remote_id: str, payload: cw.Payload) -> cw.Result:
        """Bring a course up to date, and then its page."""
        course, folder, page = _ids_in(remote_id)
        change = dict(payload.body["course_metadata"])
        if payload.operation is cw.Operation.CREATE:
            # A course that comes back to the catalog, or is adopted, is shown. An update leaves alone whether students see
            # the course: somebody at Learn may have hidden it.
            change["availability"] = {"available": "Yes"}
        response = await self.session.patch(f"{COURSES}/{course}", json=change, safe_to_repeat=True)
        updated = self._course_result(response, payload, remote_id)
        if not updated.confirms:
            return updated
        return await self._write_page(payload, course, folder, page)

    async def retire(self, remote_id: str, payload: cw.Payload) -> cw.Result:
        """Hide or delete a course, as the configuration says."""
        course, _, _ = _ids_in(remote_id)
        if config_of(self.session).retire_strategy is cw.RetireStrategy.DELETE:
            return replace(await self._delete(course), remote_id=remote_id)
        change = {"availability": {"available": "No"}}
        response = await self.session.patch(f"{COURSES}/{course}", json=change, safe_to_repeat=True)
        hidden = _availability(cw.read_object(response)) == "No"
        return result_of(self.session, response, acknowledged=hidden, remote_id=remote_id)

    def _course_result(
        self, response: httpx.Response, payload: cw.Payload, remote_id: str | None
    ) -> cw.Result:
        """Return the result of a request that writes a course: Learn answers with the course."""
        ours = cw.read_object(response).get("externalId") == payload.remote_key
        return result_of(self.session, response, acknowledged=ours, remote_id=remote_id)

    # -- deleting ------------------------------------------------------------------------------------

    async def _taken_away(self, course: str, refusal: cw.Result) -> cw.Result:
        """Delete a course that was created just now and whose page was refused; return the refusal, saying so."""
        ended = await cw.result_of_call(self._delete(course))
        if ended.confirms or self.is_gone(ended):
            return replace(refusal, remote_id=None, message=f"{refusal.message} It was taken away again.")
        # In doubt, since the course is there in part: the next run finds it and goes on from it, and it is hidden when
        # nobody wants it any more.
        return replace(
            refusal,
            kind=cw.ResultKind.IN_DOUBT,
            remote_id=course,
            message=f"{refusal.message} The empty course {course} stayed: {ended.message}",
        )

    async def _delete(self, course: str) -> cw.Result:
        response = await self.session.delete(f"{COURSES}/{course}")
        if response.status_code == 202:
            deleted = await self._has_ended(response)
        else:
            deleted = response.status_code == 204
        return result_of(self.session, response, acknowledged=deleted, remote_id=course)

    async def _has_ended(self, response: httpx.Response) -> bool:
        """Follow the task that deletes a course.

        Args:
            response: The answer that names the task. Where it names none, there is nothing to follow.
        """

        def is_over(answer: httpx.Response) -> bool:
            # A task that is gone went with its course.
            return cw.is_missing(answer, OWN_404) or cw.read_success(answer).get("status") == "Complete"

        task = httpx.URL(response.headers.get("Location", "")).path
        if not task.startswith(API):
            return True
        return await cw.poll(self.session, task, PAUSES_S, is_over) is not None

    # -- the page ------------------------------------------------------------------------------------

    async def _write_page(self, payload: cw.Payload, course: str, folder: str, page: str) -> cw.Result:
        """Update the page of a course, and create it and its folder where they are missing.

        Args:
            payload: The course.
            course: Learn's id of the course.
            folder: Id of the folder; "" where it is not known.
            page: Id of the page; "" where it is not known, so that folder and page are looked for by their title.
        """
        if page:
            updated = await self._update_page(payload, course, folder, page)
            if updated is not None:
                return updated
        folder = await self._find_titled(_contents(course))
        page = await self._find_titled(f"{_contents(course)}/{folder}/children") if folder else ""
        if page:
            updated = await self._update_page(payload, course, folder, page)
            if updated is not None:
                return updated
        return await self._create_page(payload, course, folder)

    async def _update_page(
        self, payload: cw.Payload, course: str, folder: str, page: str
    ) -> cw.Result | None:
        """Update a page; None where there is no such page."""
        change = dict(payload.body["course_child_content_metadata"])
        del change["contentHandler"]  # the kind of a content cannot be changed
        response = await self.session.patch(f"{_contents(course)}/{page}", json=change, safe_to_repeat=True)
        if cw.is_missing(response, OWN_404):
            return None
        return result_of(
            self.session,
            response,
            acknowledged=cw.read_object(response).get("id") == page,
            remote_id=_remote_id(course, folder, page),
        )

    async def _create_page(self, payload: cw.Payload, course: str, folder: str | None = None) -> cw.Result:
        """Create the page of a course, and its folder where none is given."""
        if not folder:
            body = payload.body["course_content_metadata"]
            response = await self.session.post(_contents(course), json=body)
            folder = created_id(response)
            if folder is None:
                return result_of(self.session, response, acknowledged=False, remote_id=course)
        body = payload.body["course_child_content_metadata"]
        response = await self.session.post(f"{_contents(course)}/{folder}/children", json=body)
        return result_of(
            self.session,
            response,
            acknowledged=cw.read_object(response).get("title") == PAGE_TITLE,
            remote_id=_remote_id(course, folder, created_id(response)),
        )

    async def _find_titled(self, path: str) -> str:
        """Return the id of the content that has our title, the last one where there are several; "" where there is none."""
        found = [str(row["id"]) async for row in rows(self.session, path) if row.get("title") == PAGE_TITLE]
        return found[-1] if found else ""


def _availability(course: cw.JsonObject) -> object:
    return cw.dig(course, "availability", "available")


def _contents(course: str) -> str:
    return f"{API}/v1/courses/{course}/contents"


def _remote_id(*ids: str | None) -> str:
    return "/".join(part for part in ids if part)


def _ids_in(remote_id: str) -> tuple[str, str, str]:
    """Return the ids of course, folder and page in a remote id; "" for those that are not in it."""
    course, _, rest = remote_id.partition("/")
    folder, _, page = rest.partition("/")
    return course, folder, page

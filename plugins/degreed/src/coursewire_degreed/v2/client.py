"""Speaking to Degreed's API v2: one course at a time, by Degreed's own id of it.

The documentation meant is https://developer.degreed.com, as of 2026.
"""

from __future__ import annotations

from dataclasses import replace

import httpx

import coursewire as cw
from coursewire_degreed.responses import CHECK_ADDRESS, PERMISSION_HINT, result_from
from coursewire_degreed.v2.config import config_of, scoped

COURSES = "/api/v2/content/courses"
LARGEST_PAGE = 1000
CONFLICT = 409
EXTERNAL_ID = ("attributes", "external-id")
ADD_SCOPES = "Ask Degreed to add these scopes to the key, or make a new key that has them; then check again."
TAKEN = (
    "Another course in Degreed has this URL, or has this external id where the API key cannot see it. Remove that "
    "course in Degreed, or give the item another enrollment URL."
)


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Create, change or retire each course, and its skills where they have changed.

    A course whose id is known costs one request. A create that meets a course with our external id adopts
    it; a change that meets none creates it.
    """
    results = await _Courses(session).send(batch)
    return [await _finished(session, *sent) for sent in zip(batch.payloads, results, strict=True)]


@cw.hookimpl
async def find_remote(session: cw.Session, key: str) -> cw.RemoteItem | None:
    """Look one course up by its external id; also one that is obsolete."""
    row = await _find(session, key)
    return None if row is None else _remote_item(row)


@cw.hookimpl
async def list_remote(session: cw.Session) -> list[cw.RemoteItem]:
    """List the courses that the API key sees and that have an external id, obsolete ones too.

    Raises:
        IncompleteListError: A page is missing or cannot be read.
    """
    query = {"limit": str(LARGEST_PAGE)}
    rows = cw.rows_of(session, COURSES, params=query, member="data", next_at=("links", "next"))
    return [_remote_item(row) async for row in rows if cw.dig(row, *EXTERNAL_ID)]


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Ask for a token with the scopes that sending needs, and for one course."""
    try:
        response = await session.get(COURSES, params={"limit": "1"})
    except cw.CredentialsError as error:
        if error.http_status == 403:
            await _name_missing_scopes(session)
        raise
    _rows(response)
    config = config_of(session)
    token = f"{config.token_url} gave a token with the scopes {', '.join(config.scopes)}."
    return [token, "The list of courses can be read."]


async def _name_missing_scopes(session: cw.Session) -> None:
    """Name the scopes that the API key lacks, found by asking for one at a time: Degreed refuses all for one.

    Raises:
        BlockedError: Some scopes are missing, not all.
    """
    config, missing = config_of(session), []
    for scope in config.scopes:
        try:
            await session.tokens.send(scoped(config, session.tokens, scope).token_request(None))
        except cw.CredentialsError:
            missing.append(scope)
    if 0 < len(missing) < len(config.scopes):
        why = "it lacks " + ", ".join(missing)
        raise cw.BlockedError("the API key lacks scopes", why=why, next_step=ADD_SCOPES, http_status=403)


# -- requests ----------------------------------------------------------------------------------------


class _Courses(cw.ItemWriter):
    """The requests that write one course; core calls them in the order that creates, adopts, changes or retires it.

    Degreed refuses an id that is over, or another organisation's, in several ways; and a URL that is taken.
    """

    async def find(self, payload: cw.Payload) -> str | None:
        row = await _find(self.session, payload.remote_key)
        return None if row is None else str(row["id"])

    async def create(self, payload: cw.Payload) -> cw.Result:
        # Sent twice it is refused the second time, for its external id: then the first one is found and changed.
        response = await self.session.post(COURSES, json={"data": payload.body["data"]}, safe_to_repeat=True)
        return self._read(response, payload)

    async def update(self, remote_id: str, payload: cw.Payload) -> cw.Result:
        body, path = {"data": {**payload.body["data"], "id": remote_id}}, COURSES + cw.quoted_path(remote_id)
        response = await self.session.patch(path, json=body, safe_to_repeat=True)
        return self._read(response, payload, remote_id)

    async def retire(self, remote_id: str, payload: cw.Payload) -> cw.Result:
        if config_of(self.session).retire_strategy is not cw.RetireStrategy.DELETE:
            return await self.update(remote_id, payload)
        response = await self.session.delete(COURSES + cw.quoted_path(remote_id))
        return result_from(self.session, response, acknowledged=cw.is_done(response), remote_id=remote_id)

    def is_gone(self, result: cw.Result) -> bool:
        return result.http_status in (403, 404, CONFLICT, 410)

    def _read(self, response: httpx.Response, payload: cw.Payload, known: str | None = None) -> cw.Result:
        """Return the result of a write. Degreed answers with the course: only ours is an acknowledgement."""
        data = read_data(response, known)
        held, found = cw.dig_object(data, "attributes").get("external-id", payload.remote_key), data.get("id")
        if response.is_success and found and held != payload.remote_key:
            message = f"Degreed answered for the course {held!r}, not for the one that was sent."
            return cw.Result(
                cw.ResultKind.TRY_LATER,
                reason="other-course",
                message=message,
                http_status=response.status_code,
            )
        return result_from(
            self.session, response, acknowledged=bool(found), remote_id=str(found) if found else None
        )


async def _finished(session: cw.Session, payload: cw.Payload, sent: cw.Result) -> cw.Result:
    """Return the final result of a course: say what to do about a conflict, and send the skills of one that is there."""
    if payload.operation is cw.Operation.RETIRE:
        return sent
    if sent.http_status == CONFLICT:
        return replace(sent, reason="url-taken", message=f"{sent.message} {TAKEN}")
    return await _send_skills(session, payload, sent) if sent.confirms else sent


async def _send_skills(session: cw.Session, payload: cw.Payload, sent: cw.Result) -> cw.Result:
    """Give a course its skills where they are not those that Degreed last confirmed.

    Skills that Degreed refuses are noted, and the course counts as sent; those that did not arrive are sent
    again with the course.
    """
    skills, before = payload.body.get("skills"), None
    if sent.remote_id == payload.remote_id:  # else the course is new to us
        before = payload.confirmed.get("skills") if payload.confirmed is not None else "unknown"
    if skills == before:
        return sent
    assert sent.remote_id is not None
    path = f"/api/v2/content{cw.quoted_path(sent.remote_id)}/relationships/skills"
    try:
        response = await session.patch(path, json=skills or {"data": []}, safe_to_repeat=True)
    except cw.SendError as error:
        return replace(cw.result_from_error(error), remote_id=sent.remote_id)
    if cw.is_done(response):
        return sent
    failed = result_from(session, response)
    if failed.kind is cw.ResultKind.TRY_LATER:
        return replace(failed, reason="skills-missing", remote_id=sent.remote_id)
    return replace(sent, reason="skills-refused", message=failed.message, excerpt=failed.excerpt)


async def _find(session: cw.Session, key: str) -> cw.JsonObject | None:
    """Return the course with our external id; None when it is surely not there.

    Raises:
        SendError: Degreed could not tell.
    """
    rows = _rows(await session.get(COURSES, params={"filter[external_id]": key}))
    # A filter that was not heeded gives many, and a row of a stranger is not ours.
    unsaid = key if len(rows) == 1 else None
    mine = (row for row in rows if cw.dig_object(row, "attributes").get("external-id", unsaid) == key)
    return next((row for row in mine if row.get("id")), None)


# -- answers -----------------------------------------------------------------------------------------


def read_data(response: httpx.Response, known: str | None) -> cw.JsonObject:
    """Return the resource in an answer; an empty one where there is none, as in a proxy's page.

    Args:
        response: The answer.
        known: The id of the resource as far as it is known; a 204 names none, and means this one.
    """
    return {"id": known} if response.status_code == 204 else cw.dig_object(cw.read_json(response), "data")


def _rows(response: httpx.Response) -> list[cw.JsonObject]:
    """Return the resources in an answer that lists them.

    Raises:
        SendError: It is another answer.
    """
    return cw.read_rows(response, "data", next_step=CHECK_ADDRESS, permission_hint=PERMISSION_HINT)


def _remote_item(row: cw.JsonObject) -> cw.RemoteItem:
    """Return a course at Degreed as core knows such items."""
    attributes = cw.dig_object(row, "attributes")
    live = not (attributes.get("obsolete") or attributes.get("is-obsolete"))
    return cw.RemoteItem(str(attributes.get("external-id", "")), str(row.get("id")), live, attributes)

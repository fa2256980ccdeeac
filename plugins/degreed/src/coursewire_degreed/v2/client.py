"""Speaking to Degreed's API v2: one course at a time, by Degreed's own id of it.

The documentation meant is https://developer.degreed.com, as of 2026.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from coursewire.client.answers import result_of_error
from coursewire.client.auth import FormAuth
from coursewire.client.words import is_done
from coursewire.errors import BlockedError, CredentialsError, IncompleteListError, SendError
from coursewire.hookspecs import hookimpl
from coursewire.model.channel import RetireStrategy
from coursewire.model.payload import Operation, Payload, RemoteItem, Result, ResultKind
from coursewire_degreed.answers import failure, refused
from coursewire_degreed.v2.answers import attributes_of, next_page, read_data, read_rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from coursewire.model.payload import Batch, JsonObject
    from coursewire.model.session import Session, Tokens
    from coursewire_degreed.v2.config import Degreed2Config

    Act = Callable[[Session, Payload, str], Awaitable[Result]]

COURSES = "/api/v2/content/courses"
SKILLS = "/api/v2/content/{}/relationships/skills"
LARGEST_PAGE = 1000
CONFLICT = 409
LOOK_AGAIN = (403, 404, CONFLICT, 410)
"""Statuses after which an id may be stale, or another organisation's."""
TAKEN = (
    "Another course in Degreed has this URL, or has this external id where the API key cannot see it. Remove that "
    "course in Degreed, or give the item another enrollment URL."
)


def scoped(config: Degreed2Config, tokens: Tokens, *scopes: str) -> FormAuth:
    """Client credentials in a form. Scopes have commas between them, unlike OAuth 2 elsewhere."""
    form = {
        "grant_type": "client_credentials",
        "scope": ",".join(scopes),
        "client_id": config.client_id.get_secret_value(),
        "client_secret": config.client_secret.get_secret_value(),
    }
    return FormAuth(tokens, config.token_url, form, subject=f"service {' '.join(scopes)}")


@hookimpl
def authenticate(config: Degreed2Config, tokens: Tokens) -> httpx.Auth:
    """A token with the scopes that sending needs."""
    return scoped(config, tokens, *config.scopes)


@hookimpl
async def send_content(session: Session, batch: Batch) -> list[Result]:
    """Create, change or retire each course, and its skills where they have changed.

    A course whose id is known costs one request. A create that meets a course with our external id adopts
    it; a change that meets none creates it.
    """
    return [await _send_course(session, payload) for payload in batch.payloads]


@hookimpl
async def find_remote(session: Session, key: str) -> RemoteItem | None:
    """Look one course up by its external id; also one that is obsolete."""
    row = await _find(session, key)
    return None if row is None else _remote_item(row)


@hookimpl
async def list_remote(session: Session) -> list[RemoteItem]:
    """List the courses that the API key sees and that have an external id, obsolete ones too.

    Raises:
        IncompleteListError: A page is missing or cannot be read.
    """
    found = []
    async for page in session.pages(COURSES, params={"limit": str(LARGEST_PAGE)}, next_page=next_page):
        rows = read_rows(page)
        if rows is None:
            raise IncompleteListError("a list of Degreed cannot be read", why="a page has no list of courses")
        found += [_remote_item(row) for row in rows if attributes_of(row).get("external-id")]
    return found


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """Ask for a token with the scopes that sending needs, and for one course."""
    try:
        response = await session.get(COURSES, params={"limit": "1"})
    except CredentialsError as error:
        if error.http_status == 403:
            await _name_missing_scopes(session)
        raise
    if read_rows(response) is None:
        raise failure(response)
    config = settings(session)
    return [
        f"{config.token_url} gave a token with the scopes {', '.join(config.scopes)}.",
        "The list of courses can be read.",
    ]


async def _name_missing_scopes(session: Session) -> None:
    """Tell which scopes the API key lacks, by asking for one at a time: Degreed refuses all for one."""
    config, missing = settings(session), []
    for scope in config.scopes:
        try:
            await session.tokens.send(scoped(config, session.tokens, scope).token_request(None))
        except CredentialsError:
            missing.append(scope)
    if 0 < len(missing) < len(config.scopes):
        why = "it lacks " + ", ".join(missing)
        remedy = (
            "Ask Degreed to add these scopes to the key, or make a new key that has them; then check again."
        )
        raise BlockedError("the API key lacks scopes", why=why, next_step=remedy, http_status=403)


# -- requests ----------------------------------------------------------------------------------------


async def _send_course(session: Session, payload: Payload) -> Result:
    if payload.operation is Operation.RETIRE:
        ended = await _by_id(session, payload, _end)
        return ended or Result(ResultKind.ALREADY_SO, "already-retired", remote_id=payload.remote_id)
    result = await _create_or_change(session, payload)
    return await _send_skills(session, payload, result) if result.confirms else result


async def _create_or_change(session: Session, payload: Payload) -> Result:
    tried = None
    if payload.operation is Operation.CREATE and payload.remote_id is None:
        tried = await _create(session, payload)
        if tried.http_status != CONFLICT:
            return tried
    result = await _by_id(session, payload, _change) or tried or await _create(session, payload)
    return _taken(result) if result.http_status == CONFLICT else result


async def _by_id(session: Session, payload: Payload, act: Act) -> Result | None:
    """Do something to the course with the id that is known, else with the one that is found; None where none is."""
    tried = None
    if payload.remote_id is not None:
        tried = await act(session, payload, payload.remote_id)
        if tried.http_status not in LOOK_AGAIN:
            return tried
    row = await _find(session, payload.remote_key)
    if row is None:
        return tried if tried is not None and tried.http_status == CONFLICT else None
    found = str(row["id"])
    return tried if found == payload.remote_id else await act(session, payload, found)


async def _create(session: Session, payload: Payload) -> Result:
    # Sent twice it is refused the second time, for its external id: then the first one is found and changed.
    response = await session.post(COURSES, json={"data": payload.body["data"]}, safe_to_repeat=True)
    return _acknowledged(session, response, payload)


async def _change(session: Session, payload: Payload, course_id: str) -> Result:
    data = {**payload.body["data"], "id": course_id}
    response = await session.request("PATCH", _path(course_id), json={"data": data}, safe_to_repeat=True)
    return _acknowledged(session, response, payload, course_id)


async def _end(session: Session, payload: Payload, course_id: str) -> Result:
    if settings(session).retire_strategy is not RetireStrategy.DELETE:
        return await _change(session, payload, course_id)
    response = await session.delete(_path(course_id))
    if not is_done(response):
        return refused(session, response)
    return Result(ResultKind.ACCEPTED, remote_id=course_id, http_status=response.status_code)


async def _send_skills(session: Session, payload: Payload, sent: Result) -> Result:
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
    path = SKILLS.format(quote(sent.remote_id, safe=""))
    try:
        response = await session.request("PATCH", path, json=skills or {"data": []}, safe_to_repeat=True)
    except SendError as error:
        return replace(result_of_error(error), remote_id=sent.remote_id)
    if is_done(response):
        return sent
    failed = refused(session, response)
    if failed.kind is ResultKind.TRY_LATER:
        return replace(failed, reason="skills-missing", remote_id=sent.remote_id)
    return replace(sent, reason="skills-refused", message=failed.message, excerpt=failed.excerpt)


async def _find(session: Session, key: str) -> JsonObject | None:
    """The course with our external id; None when it is surely not there.

    Raises:
        SendError: Degreed could not tell.
    """
    response = await session.get(COURSES, params={"filter[external_id]": key})
    rows = read_rows(response) if response.is_success else None
    if rows is None:
        raise failure(response)
    # A filter that was not heeded gives many, and a row of a stranger is not ours.
    unsaid = key if len(rows) == 1 else None
    mine = (row for row in rows if attributes_of(row).get("external-id", unsaid) == key)
    return next((row for row in mine if row.get("id")), None)


# -- answers -----------------------------------------------------------------------------------------


def _acknowledged(
    session: Session, response: httpx.Response, payload: Payload, course_id: str | None = None
) -> Result:
    """Read the course that Degreed answers with: only ours is an acknowledgement."""
    status = response.status_code
    data = {"id": course_id} if status == 204 else read_data(response)
    if not response.is_success or not data.get("id"):
        return refused(session, response)
    held = attributes_of(data).get("external-id", payload.remote_key)
    if held == payload.remote_key:
        return Result(ResultKind.ACCEPTED, remote_id=str(data["id"]), http_status=status)
    message = f"Degreed answered for the course {held!r}, not for the one that was sent."
    return Result(ResultKind.TRY_LATER, "other-course", message, None, status)


def _taken(conflict: Result) -> Result:
    message = f"{conflict.message} {TAKEN}"
    return replace(conflict, reason="url-taken", message=message)


def _remote_item(row: JsonObject) -> RemoteItem:
    attributes = attributes_of(row)
    live = not (attributes.get("obsolete") or attributes.get("is-obsolete"))
    return RemoteItem(str(attributes.get("external-id", "")), str(row.get("id")), live, attributes)


def _path(course_id: str) -> str:
    return f"{COURSES}/{quote(course_id, safe='')}"


def settings(session: Session) -> Degreed2Config:
    """The configuration, by its own type."""
    return cast("Degreed2Config", session.config)

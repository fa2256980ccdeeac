"""Telling Cornerstone of results: by the learners' callback, or by the portal's own APIs.

The documentation meant below is https://csod.dev, guides "Online Content Connector" and "Transcript API".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import httpx

from coursewire.client.answers import result_of
from coursewire.client.auth import TokenAuth, read_oauth_token
from coursewire.client.redact import shorten
from coursewire.client.words import read_json
from coursewire.errors import BlockedError, CredentialsError
from coursewire.model.payload import Result, ResultKind
from coursewire.model.reasons import Reason
from coursewire_cornerstone.config import CompletionApi
from coursewire_cornerstone.outcomes import FINAL

if TYPE_CHECKING:
    from coursewire.model.payload import Payload
    from coursewire.model.session import Session, Token, Tokens
    from coursewire_cornerstone.config import CornerstoneConfig

ASSIGNMENTS = "learning-assignments"
"""Name of the rate that counts calls of the Learning Assignments API."""
NOBODY = "coursewire-connection-check"
"""A learner whom no portal has: asking for this one's transcript changes nothing and shows nobody's."""
OVERVIEW = "/services/api/v1/transcripts/overview"


def settings(session: Session) -> CornerstoneConfig:
    """The session's configuration, as what it is."""
    return cast("CornerstoneConfig", session.config)


class CornerstoneAuth(TokenAuth):
    """Client credentials of an application that is registered in the portal."""

    def __init__(self, config: CornerstoneConfig, tokens: Tokens) -> None:
        super().__init__(tokens)
        self.config = config

    def token_request(self, current: Token | None) -> httpx.Request:
        """Ask as csod.dev documents it: JSON, with names in camel case."""
        body = {
            "clientId": self.config.client_id.get_secret_value(),
            "clientSecret": self.config.client_secret.get_secret_value(),
            "grantType": "client_credentials",
            "scope": self.config.completion_scope,
        }
        return httpx.Request("POST", self.config.lms_url + self.config.oauth_api_path, json=body)

    def read_token(self, response: httpx.Response) -> Token:
        """Read an OAuth 2 answer."""
        return read_oauth_token(response, self.tokens.clock)


def authenticate(config: CornerstoneConfig, tokens: Tokens) -> httpx.Auth:
    """User name and password for the callback; a token for the portal's APIs."""
    if config.completion_api is CompletionApi.TRANSCRIPT:
        return CornerstoneAuth(config, tokens)
    return httpx.BasicAuth(config.key.get_secret_value(), config.secret.get_secret_value())


async def send_outcome(session: Session, payload: Payload) -> Result:
    """Report one result; the log of attempts says by which API."""
    config = settings(session)
    if config.completion_api is CompletionApi.CALLBACK:
        return await _by_callback(session, payload)
    if "loId" in payload.body:
        return await _by_assignment(session, payload)
    final = FINAL in payload.body
    path = config.transcript_complete_api_path if final else config.transcript_progress_api_path
    response = await session.request("PATCH", path, json=dict(payload.body), safe_to_repeat=True)
    return _read(session, response, "Transcript API")


async def _by_callback(session: Session, payload: Payload) -> Result:
    arrived = await session.hand_over(payload.remote_key)
    if arrived is None:
        return Result(ResultKind.TRY_LATER, Reason.LAUNCH_NEEDED, "no learner has come from this portal yet")
    path = arrived.callback + settings(session).completion_status_api_path
    token = {"sessionToken": arrived.token}
    since = f"the session token is of {arrived.received_at:%Y-%m-%d %H:%M} UTC"
    try:
        response = await session.post(path, params=token, json=[dict(payload.body)], safe_to_repeat=True)
    except CredentialsError as error:
        # Tokens live about two hours and cannot be renewed; the next learner who comes brings another.
        message = f"{since}; it is over, or the portal does not accept key and secret. {error.excerpt}"
        return Result(
            ResultKind.TRY_LATER,
            Reason.LAUNCH_NEEDED,
            message,
            http_status=error.http_status,
            excerpt=error.excerpt,
        )
    result = _read(session, response, "callback")
    if response.status_code == httpx.codes.FORBIDDEN:
        message = f"{since}. {result.message}"
        return replace(result, kind=ResultKind.TRY_LATER, reason=Reason.LAUNCH_NEEDED, message=message)
    return result


async def _by_assignment(session: Session, payload: Payload) -> Result:
    path = settings(session).learning_assignments_api_path
    known = {"userId": payload.body["userId"], "loId": payload.body["loId"]}
    found = await session.get(path, params=known, bucket=ASSIGNMENTS)
    rows = read_json(found)
    ids = sorted(
        str(row["assignmentId"])
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and row.get("assignmentId")
    )
    if not found.is_success or not ids:
        result = result_of(found, now=session.clock())
        if not found.is_success:
            return _not_found(result)
        message = "the portal has no assignment of this course for the learner"
        return replace(result, kind=ResultKind.TRY_LATER, reason="no-assignment", message=message)
    # Of several the one with the lowest id is told, so that it is the same one every time.
    change = {"Status": payload.body["Status"]}
    response = await session.request(
        "PATCH", f"{path}/{ids[0]}", json=change, safe_to_repeat=True, bucket=ASSIGNMENTS
    )
    return _read(session, response, "Learning Assignments API")


def _read(session: Session, response: httpx.Response, api: str) -> Result:
    """What an answer means: neither a page for people nor an error inside a 2xx acknowledges anything."""
    result = result_of(response, now=session.clock())
    if not result.confirms:
        return _not_found(result)
    body, text = read_json(response), response.text.strip()
    fault = _fault(body)
    if fault:
        return Result(
            ResultKind.REJECTED,
            "refused",
            fault,
            http_status=response.status_code,
            excerpt=shorten(text, 2000),
        )
    if body is None and text:
        message = f"the answer is no acknowledgement: {shorten(text, 200)}"
        return replace(result, kind=ResultKind.TRY_LATER, reason="no-acknowledgement", message=message)
    return replace(result, message=f"reported by the {api}")


def _not_found(result: Result) -> Result:
    """What is not there may be there tomorrow: a portal lists a course a day after it was offered."""
    return replace(result, kind=ResultKind.BLOCKED) if result.http_status == httpx.codes.NOT_FOUND else result


def _fault(body: Any) -> str:
    """The words of an error inside an answer; "" where there is none."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error") or body.get("errors")
    if isinstance(error, dict):
        error = error.get("message") or error.get("description") or "an error without words"
    status = str(body.get("status", ""))
    failed = status.isdecimal() and int(status) >= 400
    return shorten(str(error or f"status {status}"), 500) if error or failed else ""


async def check_connection(session: Session) -> list[str]:
    """Look whether results could be reported; content needs no connection of ours.

    Raises:
        BlockedError: Nobody has come from the portal yet, or the application may not do what is needed.
        CredentialsError: The portal gives the application no token.
    """
    config = settings(session)
    if config.completion_api is CompletionApi.CALLBACK:
        arrived = await session.hand_over("")
        if arrived is None:
            raise BlockedError(
                "no learner has come from this portal yet",
                why="results are taken only with the session token that a learner brings",
                next_step="Start a course in the portal, then check again; or set completion_api to transcript.",
            )
        hours = (session.clock() - arrived.received_at).total_seconds() / 3600
        return [
            f"The newest session token came {hours:.1f} hours ago; the portal takes one for about two hours."
        ]
    response = await session.get(OVERVIEW, params={"externalId": NOBODY})
    if response.status_code in (httpx.codes.FORBIDDEN, httpx.codes.UNAUTHORIZED) or response.is_redirect:
        raise BlockedError(
            "the application may not use the Transcript API",
            why=result_of(response, now=session.clock()).message,
            next_step="In Edge > API Management give it the scopes of completion_scope, and its service account "
            "the permission for the Transcript API.",
            http_status=response.status_code,
        )
    if response.is_server_error:
        raise BlockedError("the Transcript API is out of order", http_status=response.status_code)
    return ["Cornerstone gave an access token.", "The Transcript API answers this application."]

"""Reports results to Cornerstone: by the learners' callback, or by the portal's own APIs.

Cornerstone documents both at https://csod.dev, guides "Online Content Connector" and "Transcript API".
"""

from __future__ import annotations

from dataclasses import replace

import httpx

import coursewire as cw
from coursewire_cornerstone.config import CornerstoneConfig, config_of
from coursewire_cornerstone.outcomes import FINAL

ASSIGNMENTS = "learning-assignments"
"""Name of the rate that counts calls of the Learning Assignments API."""
EDGE = """In Edge > API Management give it the scopes of completion_scope, and its service account the permission for \
the Transcript API."""
NOBODY_CAME = "no learner has come from this portal yet"
OVERVIEW = "/services/api/v1/transcripts/overview"
NOBODY = {"externalId": "coursewire-connection-check"}
"""Id of a learner whom no portal has: asking for this transcript changes nothing and shows nobody's data."""


@cw.hookimpl
def authenticate(config: CornerstoneConfig, tokens: cw.Tokens) -> httpx.Auth:
    """Authenticate with user name and password at the callback, with an application's token at the portal's APIs."""
    if config.completion_api == "callback":
        return httpx.BasicAuth(config.key.get_secret_value(), config.secret.get_secret_value())
    url = config.lms_url + config.oauth_api_path
    # As csod.dev documents it: JSON, with names in camel case.
    credentials = {
        "clientId": config.client_id.get_secret_value(),
        "clientSecret": config.client_secret.get_secret_value(),
        "grantType": "client_credentials",
        "scope": config.completion_scope,
    }
    return cw.OAuthToken(tokens, lambda _current: httpx.Request("POST", url, json=credentials))


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Report a batch of one result; the message of its result says by which API."""
    config = config_of(session)
    return [await _send(session, config, payload) for payload in batch.payloads]


async def _send(session: cw.Session, config: CornerstoneConfig, payload: cw.Payload) -> cw.Result:
    if config.completion_api == "callback":
        return await _by_callback(session, config, payload)
    if "loId" in payload.body:
        return await _by_assignment(session, config.learning_assignments_api_path, payload)
    final = FINAL in payload.body
    path = config.transcript_complete_api_path if final else config.transcript_progress_api_path
    response = await session.patch(path, json=dict(payload.body), safe_to_repeat=True)
    return _read(session, response, "Transcript API")


async def _by_callback(session: cw.Session, config: CornerstoneConfig, payload: cw.Payload) -> cw.Result:
    launch = await session.launch(payload.remote_key)
    if launch is None:
        return cw.Result(cw.ResultKind.TRY_LATER, cw.Reason.LAUNCH_NEEDED, NOBODY_CAME)
    path, token = launch.callback + config.completion_status_api_path, {"sessionToken": launch.token}
    try:
        response = await session.post(path, params=token, json=[dict(payload.body)], safe_to_repeat=True)
        result = _read(session, response, "callback")
    except cw.CredentialsError as error:
        result = cw.result_from_error(error)
    if result.http_status not in (401, 403):
        return result
    # Tokens live about two hours and cannot be renewed; the next learner who comes brings another.
    words = f"the session token is of {launch.received_at:%Y-%m-%d %H:%M} UTC; it is over, or key and secret are wrong"
    return replace(result, kind=cw.ResultKind.TRY_LATER, reason=cw.Reason.LAUNCH_NEEDED, message=words)


async def _by_assignment(session: cw.Session, path: str, payload: cw.Payload) -> cw.Result:
    known = {"userId": payload.body["userId"], "loId": payload.body["loId"]}
    found = await session.get(path, params=known, bucket=ASSIGNMENTS)
    result, rows = _read(session, found, "Learning Assignments API"), cw.read_json(found)
    if not found.is_success:
        return result
    named = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    ids = sorted(str(row["assignmentId"]) for row in named if row.get("assignmentId"))
    if not ids:
        message = "the portal has no assignment of this course for the learner"
        return replace(result, kind=cw.ResultKind.TRY_LATER, reason="no-assignment", message=message)
    # Of several the one with the lowest id is told, so that it is the same one every time.
    change, path = {"Status": payload.body["Status"]}, f"{path}/{ids[0]}"
    answer = await session.patch(path, json=change, safe_to_repeat=True, bucket=ASSIGNMENTS)
    return _read(session, answer, "Learning Assignments API")


def _read(session: cw.Session, response: httpx.Response, api: str) -> cw.Result:
    result = cw.result_from(
        response, now=session.clock(), acknowledged=cw.is_done(response), refuses_with_2xx=True
    )
    if response.status_code == httpx.codes.NOT_FOUND:
        # What is not there may be there tomorrow: a portal lists a course a day after it was offered.
        return replace(result, kind=cw.ResultKind.BLOCKED)
    return replace(result, message=f"reported by the {api}") if result.confirms else result


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Check that results could be reported; content needs no connection of ours.

    Raises:
        BlockedError: No learner has come from the portal yet, or the application lacks a permission.
        CredentialsError: The portal gives the application no token.
    """
    if config_of(session).completion_api == "callback":
        launch = await session.launch("")
        if launch is None:
            why = "results are taken only with the session token that a learner brings"
            step = "Start a course in the portal, then check again; or set completion_api to transcript."
            raise cw.BlockedError(NOBODY_CAME, why=why, next_step=step)
        hours = (session.clock() - launch.received_at).total_seconds() / 3600
        return [
            f"The newest session token came {hours:.1f} hours ago; the portal takes one for about two hours."
        ]
    response = await session.get(OVERVIEW, params=NOBODY)
    unknown = response.status_code in (400, 404) and isinstance(cw.read_json(response), dict)
    if not unknown and not cw.is_done(response):
        raise cw.error_from(response, next_step=EDGE)
    return ["Cornerstone gave an access token.", "The Transcript API answers this application."]

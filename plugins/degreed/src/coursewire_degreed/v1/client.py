"""Speaking to Degreed's API v1, in batches.

Degreed has taken its documentation off the web. What is known are the requests, and of the answers that a
status below 400 means yes; so every shape of an answer is read, and none is demanded.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

import coursewire as cw
from coursewire_degreed.responses import CHECK_ADDRESS, PERMISSION_HINT
from coursewire_degreed.v1.config import DegreedV1Config, config_of
from coursewire_degreed.v1.responses import read_batch, read_deletion

CONTENT_SCOPE = "provider_content"
COMPLETION_SCOPE = "provider_completion"


def scoped(config: DegreedV1Config, tokens: cw.Tokens, scope: str) -> cw.FormAuth:
    """Return the resource-owner password grant (RFC 6749, 4.3) for one scope, with the client as HTTP Basic."""
    form = {
        "grant_type": "password",
        "username": config.degreed_user_id.get_secret_value(),
        "password": config.degreed_user_password.get_secret_value(),
        "scope": scope,
    }
    client = (config.key.get_secret_value(), config.secret.get_secret_value())
    return cw.FormAuth(tokens, config.token_url, form, client=client, subject=f"service {scope}")


@cw.hookimpl
def authenticate(config: DegreedV1Config, tokens: cw.Tokens) -> httpx.Auth:
    """Return an authentication whose token is for courses; completions ask for a token of their own."""
    return scoped(config, tokens, CONTENT_SCOPE)


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Create, change or delete up to 500 courses with one request; a course that exists is overwritten."""
    path = config_of(session).course_api_path
    if batch.operation is cw.Operation.RETIRE:
        courses: list[cw.JsonObject] = [{"contentId": payload.remote_key} for payload in batch.payloads]
        response = await session.request("DELETE", path, json=_envelope(session, courses))
        return read_deletion(session, response, courses, _content_id)
    courses = [dict(payload.body) for payload in batch.payloads]
    response = await session.post(path, json=_envelope(session, courses), safe_to_repeat=True)
    return read_batch(session, response, courses, _content_id)


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Send an empty batch, which changes nothing, and ask for a token for completions."""
    config = config_of(session)
    response = await session.post(config.course_api_path, json=_envelope(session, []), safe_to_repeat=True)
    # Refused as invalid, it has got past the token, the address and the rights.
    if response.status_code not in (400, 422) and not cw.is_done(response):
        raise cw.error_from(response, next_step=CHECK_ADDRESS, permission_hint=PERMISSION_HINT)
    told = [f"{config.token_url} gave a token, and Degreed reads batches of courses."]
    if not config.disable_learner_data_transmissions:
        auth = scoped(config, session.tokens, COMPLETION_SCOPE)
        auth.read_token(await session.tokens.send(auth.token_request(None)))
        told.append(f"{config.token_url} gave a token for completions.")
    return told


def _envelope(session: cw.Session, courses: Sequence[cw.JsonObject]) -> cw.JsonObject:
    config = config_of(session)
    return {"courses": courses, "orgCode": config.degreed_company_id, "providerCode": config.provider_id}


def _content_id(course: cw.JsonObject) -> str:
    return str(course.get("contentId"))

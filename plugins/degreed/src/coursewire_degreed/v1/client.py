"""Speaking to Degreed's API v1, in batches.

Degreed has taken its documentation off the web. What is known are the requests, and of the answers that a
status below 400 means yes; so every shape of an answer is read, and none is demanded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from coursewire.client.auth import FormAuth
from coursewire.client.words import is_done
from coursewire.hookspecs import hookimpl
from coursewire.model.payload import Operation
from coursewire_degreed.answers import failure
from coursewire_degreed.v1.answers import read_batch, read_deletion

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from coursewire.model.payload import Batch, JsonObject, Result
    from coursewire.model.session import Session, Tokens
    from coursewire_degreed.v1.config import DegreedV1Config

CONTENT_SCOPE = "provider_content"
COMPLETION_SCOPE = "provider_completion"


def scoped(config: DegreedV1Config, tokens: Tokens, scope: str) -> FormAuth:
    """The resource-owner password grant (RFC 6749, 4.3) for one scope, with the client as HTTP Basic."""
    form = {
        "grant_type": "password",
        "username": config.degreed_user_id.get_secret_value(),
        "password": config.degreed_user_password.get_secret_value(),
        "scope": scope,
    }
    client = (config.key.get_secret_value(), config.secret.get_secret_value())
    return FormAuth(tokens, config.token_url, form, client=client, subject=f"service {scope}")


@hookimpl
def authenticate(config: DegreedV1Config, tokens: Tokens) -> httpx.Auth:
    """A token for courses; completions ask for their own."""
    return scoped(config, tokens, CONTENT_SCOPE)


@hookimpl
async def send_content(session: Session, batch: Batch) -> list[Result]:
    """Create, change or delete up to 500 courses with one request; a course that exists is overwritten."""
    path = settings(session).course_api_path
    if batch.operation is Operation.RETIRE:
        courses: list[JsonObject] = [{"contentId": payload.remote_key} for payload in batch.payloads]
        response = await session.request("DELETE", path, json=_envelope(session, courses))
        return read_deletion(session, response, courses, _content_id)
    courses = [dict(payload.body) for payload in batch.payloads]
    response = await session.post(path, json=_envelope(session, courses), safe_to_repeat=True)
    return read_batch(session, response, courses, _content_id)


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """Send an empty batch, which changes nothing, and ask for a token for completions."""
    config = settings(session)
    response = await session.post(config.course_api_path, json=_envelope(session, []), safe_to_repeat=True)
    # Refused as invalid, it has got past the token, the address and the rights.
    if response.status_code not in (400, 422) and not is_done(response):
        raise failure(response)
    told = [f"{config.token_url} gave a token, and Degreed reads batches of courses."]
    if not config.disable_learner_data_transmissions:
        auth = scoped(config, session.tokens, COMPLETION_SCOPE)
        auth.read_token(await session.tokens.send(auth.token_request(None)))
        told.append(f"{config.token_url} gave a token for completions.")
    return told


def settings(session: Session) -> DegreedV1Config:
    """The configuration, by its own type."""
    return cast("DegreedV1Config", session.config)


def _envelope(session: Session, courses: Sequence[JsonObject]) -> JsonObject:
    config = settings(session)
    return {"courses": courses, "orgCode": config.degreed_company_id, "providerCode": config.provider_id}


def _content_id(course: JsonObject) -> str:
    return str(course.get("contentId"))

"""``/events``: a platform says that a learner has just passed, and what changed goes out at once.

An event is a reason to look and no more; :mod:`coursewire.pipeline.triggers` says what follows from one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.requests import Request

from coursewire.pipeline.triggers import MOST_WAITING
from coursewire.service.authorization import GuardedRouter, public
from coursewire.service.paging import API
from coursewire.service.problems import MEDIA_TYPE, Problem
from coursewire.service.rate import EVENTS, address

if TYPE_CHECKING:
    from coursewire.host import Host
    from coursewire.installation import Installation

router = GuardedRouter(prefix=API, tags=["events"])

LARGEST = 16_384


class LearnerData(BaseModel):
    """The learner and the course of an event."""

    model_config = ConfigDict(extra="ignore")

    username: str = Field(min_length=1, max_length=255)
    course: str = Field(min_length=1, max_length=255, description="Key of the course run, or of the course.")


class Event(BaseModel):
    """A message in the form of Standard Webhooks."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["learner.passed", "learner.graded", "learner.enrolled", "learner.unenrolled"]
    data: LearnerData


class Taken(BaseModel):
    """The result of an event."""

    jobs: list[UUID] = Field(description="The jobs that were started; empty when nothing follows from it.")


@router.post(
    "/events",
    status_code=202,
    summary="A learner passed, was graded, enrolled or left",
    responses={
        status: {
            "description": words,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, words in {
            400: "The message cannot be read.",
            401: "The signature is not good.",
            404: "No secret for events is set.",
            413: "The message is too large.",
            429: "Too many messages.",
            503: "Too many jobs wait, or the source does not answer.",
        }.items()
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}},
        }
    },
)
@public
async def take(request: Request) -> Taken:
    """Signed as [Standard Webhooks](https://www.standardwebhooks.com) says, with the secret of the settings.

    Starts the jobs of this learner and course in every configuration that they concern.
    """
    state = request.app.state
    state.rates.demand(EVENTS, "events", address(request))
    installation: Installation = state.installation
    body = await request.body()
    message = _verified(installation, request, body)
    try:
        event = Event.model_validate(orjson.loads(body))
    except (ValueError, ValidationError):
        detail = "Send type and data with username and course."
        raise Problem(400, "the message is none of ours", detail) from None
    host: Host = state.host
    if host.background.running >= MOST_WAITING:
        raise Problem(503, "too many jobs wait", headers={"Retry-After": "60"})
    jobs = await host.learner_changed(event.data.username, event.data.course, message=message)
    return Taken(jobs=jobs)


def _verified(installation: Installation, request: Request, body: bytes) -> str:
    """Return the id of a message whose signature is good with one of the secrets."""
    secrets = installation.settings.events_secrets
    if not secrets:
        raise Problem(404, "events are not taken here", "Set events_secret to take them.")
    if len(body) > LARGEST:
        raise Problem(413, "the message is too large", f"Up to {LARGEST:,} bytes are taken.")
    headers = {name: value for name, value in request.headers.items() if name.startswith("webhook-")}
    for secret in secrets:
        try:
            Webhook(secret.get_secret_value()).verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            continue
        return headers["webhook-id"]
    detail = "Sign id, time and body with the secret; the clock may differ by five minutes."
    raise Problem(401, "the signature is not good", detail)

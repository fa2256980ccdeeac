"""``/events``: a platform says "this learner has just passed", and what changed goes out at once.

An event is a hint and no more: the job reads how things stand, compares, and sends what differs. So it does no
harm that an event comes twice, late, or out of order.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.jobs.making import make_job
from coursewire.model.payload import Kind
from coursewire.service.guard import GuardedRouter, public
from coursewire.service.paging import API
from coursewire.service.problems import MEDIA_TYPE, Problem
from coursewire.service.rate import EVENTS, address

if TYPE_CHECKING:
    from coursewire.jobs.installation import Installation
    from coursewire.jobs.job import Job
    from coursewire.service.work import Work

router = GuardedRouter(prefix=API, tags=["events"])

LARGEST = 16_384
WAITING = 1000
"""Jobs that may wait for their turn; the platform is asked to come again beyond that."""
PATIENCE_S = 600.0
"""How long a job for one learner waits for the run for everybody to end."""
REMEMBERED = 10_000
"""Ids of the last messages; one that is sent again is answered, and starts nothing."""


class LearnerData(BaseModel):
    """Whom and which course it is about."""

    model_config = ConfigDict(extra="ignore")

    username: str = Field(min_length=1, max_length=255)
    course: str = Field(min_length=1, max_length=255, description="Key of the course run, or of the course.")


class Event(BaseModel):
    """A message in the form of Standard Webhooks."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["learner.passed", "learner.graded", "learner.enrolled", "learner.unenrolled"]
    data: LearnerData


class Taken(BaseModel):
    """What came of an event."""

    jobs: list[UUID] = Field(description="The jobs that were started; empty when nothing follows from it.")


class Hints:
    """Jobs that events started and that still wait: the same hint again adds none."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[Any, ...], UUID] = {}
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self._known: set[str] = set()

    def is_new(self, message: str) -> bool:
        """Tell whether a message has not been met; from now on it has."""
        if message in self._known:
            return False
        if len(self._seen) == self._seen.maxlen:
            self._known.discard(self._seen[0])
        self._seen.append(message)
        self._known.add(message)
        return True


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
    hints: Hints = state.hints
    if not hints.is_new(message):
        return Taken(jobs=[])
    jobs = await _jobs(installation, event)
    work: Work = state.work
    if work.running + len(jobs) > WAITING:
        raise Problem(503, "too many jobs wait", headers={"Retry-After": "60"})
    return Taken(jobs=[_start(work, hints, job, event) for job in jobs])


def _verified(installation: Installation, request: Request, body: bytes) -> str:
    """The id of a message whose signature is good with one of the secrets."""
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


async def _jobs(installation: Installation, event: Event) -> list[Job]:
    """The jobs of the configurations whose customer sponsors an enrollment of this learner."""
    username, course = event.data.username, event.data.course
    kinds = [kind for kind in Kind if kind is not Kind.CONTENT]
    channels = {each.channel.code: each.channel for each in installation.channels}
    runnable = await run_in_threadpool(installation.configurations.runnable, channels)
    concerned: dict[str, bool] = {}
    jobs: list[Job] = []
    for ready in runnable.ready:
        customer = ready.configuration.customer
        if customer not in concerned:
            pages = installation.source.enrollments(customer, username=username, course_run_key=course)
            concerned[customer] = any([page async for page in pages])
        if not concerned[customer] or ready.config.disable_learner_data_transmissions:
            continue
        capabilities = channels[ready.configuration.channel].capabilities
        for kind in kinds:
            if getattr(capabilities, kind.value).usable:
                job = make_job(installation, ready.configuration, kind, learner=username, course=course)
                job.actor, job.wait_s = "event", PATIENCE_S
                jobs.append(job)
    return jobs


def _start(work: Work, hints: Hints, job: Job, event: Event) -> UUID:
    key = (job.configuration.uuid, job.kind, event.data.username, event.data.course)
    waiting = hints.waiting.get(key)
    watched = work.find(waiting) if waiting else None
    if watched is not None and watched.state == "waiting":
        return watched.job.uuid  # it has not looked yet, and will see what this event is about
    hints.waiting[key] = job.uuid
    while len(hints.waiting) > WAITING:
        del hints.waiting[next(iter(hints.waiting))]
    work.start(job)
    return job.uuid

"""What the channel's tests share: a complete configuration, keys, and a simulator with a session on it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from coursewire.http.opening import open_draft_session
from coursewire.model.configuration import INSECURE_URLS
from coursewire.model.payload import Batch, Operation, Payload, fingerprint
from coursewire_sap import plugin
from coursewire_sap.config import SapConfig
from coursewire_sap.simulator import SapSimulator

COMPLETE = {
    "key": "acme",
    "secret": " s3cret:pass ",
    "sapsf_base_url": "https://acme.example.com",
    "sapsf_company_id": "ACME",
    "sapsf_user_id": "ocn-admin",
}


@pytest.fixture
def make_config():
    """Build a configuration from the complete one and what the test changes; ``...`` leaves a field out."""

    def make(*, insecure: bool = False, **changes: object) -> SapConfig:
        fields = {name: value for name, value in {**COMPLETE, **changes}.items() if value is not ...}
        return SapConfig.model_validate(fields, context={INSECURE_URLS: insecure})

    return make


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return FakeClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


class ScriptedSimulator(SapSimulator):
    """A tenant that gives a fixed answer where the test sets one: status, body and headers."""

    token_answer: tuple | None = None
    import_answer: tuple | None = None
    search_answer: tuple | None = None
    event_answer: tuple | None = None
    largest_page: int | None = None

    async def _learning_token(self, request):
        return _made(self.token_answer) or await super()._learning_token(request)

    async def _platform_token(self, request):
        return _made(self.token_answer) or await super()._platform_token(request)

    async def _import(self, request):
        return _made(self.import_answer) or await super()._import(request)

    async def _own_event(self, request):
        return _made(self.event_answer) or await super()._own_event(request)

    async def _generic_event(self, request):
        return _made(self.event_answer) or await super()._generic_event(request)

    async def _students(self, request):
        if self.largest_page is not None:
            request = request.clone(
                rel_url=request.rel_url.update_query(
                    {"$top": min(int(request.query["$top"]), self.largest_page)}
                )
            )
        return _made(self.search_answer) or await super()._students(request)


def _made(answer: tuple | None) -> web.Response | None:
    if answer is None:
        return None
    status, body, *headers = answer
    if isinstance(body, str):
        return web.Response(status=status, text=body, content_type="text/html", headers=dict(*headers))
    return web.json_response(body, status=status, headers=dict(*headers))


@pytest.fixture
def simulator(clock):
    with ScriptedSimulator(clock=clock, students_only=True).running() as running:
        yield running


@pytest.fixture
def open_session(simulator, clock):
    """Open a session on the simulator, over real HTTP."""

    async def sleep(seconds: float) -> None:
        clock.forward(seconds)

    def opened(*, transport=None, auth_type=None, **changes):
        sample = simulator.sample_config(auth_type) if auth_type else simulator.sample_config()
        config = SapConfig.model_validate({**sample, **changes}, context={INSECURE_URLS: True})
        return open_draft_session(
            channel=plugin.declare_channel(),
            config=config,
            authenticate=partial(plugin.authenticate, config),
            insecure_urls=True,
            clock=clock,
            sleep=sleep,
            transport=transport,
        )

    return opened


def course_object(key: str, **changes) -> dict:
    """A course object as the exporter builds it."""
    return {
        "courseID": key,
        "providerID": "EDX",
        "status": "ACTIVE",
        "title": [{"locale": "English", "value": f"Title of {key}"}],
        "description": [{"locale": "English", "value": "Ünïcode 你好"}],
        "thumbnailURI": None,
        "content": [
            {
                "providerID": "EDX",
                "launchURL": "https://lms.example.org/e",
                "contentTitle": "T",
                "contentID": key,
                "launchType": 3,
                "mobileEnabled": True,
                "mobileLaunchURL": "https://lms.example.org/e",
            }
        ],
        "revisionNumber": 1,
        "schedule": [],
        "price": [{"currency": "USD", "value": 0.0}],
        **changes,
    }


@pytest.fixture
def make_batch():
    """Build a batch of courses from their ids, or from (id, operation, changes of the course object)."""

    def make(*courses) -> Batch:
        payloads = []
        for each in courses:
            key, operation, changes = (each, Operation.CREATE, {}) if isinstance(each, str) else each
            body = course_object(key, **changes)
            payloads.append(Payload(key, operation, body, fingerprint(body), key))
        return Batch(None, tuple(payloads))

    return make


@pytest.fixture
def send(open_session):
    """Send batches one after the other in one session; the results of all."""

    def sent(*batches: Batch, **options) -> list:
        async def run():
            async with open_session(**options) as session:
                return [result for batch in batches for result in await plugin.send_content(session, batch)]

        return asyncio.run(run())

    return sent


@pytest.fixture(scope="session")
def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def event(user: str, course: str = "Ex+1", **changes) -> dict:
    """A learning event as the exporter builds it for the learner's own endpoint."""
    return {
        "completedTimestamp": 1772357415250,
        "courseCompleted": "true",
        "courseID": course,
        "creditHours": 0.0,
        "grade": "Pass",
        "providerID": "EDX",
        "totalHours": 0.0,
        "userID": user,
        **changes,
    }


@pytest.fixture
def make_outcome():
    """Build the batch of one completion; ``generic`` for the service user's endpoint."""

    def make(user: str, course: str = "Ex+1", *, generic: bool = False, **changes) -> Batch:
        body = event(user, course, **{**({"courseCompleted": True} if generic else {}), **changes})
        key = f"{user}-{course}"
        return Batch(Operation.CREATE, (Payload(key, Operation.CREATE, body, fingerprint(body), user),))

    return make

"""A simulated Moodle, and a session on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from coursewire.errors import SendError
from coursewire.http.opening import open_draft_session
from coursewire.model.configuration import INSECURE_URLS
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment
from coursewire.model.outcomes import Completion
from coursewire.model.payload import Batch, Operation, Payload, Result, fingerprint
from coursewire.plugins.defaults import CoreDefaults
from coursewire.toolkit.results import result_from_error
from coursewire_moodle import plugin
from coursewire_moodle.config import MoodleConfig
from coursewire_moodle.simulator import MoodleSimulator
from coursewire_moodle.simulator.releases import RELEASES

if TYPE_CHECKING:
    from coursewire.model.session import Session

COMPLETE = {"moodle_base_url": "https://moodle.example.org", "token": "planted-token"}
make_batches = CoreDefaults(plugin.declare_channel()).make_batches
"""Core's own way, by the limits that the channel declares."""


NOW = datetime(2031, 2, 1, tzinfo=UTC)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module with ``EVERY_RELEASE = True`` against every release that the simulator knows."""
    if getattr(metafunc.module, "EVERY_RELEASE", False) and "release" in metafunc.fixturenames:
        metafunc.parametrize("release", [each.full for each in RELEASES], indirect=True)


@pytest.fixture
def release(request: pytest.FixtureRequest) -> str:
    """Number of the release that is simulated: the newest, unless the module of the test says otherwise."""
    return str(getattr(request, "param", RELEASES[-1].full))


@pytest.fixture
def moodle(release: str) -> Iterator[MoodleSimulator]:
    simulator = MoodleSimulator(release=release)
    with simulator.running():
        yield simulator


@pytest.fixture
def make_config() -> Callable[..., MoodleConfig]:
    """A complete configuration; fields given as ... are left out."""

    def make(**changes: Any) -> MoodleConfig:
        fields = {name: value for name, value in {**COMPLETE, **changes}.items() if value is not ...}
        return MoodleConfig.model_validate(fields)

    return make


@pytest.fixture
def connected(moodle: MoodleSimulator) -> Callable[..., Any]:
    """Run an async function of a session; further arguments change the configuration."""

    def run(call: Callable[[Session], Awaitable[Any]], *, transport: Any = None, **fields: Any) -> Any:
        given = {
            name: value for name, value in {**moodle.sample_config(), **fields}.items() if value is not ...
        }
        config = MoodleConfig.model_validate(given, context={INSECURE_URLS: True})

        async def no_sleep(_seconds: float) -> None:
            await asyncio.sleep(0)

        async def in_session() -> Any:
            async with open_draft_session(
                channel=plugin.declare_channel(),
                config=config,
                authenticate=partial(plugin.authenticate, config),
                insecure_urls=True,
                clock=moodle.clock,
                sleep=no_sleep,
                transport=transport,
            ) as session:
                return await call(session)

        return asyncio.run(in_session())

    return run


Send = Callable[..., list[Result]]


@pytest.fixture
def send(connected: Callable[..., Any]) -> Send:
    """Send payloads of one operation as one batch of content."""

    def send_all(*payloads: Payload, **options: Any) -> list[Result]:
        batch = Batch(payloads[0].operation, payloads)
        results: list[Result] = connected(lambda session: plugin.send_content(session, batch), **options)
        assert len(results) == len(payloads)
        return results

    return send_all


@pytest.fixture
def grade(connected: Callable[..., Any]) -> Send:
    """Send payloads as one batch of outcomes."""

    def send_all(*payloads: Payload, **options: Any) -> list[Result]:
        batch = Batch(payloads[0].operation, payloads)
        results: list[Result] = connected(lambda session: plugin.send_outcomes(session, batch), **options)
        assert len(results) == len(payloads)
        return results

    return send_all


@pytest.fixture
def course() -> Callable[..., Payload]:
    """The payload of a course."""

    def make(
        key: str = "BrackenX+TIDE101",
        operation: Operation = Operation.CREATE,
        remote_id: str | None = None,
        confirmed: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Payload:
        item = {
            "content_type": "course",
            "key": key,
            "title": f"Course {key}",
            "enrollment_url": "https://learn.example.org/enroll",
            "full_description": "<p>Ünïcode 你好</p>",
            **fields,
        }
        config = MoodleConfig.model_validate(COMPLETE)
        body = plugin.export_content(config=config, item=ContentItem.model_validate(item), moment=Moment(NOW))
        return Payload(
            key, operation, body, fingerprint(body), remote_key=key, remote_id=remote_id, confirmed=confirmed
        )

    return make


@pytest.fixture
def completed(make_config: Callable[..., MoodleConfig]) -> Callable[..., Payload]:
    """The payload of a completion; ``config`` changes the configuration."""

    def make(
        learner: str = "lee.moor@example.org",
        percent: object = "0.875",
        course: str = "BrackenX+TIDE101",
        config: dict[str, Any] | None = None,
        enrollment: str = "77",
    ) -> Payload:
        outcome = Completion.model_validate(
            {
                "enrollment_id": enrollment,
                "username": "lee",
                "email": learner,
                "remote_id": learner,
                "course_key": course,
                "course_run_key": f"course-v1:{course}+2T2031",
                "verdict": "Pass",
                "complete": True,
                "completed_at": "2031-04-02T12:00:00Z",
                "percent": percent,
            }
        )
        body = plugin.export_completion(config=make_config(**(config or {})), completion=outcome)
        key = f"{enrollment} {course} {learner}"
        return Payload(key, Operation.CREATE, body, fingerprint(body), remote_key=learner)

    return make


def as_core(send: Send, *payloads: Payload, **options: Any) -> list[Result]:
    """The results as core makes them, also of an error."""
    try:
        return send(*payloads, **options)
    except SendError as error:
        return [result_from_error(error)] * len(payloads)


def calls(moodle: MoodleSimulator) -> list[str]:
    """The functions called so far, and ``token`` for requests of a token."""
    return [
        "token" if "/login" in seen.path else dict(parse_qsl(seen.body or "")).get("wsfunction", "?")
        for seen in moodle.seen
    ]


def form_of(moodle: MoodleSimulator, function: str, number: int = -1) -> dict[str, str]:
    """The form of a call, the last one unless another is wanted."""
    forms = [dict(parse_qsl(seen.body or "", keep_blank_values=True)) for seen in moodle.seen]
    return [form for form in forms if form.get("wsfunction") == function][number]

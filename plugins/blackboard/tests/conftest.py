"""A simulated Learn, sessions on it, and payloads as core makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

import coursewire as cw
from coursewire.client.opening import open_draft_session
from coursewire.model.configuration import INSECURE_URLS
from coursewire.model.payload import fingerprint
from coursewire_blackboard import plugin
from coursewire_blackboard.config import BlackboardConfig
from coursewire_blackboard.simulator import BlackboardSimulator

if TYPE_CHECKING:
    from coursewire.model.outcomes import Outcome

KEY = "RiverU+BOT101"
PAT = "pat@example.org"


@pytest.fixture
def learn() -> Iterator[BlackboardSimulator]:
    simulator = BlackboardSimulator()
    with simulator.running():
        yield simulator


@pytest.fixture
def config_for(learn: BlackboardSimulator) -> Callable[..., BlackboardConfig]:
    def make(**fields: Any) -> BlackboardConfig:
        given = {**learn.sample_config(), **fields}
        return BlackboardConfig.model_validate(given, context={INSECURE_URLS: True})

    return make


@pytest.fixture
def connected(config_for: Callable[..., BlackboardConfig]) -> Callable[..., Any]:
    """Run an async function of a session; further arguments change the configuration."""

    def run(call: Callable[[cw.Session], Awaitable[Any]], **fields: Any) -> Any:
        config = config_for(**fields)

        async def no_sleep(_seconds: float) -> None:
            await asyncio.sleep(0)

        async def in_session() -> Any:
            async with open_draft_session(
                channel=plugin.CHANNEL,
                config=config,
                authenticate=lambda tokens: plugin.authenticate(config=config, tokens=tokens),
                read_slow_down=lambda response: plugin.read_slow_down(response=response),
                insecure_urls=True,
                sleep=no_sleep,
            ) as session:
                return await call(session)

        return asyncio.run(in_session())

    return run


def content_payload(
    operation: cw.Operation = cw.Operation.CREATE,
    remote_id: str | None = None,
    config: BlackboardConfig | None = None,
    **fields: Any,
) -> cw.Payload:
    item = cw.ContentItem.model_validate(
        {
            "content_type": "course",
            "key": KEY,
            "title": "Botany",
            "enrollment_url": "https://learn.example.org/enroll/BOT101/",
            "full_description": "<p>Pflanzen für Anfänger</p>",
            "image_url": "https://cdn.example.org/bot101.png",
            **fields,
        }
    )
    plain = BlackboardConfig(
        blackboard_base_url="https://learn.example.com", client_id="k", client_secret="s", refresh_token="r"
    )
    body = plugin.export_content(config=config or plain, item=item)
    return cw.Payload(item.content_key, operation, body, fingerprint(body), item.content_key, remote_id)


def outcome_payload(outcome: Outcome, config: BlackboardConfig, remote_id: str | None = None) -> cw.Payload:
    if isinstance(outcome, cw.Completion):
        body = plugin.export_completion(config=config, completion=outcome)
    else:
        assert isinstance(outcome, cw.Assessment)
        body = plugin.export_assessment(assessment=outcome)
    operation = cw.Operation.UPDATE if remote_id else cw.Operation.CREATE
    return cw.Payload("1001", operation, body, fingerprint(body), str(outcome.remote_id), remote_id)


def completion(percent: str | None = "0.85", learner: str = PAT, **fields: Any) -> cw.Completion:
    return cw.Completion.model_validate(
        {
            "enrollment_id": "1001",
            "username": "pat",
            "email": learner,
            "remote_id": learner,
            "course_key": KEY,
            "course_run_key": "course-v1:RiverU+BOT101+2024T2",
            "verdict": "Pass",
            "complete": True,
            "completed_at": "2024-06-20T00:00:00Z",
            "percent": percent,
            **fields,
        }
    )


def assessment(earned: str = "9.0", possible: str = "10.0", **fields: Any) -> cw.Assessment:
    return cw.Assessment.model_validate(
        {
            "enrollment_id": "1001",
            "username": "pat",
            "email": PAT,
            "remote_id": PAT,
            "course_key": KEY,
            "course_run_key": "course-v1:RiverU+BOT101+2024T2",
            "subsection_id": "block-v1:RiverU+BOT101+2024T2+type@sequential+block@leafquiz",
            "subsection_name": "Leaf quiz",
            "percent": "0.9",
            "points_earned": earned,
            "points_possible": possible,
            **fields,
        }
    )


class Made:
    """The makers of this file; test modules cannot import a conftest."""

    content = staticmethod(content_payload)
    outcome = staticmethod(outcome_payload)
    completion = staticmethod(completion)
    assessment = staticmethod(assessment)


@pytest.fixture
def made() -> Made:
    return Made()

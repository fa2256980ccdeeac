"""A simulated Learn, sessions on it, and payloads as core makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import coursewire as cw
from coursewire.configurations.configuration import Configuration
from coursewire.configurations.secrets import new_key
from coursewire.http.opening import open_draft_session
from coursewire.installation import Installation
from coursewire.model.configuration import INSECURE_URLS
from coursewire.model.payload import fingerprint
from coursewire.plugins.defaults import CoreDefaults
from coursewire.settings import Settings
from coursewire.testing.database import bare_database_url, database_url, engine, migrated_database
from coursewire_blackboard import plugin
from coursewire_blackboard.config import BlackboardConfig
from coursewire_blackboard.simulator import BlackboardSimulator

if TYPE_CHECKING:
    from coursewire.model.outcomes import Outcome

__all__ = ["bare_database_url", "database_url", "engine", "migrated_database"]

KEY = "RiverU+BOT101"
PAT = "pat@example.org"
BLUE_FERRY = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"


class Time:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def learn(time: Time) -> Iterator[BlackboardSimulator]:
    simulator = BlackboardSimulator(clock=time)
    with simulator.running():
        yield simulator


@pytest.fixture
def config_for(learn: BlackboardSimulator) -> Callable[..., BlackboardConfig]:
    def make(**fields: Any) -> BlackboardConfig:
        given = {**learn.sample_config(), **fields}
        return BlackboardConfig.model_validate(given, context={INSECURE_URLS: True})

    return make


@pytest.fixture
def installation(tmp_path: Path, engine: Any, time: Time) -> Iterator[Installation]:
    settings = Settings.load(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=new_key(),
        allow_insecure_urls=True,
    )
    made = Installation(settings, clock=time)
    yield made
    made.close()


@pytest.fixture
def configure(installation: Installation, learn: BlackboardSimulator) -> Callable[..., Configuration]:
    """Add a configuration, for ``learn`` unless another is given; a field of None is left out."""

    def add(
        at: BlackboardSimulator | None = None,
        customer: str = BLUE_FERRY,
        *,
        active: bool = True,
        **fields: Any,
    ) -> Configuration:
        channel = installation.channels.get("BLACKBOARD").channel
        given = {**(at or learn).sample_config(), **fields}
        given = {name: value for name, value in given.items() if value is not None}
        return installation.configurations.add(channel, customer, given, active=active, actor="ann")

    return add


@pytest.fixture
def connected(config_for: Callable[..., BlackboardConfig], time: Time) -> Callable[..., Any]:
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
                read_slow_down=CoreDefaults(plugin.CHANNEL).read_slow_down,
                insecure_urls=True,
                clock=time,
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

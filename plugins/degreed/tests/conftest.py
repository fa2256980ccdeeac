"""What the tests of both channels share: a clock that stands, and a session over real HTTP on a simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from coursewire.configurations.secrets import new_key
from coursewire.http.opening import open_draft_session
from coursewire.installation import Installation
from coursewire.model.configuration import INSECURE_URLS
from coursewire.settings import Settings
from coursewire.testing.database import bare_database_url, database_url, engine, migrated_database

__all__ = ["bare_database_url", "database_url", "engine", "migrated_database"]


class FakeClock:
    """A clock that stands until somebody sleeps or moves it."""

    def __init__(self) -> None:
        self.now = datetime(2031, 2, 1, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.forward(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connect(clock: FakeClock) -> Callable[..., Any]:
    """Give the function that runs calls of a session on a plugin's simulator, one after the other."""

    def to(plugin: Any, simulator: Any) -> Callable[..., Any]:
        def run(*calls: Callable[..., Any], transport: Any = None, **changes: Any) -> Any:
            config = plugin.declare_channel().config.model_validate(
                {**simulator.sample_config(), **changes}, context={INSECURE_URLS: True}
            )

            async def in_session() -> list[Any]:
                async with open_draft_session(
                    channel=plugin.declare_channel(),
                    config=config,
                    authenticate=partial(plugin.authenticate, config),
                    insecure_urls=True,
                    clock=clock,
                    sleep=clock.sleep,
                    transport=transport,
                ) as session:
                    return [await call(session) for call in calls]

            results = asyncio.run(in_session())
            return results[0] if len(calls) == 1 else results

        return run

    return to


@pytest.fixture
def calls() -> Callable[[Any], list[tuple[str, int]]]:
    """What a simulator was asked but for tokens: method and path below the API, and the status."""

    def of(simulator: Any) -> list[tuple[str, int]]:
        return [
            (f"{seen.method} {seen.path.partition('/api/')[2]}", seen.status)
            for seen in simulator.seen
            if seen.path not in simulator.token_paths
        ]

    return of


@pytest.fixture
def installation(tmp_path: Path, engine: Engine) -> Iterator[Installation]:
    """An installation on the test's database."""
    settings = Settings.load(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=new_key(),
        allow_insecure_urls=True,
    )
    made = Installation(settings)
    yield made
    made.close()

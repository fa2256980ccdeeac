from __future__ import annotations

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import insert

from coursewire.http.opening import open_draft_session
from coursewire.model.channel import Channel, Limits
from coursewire.model.configuration import INSECURE_URLS, ChannelConfig, LmsUrl
from coursewire.storage.database.engine import open_engine
from coursewire.storage.tables.records import configuration
from coursewire.testing.simulator import Simulator, json_response
from coursewire.toolkit.auth import TokenAuth, read_oauth_token

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Time:
    """A clock that moves when somebody sleeps, and remembers for how long."""

    def __init__(self) -> None:
        self.now = NOW
        self.sleeps: list[float] = []
        self.slept = asyncio.Event()

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += timedelta(seconds=seconds)
        self.slept.set()
        await asyncio.sleep(0)


class Config(ChannelConfig):
    base_url: LmsUrl
    client_secret: SecretStr = SecretStr("s3cret/+=&value")
    hosts: tuple[str, ...] = ()
    scope: str = ""

    @property
    def lms_url(self) -> str:
        return self.base_url

    @property
    def allowed_hosts(self) -> frozenset[str]:
        return frozenset(self.hosts)

    @property
    def limit_scope(self) -> str:
        return self.scope or super().limit_scope


def config_for(url: str, **fields: Any) -> Config:
    return Config.model_validate({"base_url": url, **fields}, context={INSECURE_URLS: True})


class Lms(Simulator):
    """An LMS with items, tokens and lists; ``answer`` may replace its answer to an item."""

    code = "LMS"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.valid_tokens: set[str] = set()
        self.issued = 0
        self.token_answer: web.Response | None = None
        self.token_delay_s = 0.0
        self.answer: Any = None
        self.headers_seen: list[Any] = []
        self.raw_paths: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/oauth/token", self.give_token),
            web.route("*", "/{path:.*}", self.item),
        ]

    async def give_token(self, request: web.Request) -> web.Response:
        self.issued += 1
        await asyncio.sleep(self.token_delay_s)
        if self.token_answer is not None:
            return web.Response(
                status=self.token_answer.status,
                body=self.token_answer.body,
                headers=self.token_answer.headers,
            )
        value = f"token-number-{self.issued}-of-the-lms"
        self.valid_tokens = {value}
        return json_response(
            {"access_token": value, "expires_in": 3600, "refresh_token": f"refresh-{self.issued}"}
        )

    async def item(self, request: web.Request) -> web.StreamResponse:
        self.headers_seen.append(request.headers)
        self.raw_paths.append(request.raw_path)
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.valid_tokens and bearer not in self.valid_tokens:
            return json_response({"error": "invalid_token"}, status=401)
        if self.answer is not None:
            answered = self.answer(request)
            return await answered if asyncio.iscoroutine(answered) else answered
        if request.method != "GET":
            self.arrivals[request.path] += 1
        return json_response({"ok": True, "echo": (await request.read()).decode("utf-8", "replace")})


class Oauth(TokenAuth):
    def __init__(self, tokens: Any, url: str) -> None:
        super().__init__(tokens)
        self.url = url

    def token_request(self, current: Any) -> httpx.Request:
        form = {"client_secret": "s3cret/+=&value"}
        if current is not None and current.refresh_token:
            form["refresh_token"] = current.refresh_token
        return httpx.Request("POST", f"{self.url}/oauth/token", data=form)

    def read_token(self, response: httpx.Response) -> Any:
        return read_oauth_token(response, self.tokens.clock)


def channel(**limits: Any) -> Channel:
    return Channel(
        code="LMS", title="Test LMS", requires_api=">=2.0,<3", config=Config, limits=Limits(**limits)
    )


def no_auth(_tokens: Any) -> httpx.Auth:
    return httpx.Auth()


def draft(url: str, time: Time, *, limits: Any = None, fields: Any = None, **options: Any) -> Any:
    options.setdefault("authenticate", no_auth)
    return open_draft_session(
        channel=channel(**(limits or {})),
        config=config_for(url, **(fields or {})),
        insecure_urls=options.pop("insecure_urls", True),
        clock=time,
        sleep=time.sleep,
        rng=random.Random(7),
        **options,
    )


@pytest.fixture
def kit() -> Any:
    """The helpers of this file; test modules cannot import a conftest."""
    return SimpleNamespace(**globals())


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def lms(time: Time) -> Any:
    simulator = Lms(clock=time)
    with simulator.running():
        yield simulator


CONFIGURATION = uuid.UUID("6f1f0c7e-6a2b-4a53-9b5c-0d7a4e4d7d10")


@pytest.fixture
def engine(engine: Any) -> Any:
    with engine.begin() as connection:
        connection.execute(
            insert(configuration).values(
                uuid=CONFIGURATION,
                channel="LMS",
                customer=str(uuid.uuid4()),
                fields="{}",
                active=True,
                version=1,
                created_at=NOW,
                updated_at=NOW,
            )
        )
    return engine


@pytest.fixture
def other_engine(engine: Any, database_url: str) -> Any:
    """The same database, as another process has it."""
    made = open_engine(database_url)
    yield made
    made.dispose()

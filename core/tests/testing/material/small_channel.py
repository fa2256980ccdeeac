"""A channel as small as one can be, and its simulator: one bulk upsert for courses, one for completions."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
from aiohttp import web
from pydantic import SecretStr

from coursewire import hookimpl
from coursewire.errors import NotExportableError, UnreachableError
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, RetireStrategy, Support
from coursewire.model.configuration import ChannelConfig, LmsUrl
from coursewire.model.payload import Result, ResultKind
from coursewire.testing.simulator import Simulator, json_response
from coursewire.toolkit.auth import TokenAuth, read_oauth_token
from coursewire.toolkit.results import read_json, result_from


class SmallConfig(ChannelConfig):
    code = "SMALL"

    base_url: LmsUrl
    """Address of the LMS."""
    client_secret: SecretStr
    """Secret of the client."""

    @property
    def lms_url(self) -> str:
        return self.base_url


@hookimpl
def declare_channel() -> Channel:
    return Channel(
        code="SMALL",
        title="Small",
        requires_api=">=2.0,<3",
        config=SmallConfig,
        capabilities=Capabilities(
            completions=Support.FULL,
            raise_grade=Support.FULL,
            lower_grade=Support.FULL,
            idempotency=Idempotency.UPSERT,
            outcome_idempotency=Idempotency.UPSERT,
            retire_strategies=(RetireStrategy.DELETE,),
        ),
        limits=Limits(batch_items=20, outcome_batch_items=20),
        simulator="small_channel:SmallSimulator",
    )


class SmallAuth(TokenAuth):
    def __init__(self, config, tokens):
        super().__init__(tokens)
        self.config = config

    def token_request(self, current):
        secret = self.config.client_secret.get_secret_value()
        return httpx.Request("POST", f"{self.config.lms_url}/token", data={"client_secret": secret})

    def read_token(self, response):
        return read_oauth_token(response, self.tokens.clock)


@hookimpl
def authenticate(config, tokens):
    return SmallAuth(config, tokens)


@hookimpl
async def check_connection(session):
    answer = await session.get("/me")
    if not answer.is_success or not isinstance(read_json(answer), dict) or "name" not in read_json(answer):
        raise UnreachableError("the LMS did not say who we are", next_step="Check base_url.")
    return ["The LMS knows us."]


@hookimpl
def export_content(item):
    if not item.title:
        raise NotExportableError("title", "the LMS shows nothing else")
    return {"title": item.title}


@hookimpl
def export_completion(completion):
    if completion.percent is None or not completion.remote_id:
        raise NotExportableError("percent", "the LMS takes nothing else")
    return {"course": completion.course_key, "grade": float(completion.percent)}


@hookimpl
async def send_content(session, batch):
    rows = [{"key": p.remote_key, "do": p.operation.value, **p.body} for p in batch.payloads]
    return await send(session, "/courses", rows)


@hookimpl
async def send_outcomes(session, batch):
    rows = [{"key": p.key, "learner": p.remote_key, **p.body} for p in batch.payloads]
    return await send(session, "/grades", rows)


async def send(session, path: str, rows: list[dict[str, Any]]) -> list[Result]:
    answer = await session.post(path, json=rows, safe_to_repeat=True)
    said = read_json(answer)
    if not answer.is_success:
        return [result_from(answer, now=session.clock())] * len(rows)
    words = said.get("results") if isinstance(said, dict) else None
    if not isinstance(words, list) or len(words) != len(rows):
        return [Result(ResultKind.TRY_LATER, "no-acknowledgement", "nothing was said of it")] * len(rows)
    return [
        Result(ResultKind.ACCEPTED) if word == "ok" else Result(ResultKind.REJECTED, "refused", str(word))
        for word in words
    ]


class SmallSimulator(Simulator):
    code = "SMALL"
    token_paths = ("/token",)
    client_secret = "small-simulated-secret"

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.tokens: set[str] = set()

    def routes(self):
        return [
            web.post("/token", self._token),
            web.get("/me", self._me),
            web.post("/courses", self._courses),
            web.post("/grades", self._grades),
        ]

    def sample_config(self):
        return {"base_url": self.url, "client_secret": self.client_secret}

    def expire_tokens(self):
        self.tokens.clear()

    async def _token(self, request):
        if (await request.post()).get("client_secret") != self.client_secret:
            return json_response({"error": "invalid_client"}, status=401)
        self.tokens.add(token := secrets.token_hex(16))
        return json_response({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _refusal(self, request):
        known = request.headers.get("Authorization", "").removeprefix("Bearer ") in self.tokens
        return None if known else json_response({"error": "invalid_token"}, status=401)

    async def _me(self, request):
        return self._refusal(request) or json_response({"name": "Coursewire"})

    async def _courses(self, request):
        if refusal := self._refusal(request):
            return refusal
        return json_response({"results": [self._take(row) for row in await request.json()]})

    def _take(self, row):
        if self.is_poisoned(row["key"]):
            return f"{row['key']} is refused"
        if row["do"] == "retire":
            self.items.pop(row["key"], None)
            return "ok"
        self.items[row["key"]] = row
        self.arrivals[row["key"]] += 1
        return "ok"

    async def _grades(self, request):
        if refusal := self._refusal(request):
            return refusal
        return json_response({"results": [self._grade(row) for row in await request.json()]})

    def _grade(self, row):
        if self.is_poisoned(row["learner"]):
            return "the learner is refused"
        self.outcomes.append(row)
        self.arrivals[f"{row['learner']} {row['course']}"] += 1
        return "ok"

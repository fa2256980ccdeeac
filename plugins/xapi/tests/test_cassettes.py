"""Recorded conversations, replayed: what goes over the wire stays the same, byte for byte.

``COURSEWIRE_RECORD=1 pytest plugins/xapi/tests/test_cassettes.py`` records them anew against the simulator.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr

from coursewire.http.opening import open_draft_session
from coursewire.model.configuration import INSECURE_URLS
from coursewire.model.payload import Batch, Operation, Payload, ResultKind, fingerprint
from coursewire_xapi import plugin
from coursewire_xapi.config import XapiConfig
from coursewire_xapi.simulator import XapiSimulator

CASSETTES = Path(__file__).parent / "cassettes"
RECORD = os.environ.get("COURSEWIRE_RECORD") == "1"
HOST = "http://lrs.example.org"


def mask_request(request: Any) -> Any:
    request.uri = HOST + httpx.URL(request.uri).raw_path.decode()
    kept = ("content-type", "x-experience-api-version")
    request.headers = {name: value for name, value in request.headers.items() if name.lower() in kept}
    return request


def mask_response(response: dict[str, Any]) -> dict[str, Any]:
    kept = ("content-type", "x-experience-api-version")
    response["headers"] = {name: value for name, value in response["headers"].items() if name.lower() in kept}
    text = re.sub(rb"http://127\.0\.0\.1:\d+", HOST.encode(), response["body"]["string"])
    response["body"]["string"] = text
    return response


player = vcr.VCR(
    cassette_library_dir=str(CASSETTES),
    record_mode="all" if RECORD else "none",
    match_on=["method", "path", "query", "body", "headers"],
    before_record_request=mask_request,
    before_record_response=mask_response,
)


@pytest.fixture
def replay(store: XapiSimulator) -> Any:
    def run(name: str, call: Any) -> Any:
        if RECORD:
            (CASSETTES / f"{name}.yaml").unlink(missing_ok=True)
        endpoint = f"{store.url if RECORD else HOST}/xAPI"
        config = XapiConfig.model_validate(
            {**store.sample_config(), "endpoint": endpoint}, context={INSECURE_URLS: True}
        )

        async def in_session() -> Any:
            async with open_draft_session(
                channel=plugin.declare_channel(),
                config=config,
                authenticate=lambda _tokens: plugin.authenticate(config=config),
                read_slow_down=lambda _response: None,
                insecure_urls=True,
                transport=httpx.AsyncHTTPTransport(),
            ) as session:
                return await call(session)

        with player.use_cassette(f"{name}.yaml") as cassette:
            result = asyncio.run(in_session())
        assert RECORD or cassette.all_played
        assert RECORD or not store.seen
        return result

    return run


def payload(config: XapiConfig, outcome: Any, remote_id: str | None = None) -> Payload:
    made = plugin.export_enrollment if hasattr(outcome, "active") else plugin.export_completion
    name = "enrollment" if hasattr(outcome, "active") else "completion"
    body = made(config=config, **{name: outcome})
    operation = Operation.UPDATE if remote_id else Operation.CREATE
    return Payload(outcome.enrollment_id, operation, body, fingerprint(body), "E-4417", remote_id=remote_id)


def test_joining_passing_correcting_and_taking_back(replay, completion, report) -> None:
    async def call(session: Any) -> list[Any]:
        config, results = session.config, []
        batch = (payload(config, report()), payload(config, completion(email=None)))
        results += await plugin.send_outcomes(session, Batch(Operation.CREATE, batch))
        for outcome in (completion(percent="0.91"), completion(complete=False)):
            corrected = payload(config, outcome, results[-1].remote_id)
            results += await plugin.send_outcomes(session, Batch(Operation.UPDATE, (corrected,)))
        return results

    results = replay("life-of-a-completion", call)
    assert {each.kind for each in results} == {ResultKind.ACCEPTED}
    assert [len(each.remote_id.split()) for each in results] == [1, 1, 2, 2]


def test_an_id_that_is_known_with_other_words(replay, completion) -> None:
    async def call(session: Any) -> Any:
        first = payload(session.config, completion())
        renamed = payload(session.config, completion(course={"title": "Soil, revised", "language": "en"}))
        for each in (first, renamed):
            results = await plugin.send_outcomes(session, Batch(Operation.CREATE, (each,)))
        return results

    (result,) = replay("known-id", call)
    assert (result.kind, result.http_status) == (ResultKind.ALREADY_SO, 409)


def test_one_that_is_refused(replay, completion) -> None:
    async def call(session: Any) -> Any:
        wrong = payload(session.config, completion(completed_at="2999-01-01T00:00:00Z"))
        return await plugin.send_outcomes(session, Batch(Operation.CREATE, (wrong,)))

    (result,) = replay("refused", call)
    assert (result.kind, result.message) == (
        ResultKind.REJECTED,
        "statement 0: timestamp: lies in the future",
    )


def test_a_connection_that_works(replay) -> None:
    assert len(replay("check-connection", plugin.check_connection)) == 3


def test_no_cassette_holds_a_secret() -> None:
    cassettes = sorted(CASSETTES.glob("*.yaml"))
    assert cassettes
    for cassette in cassettes:
        text = cassette.read_text(encoding="utf-8")
        assert not re.search(r"authorization|basic \S|simulated-secret|127\.0\.0\.1", text, re.IGNORECASE)
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", text), "an e-mail address"

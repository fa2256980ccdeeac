"""Recorded conversations, replayed: what goes over the wire stays the same, byte for byte.

``COURSEWIRE_RECORD=1 pytest plugins/cornerstone/tests/test_cassettes.py`` records them anew against the simulator.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import orjson
import pytest
import vcr

from coursewire.model.inbound import InboundAnswer, Launch
from coursewire.model.outcomes import Completion
from coursewire.model.payload import Batch, Operation, Payload, ResultKind, fingerprint
from coursewire.storage.launches import Newest
from coursewire_cornerstone import plugin
from coursewire_cornerstone.config import CornerstoneConfig
from coursewire_cornerstone.simulator import CALLBACK, CornerstoneSimulator

from .conftest import CUSTOMER, NOON

if TYPE_CHECKING:
    from coursewire.http.session import HttpSession
    from coursewire.model.session import Session

CASSETTES = Path(__file__).parent / "cassettes"
RECORD = os.environ.get("COURSEWIRE_RECORD") == "1"
HOST = "http://acme.example.org"
MASKED = "MASKED"
COURSE = "0f0e6c1c-7a55-4b6e-9a5f-2f6d0f5d9b1a"
GUID = "5c9b6d0e-2f4a-4b8e-9c1d-7a3e5f6b8d90"


def mask_request(request: Any) -> Any:
    path = httpx.URL(request.uri).raw_path.decode()
    request.uri = HOST + re.sub(r"sessionToken=[^&]*", f"sessionToken={MASKED}", path)
    request.headers = {"content-type": request.headers.get("content-type", "")}
    if path.endswith("/oauth2/token"):
        request.body = MASKED.encode()
    return request


def mask_response(response: dict[str, Any]) -> dict[str, Any]:
    body = orjson.loads(response["body"]["string"])
    if isinstance(body, dict) and "access_token" in body:
        response["body"]["string"] = orjson.dumps({**body, "access_token": MASKED})
    response["headers"] = {k: v for k, v in response["headers"].items() if k.lower() == "content-type"}
    return response


player = vcr.VCR(
    cassette_library_dir=str(CASSETTES),
    record_mode="all" if RECORD else "none",
    match_on=["method", "path", "query", "body"],
    before_record_request=mask_request,
    before_record_response=mask_response,
)


def told(session: Session, **fields: Any) -> Batch:
    usual = {
        "enrollment_id": "1",
        "username": "ada",
        "email": None,
        "remote_id": GUID,
        "course_key": COURSE,
        "course_run_key": "run",
        "verdict": "Pass",
        "complete": True,
        "completed_at": "2026-03-01T09:30:15.250Z",
        "percent": "0.9",
    }
    outcome = Completion.model_validate({**usual, **fields})
    body = plugin.export_completion(config=cast("CornerstoneConfig", session.config), completion=outcome)
    key = str(outcome.remote_id)
    return Batch(None, (Payload(key, Operation.CREATE, body, fingerprint(body), remote_key=key),))


Replay = Callable[..., Any]


@pytest.fixture
def replay(portal: CornerstoneSimulator, connected: Callable[..., Any]) -> Replay:
    def run(name: str, call: Callable[[Session], Awaitable[Any]], **fields: Any) -> Any:
        if RECORD:
            (CASSETTES / f"{name}.yaml").unlink(missing_ok=True)
            listed = {
                "ID": COURSE,
                "Title": "Botany",
                "Description": "",
                "URL": "https://learn.example.org/a",
                "IsActive": True,
                "LastModifiedUTC": "2026-02-19T10:00:00Z",
                "Languages": ["en-US"],
                "Partners": [{"Name": "X"}],
            }

            async def listing(*_args: Any, **_more: Any) -> InboundAnswer:
                return InboundAnswer.json([listed])

            asyncio.run(portal.poll(listing, CUSTOMER))
        portal.learners["ada"] = GUID
        with player.use_cassette(f"{name}.yaml") as cassette:
            fields["cornerstone_base_url"] = portal.url if RECORD else HOST
            result = connected(call, transport=httpx.AsyncHTTPTransport(), **fields)
        assert RECORD or cassette.all_played
        assert RECORD or not portal.seen
        return result

    return run


def test_results_by_the_transcript_api(replay: Replay) -> None:
    async def call(session: Session) -> list[Any]:
        in_progress = {"verdict": "In Progress", "complete": False, "completed_at": None}
        results = await plugin.send_outcomes(session, told(session, **in_progress))
        results += await plugin.send_outcomes(session, told(session))
        return results + await plugin.send_outcomes(session, told(session, course_key="unknown"))

    results = replay("transcript", call, learner_id="launch", learner_field="userGuid")

    assert [result.kind for result in results] == [
        ResultKind.ACCEPTED,
        ResultKind.ACCEPTED,
        ResultKind.BLOCKED,
    ]


def test_a_result_by_the_callback(replay: Replay, portal: CornerstoneSimulator) -> None:
    token = portal.arrive("ada")["sessionToken"] if RECORD else MASKED

    async def call(session: HttpSession) -> list[Any]:
        class Kept:
            def newest(self) -> Newest:
                return Newest(Launch("ada", "A+B", GUID, CALLBACK, token, NOON), {})

        session._launches = Kept()  # type: ignore[assignment]
        return await plugin.send_outcomes(session, told(session))

    fields = {**portal.sample_config("callback"), "client_id": "", "client_secret": ""}
    (result,) = replay("callback", call, **fields)

    assert result.kind is ResultKind.ACCEPTED


def test_a_connection_that_works(replay: Replay) -> None:
    assert len(replay("check-connection", plugin.check_connection)) == 2


def test_no_cassette_holds_a_secret() -> None:
    cassettes = sorted(CASSETTES.glob("*.yaml"))

    assert len(cassettes) == 3
    for cassette in cassettes:
        text = cassette.read_text(encoding="utf-8")
        assert not re.search(r"simulated|authorization|bearer \S|basic \S|set-cookie", text, re.IGNORECASE)
        assert set(re.findall(r'"access_token":\s*"([^"]*)', text)) <= {MASKED}
        assert set(re.findall(r"sessionToken=([^&\s]*)", text)) <= {MASKED}
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", text), "an e-mail address"

"""Recorded conversations, replayed: what goes over the wire stays the same, byte for byte.

``COURSEWIRE_RECORD=1 pytest plugins/canvas/tests/test_cassettes.py`` records them anew against the simulator.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import orjson
import pytest
import vcr

from coursewire.model.content import ContentItem
from coursewire.model.outcomes import Completion
from coursewire.model.payload import Batch, Operation, Payload, Result, ResultKind, fingerprint
from coursewire_canvas import plugin
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.simulator import CanvasSimulator

if TYPE_CHECKING:
    from coursewire.model.session import Session

CASSETTES = Path(__file__).parent / "cassettes"
RECORD = os.environ.get("COURSEWIRE_RECORD") == "1"
HOST = "http://canvas.example.org"
MASKED = "MASKED"
KEY = "course-v1:RiverU+BOT101+2024T2"


def mask_request(request: Any) -> Any:
    parts = httpx.URL(request.uri)
    request.uri = HOST + parts.raw_path.decode()
    request.headers = {"content-type": request.headers.get("content-type", "")}
    if parts.path.startswith("/login"):
        request.body = MASKED.encode()
    return request


def mask_response(response: dict[str, Any]) -> dict[str, Any]:
    body = orjson.loads(response["body"]["string"])
    if "access_token" in body:
        response["body"]["string"] = orjson.dumps({**body, "access_token": MASKED})
    kept = ("content-type", "link", "www-authenticate")
    response["headers"] = {k: v for k, v in response["headers"].items() if k.lower() in kept}
    return response


player = vcr.VCR(
    cassette_library_dir=str(CASSETTES),
    record_mode="all" if RECORD else "none",
    match_on=["method", "path", "query", "body"],
    before_record_request=mask_request,
    before_record_response=mask_response,
)


def payload(operation: Operation, remote_id: str | None = None, title: str = "Botany") -> Payload:
    item = ContentItem.model_validate(
        {
            "content_type": "courserun",
            "key": KEY,
            "title": title,
            "enrollment_url": "https://learn.example.org/enroll/BOT101/?a=1&b=2",
            "full_description": "<p>Pflanzen für Anfänger</p>",
            "image_url": "https://cdn.example.org/bot101.png",
            "start": "2024-04-01T00:00:00Z",
        }
    )
    body = plugin.export_content(item=item)
    return Payload(KEY, operation, body, fingerprint(body), remote_key=KEY, remote_id=remote_id)


Replay = Callable[[str, Callable[["Session"], Awaitable[Any]]], Any]


@pytest.fixture
def replay(canvas: CanvasSimulator, connected: Callable[..., Any]) -> Replay:
    def run(name: str, call: Callable[[Session], Awaitable[Any]]) -> Any:
        if RECORD:
            (CASSETTES / f"{name}.yaml").unlink(missing_ok=True)
        with player.use_cassette(f"{name}.yaml") as cassette:
            address = canvas.url if RECORD else HOST
            result = connected(call, transport=httpx.AsyncHTTPTransport(), canvas_base_url=address)
        assert RECORD or cassette.all_played
        assert RECORD or not canvas.seen
        return result

    return run


def test_the_life_of_a_course(replay: Replay) -> None:
    async def call(session: Session) -> list[Result]:
        results: list[Result] = []
        for operation, title in (
            (Operation.CREATE, "Botany"),
            (Operation.UPDATE, "Botany II"),
            (Operation.RETIRE, "Botany II"),
            (Operation.CREATE, "Botany III"),
        ):
            remote_id = results[-1].remote_id if results else None
            sent = payload(operation, remote_id, title)
            results += await plugin.send_content(session, Batch(operation, (sent,)))
        return results

    results = replay("life-of-a-course", call)

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert {result.remote_id for result in results} == {"1001"}


def graded(
    session: Session,
    learner: str,
    percent: str = "0.9",
    operation: Operation = Operation.UPDATE,
    **fields: Any,
) -> Payload:
    outcome = Completion.model_validate(
        {
            "enrollment_id": learner,
            "username": learner,
            "email": None,
            "remote_id": learner,
            "course_key": KEY,
            "course_run_key": KEY,
            "verdict": "Pass",
            "complete": True,
            "completed_at": None,
            "percent": percent,
            **fields,
        }
    )
    body = plugin.export_completion(config=cast("CanvasConfig", session.config), completion=outcome)
    return Payload(learner, operation, body, fingerprint(body), remote_key=learner)


def test_the_grades_of_a_course(canvas: CanvasSimulator, replay: Replay) -> None:
    if RECORD:
        canvas.add_course(KEY, workflow_state="available")
        for login in ("s-1", "s-2", "s-3"):
            user = canvas.gradebook.add_user(None, login=login)
            canvas.gradebook.enrollments[canvas.items[KEY]["id"], user["id"]] = "active"
        canvas.gradebook.progress_polls = 1

    async def call(session: Session) -> list[Result]:
        first = [graded(session, f"s-{number}", "0.85", Operation.CREATE) for number in range(1, 5)]
        results = await plugin.send_outcomes(session, Batch(Operation.CREATE, tuple(first)))
        for corrected in (graded(session, "s-1"), graded(session, "s-1", complete=False)):
            results += await plugin.send_outcomes(session, Batch(Operation.UPDATE, (corrected,)))
        return results

    results = replay("grades-of-a-course", call)

    assert [result.reason for result in results] == ["", "", "", "learner-unmatched", "", ""]
    assert [result.confirms for result in results] == [True, True, True, False, True, True]


def test_a_connection_that_works(replay: Replay) -> None:
    assert len(replay("check-connection", plugin.check_connection)) == 4


def test_no_cassette_holds_a_secret() -> None:
    cassettes = sorted(CASSETTES.glob("*.yaml"))
    secrets = (CanvasSimulator.client_secret, CanvasSimulator.refresh_token)

    assert cassettes
    for cassette in cassettes:
        text = cassette.read_text(encoding="utf-8")
        assert not re.search(
            r"simulated|authorization|bearer \S|set-cookie|refresh_token", text, re.IGNORECASE
        )
        assert not any(secret in text for secret in secrets)
        assert re.findall(r'"access_token":\s*"([^"]*)', text) == [MASKED]
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", text), "an e-mail address"

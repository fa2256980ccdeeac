"""Recorded conversations, replayed: what goes over the wire stays the same, byte for byte.

``COURSEWIRE_RECORD=1 pytest plugins/moodle/tests/test_cassettes.py`` records them anew against the simulator.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import vcr

from coursewire.model.payload import Batch, Operation, Payload, Result, ResultKind
from coursewire_moodle import plugin
from coursewire_moodle.simulator import MoodleSimulator

if TYPE_CHECKING:
    from coursewire.model.session import Session

CASSETTES = Path(__file__).parent / "cassettes"
RECORD = os.environ.get("COURSEWIRE_RECORD") == "1"
HOST = "http://moodle.example.org"
MASKED = "MASKED"
LEARNERS = ("s-1", "s-2", "S-3", "s-4")

SECRET = re.compile(r"(wstoken=|username=|password=|\"token\":\s*\")[^&\"]*")


def mask_request(request: Any) -> Any:
    parts = httpx.URL(request.uri)
    request.uri = HOST + parts.raw_path.decode()
    request.headers = {"content-type": request.headers.get("content-type", "")}
    request.body = SECRET.sub(rf"\1{MASKED}", (request.body or b"").decode()).encode()
    return request


def mask_response(response: dict[str, Any]) -> dict[str, Any]:
    text = response["body"]["string"].decode()
    text = re.sub(r"http:(?:\\?/){2}127\.0\.0\.1:\d+", HOST, SECRET.sub(rf"\1{MASKED}", text))
    response["body"]["string"] = text.encode()
    response["headers"] = {k: v for k, v in response["headers"].items() if k.lower() == "content-type"}
    return response


player = vcr.VCR(
    cassette_library_dir=str(CASSETTES),
    record_mode="all" if RECORD else "none",
    match_on=["method", "path", "query", "body"],
    before_record_request=mask_request,
    before_record_response=mask_response,
)

Replay = Callable[[str, Callable[["Session"], Awaitable[Any]]], Any]


@pytest.fixture
def replay(moodle: MoodleSimulator, connected: Callable[..., Any]) -> Replay:
    def run(name: str, call: Callable[[Session], Awaitable[Any]]) -> Any:
        if RECORD:
            (CASSETTES / f"{name}.yaml").unlink(missing_ok=True)
        with player.use_cassette(f"{name}.yaml") as cassette:
            address = moodle.url if RECORD else HOST
            transport = httpx.AsyncHTTPTransport()
            result = connected(call, transport=transport, moodle_base_url=address, learner_id="sso")
        assert RECORD or cassette.all_played
        assert RECORD or not moodle.seen
        return result

    return run


def life_of(course: Callable[..., Payload]) -> Callable[[Session], Awaitable[list[Result]]]:
    async def call(session: Session) -> list[Result]:
        results: list[Result] = []
        for operation, title in (
            (Operation.CREATE, "Gezeiten für Anfänger"),
            (Operation.UPDATE, "Gezeiten II"),
            (Operation.RETIRE, "Gezeiten II"),
            (Operation.CREATE, "Gezeiten III"),
        ):
            known = results[-1].remote_id if results else None
            sent = course(operation=operation, remote_id=known, title=title)
            results += await plugin.send_content(session, Batch(operation, (sent,)))
        return results

    return call


@pytest.mark.parametrize("reply", ["json", "xml"])
def test_the_life_of_a_course(moodle: MoodleSimulator, replay: Replay, course: Any, reply: str) -> None:
    moodle.reply_format = "" if reply == "json" else reply

    results = replay(f"life-of-a-course-{reply}", life_of(course))

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert len({result.remote_id for result in results}) == 1


def test_a_course_that_is_there_is_adopted(moodle: MoodleSimulator, replay: Replay, course: Any) -> None:
    if RECORD:
        moodle.courses.add("BrackenX+TIDE101", visible=0)

    async def call(session: Session) -> list[Result]:
        return await plugin.send_content(session, Batch(Operation.CREATE, (course(), course("K2"))))

    assert {result.kind for result in replay("adopted", call)} == {ResultKind.ACCEPTED}


def test_the_grades_of_a_course(moodle: MoodleSimulator, replay: Replay, completed: Any) -> None:
    if RECORD:
        for login in LEARNERS[:3]:
            moodle.enroll("BrackenX+TIDE101", login)
            user = moodle.grades.user_of(login)
            assert user is not None
            user["username"] = login.lower()

    async def call(session: Session) -> list[Result]:
        payloads = tuple(completed(login, enrollment=login) for login in LEARNERS)
        results = await plugin.send_outcomes(session, Batch(Operation.CREATE, payloads))
        better = (completed("s-1", "0.95", enrollment="s-1"),)
        return results + await plugin.send_outcomes(session, Batch(Operation.UPDATE, better))

    results = replay("grades-of-a-course", call)

    assert [result.reason for result in results] == ["", "", "", "learner-unmatched", ""]
    assert [result.confirms for result in results] == [True, True, True, False, True]


def test_a_connection_that_works(replay: Replay) -> None:
    assert len(replay("check-connection", plugin.check_connection)) == 3


def test_no_cassette_holds_a_secret() -> None:
    cassettes = sorted(CASSETTES.glob("*.yaml"))

    assert cassettes
    for cassette in cassettes:
        text = cassette.read_text(encoding="utf-8")
        assert not re.search(r"simulated-password|authorization|set-cookie", text, re.IGNORECASE)
        assert set(re.findall(r"wstoken=(\w*)", text)) == {MASKED}
        assert set(re.findall(r'"token":\s*"([^"]*)', text)) == {MASKED}
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", text), "an e-mail address"

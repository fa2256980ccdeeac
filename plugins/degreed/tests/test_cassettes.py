"""Recorded conversations, replayed: what goes over the wire stays the same, byte for byte.

``COURSEWIRE_RECORD=1 pytest plugins/degreed/tests/test_cassettes.py`` records them anew against the simulators.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr

from coursewire.errors import BlockedError, CredentialsError
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment
from coursewire.model.outcomes import Completion
from coursewire.model.payload import Batch, Operation, Payload, fingerprint
from coursewire_degreed.v1 import plugin as v1
from coursewire_degreed.v1.simulator import DegreedV1Simulator
from coursewire_degreed.v2 import plugin as v2
from coursewire_degreed.v2.simulator import Degreed2Simulator

CASSETTES = Path(__file__).parent / "cassettes"
RECORD = os.environ.get("COURSEWIRE_RECORD") == "1"
HOST = "http://degreed.example.org"
MASKED = "masked"
KEPT_HEADERS = {"content-type", "accept", "retry-after"}
CREATE, UPDATE, RETIRE = Operation.CREATE, Operation.UPDATE, Operation.RETIRE


def mask_request(request: Any) -> Any:
    request.uri = re.sub(r"^https?://[^/]+", HOST, request.uri)
    request.headers = {k: v for k, v in request.headers.items() if k.lower() in KEPT_HEADERS}
    if request.path.endswith("/token"):
        request.body = MASKED.encode()
    return request


def mask_response(response: dict[str, Any]) -> dict[str, Any]:
    response["headers"] = {k: v for k, v in response["headers"].items() if k.lower() in KEPT_HEADERS}
    body = response["body"]["string"]
    if b"_token" in body:
        made = {
            name: MASKED if name.endswith("_token") else value for name, value in json.loads(body).items()
        }
        response["body"]["string"] = json.dumps(made).encode()
    response["body"]["string"] = re.sub(rb"http://127[^/]+", HOST.encode(), response["body"]["string"])
    return response


player = vcr.VCR(
    cassette_library_dir=str(CASSETTES),
    record_mode=vcr.mode.ALL if RECORD else vcr.mode.NONE,
    match_on=["method", "path", "query", "body"],
    before_record_request=mask_request,
    before_record_response=mask_response,
)

SAMPLES = {
    v1: {
        "key": "planted-key",
        "secret": "planted-secret",
        "degreed_company_id": DegreedV1Simulator.company,
        "degreed_user_id": "planted-user",
        "degreed_user_password": "planted-password",
    },
    v2: {"client_id": "planted-key", "client_secret": "planted-secret"},
}


class Recorded:
    """Stands for the simulator when a cassette is replayed."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin

    def sample_config(self) -> dict[str, Any]:
        return {**SAMPLES[self.plugin], "degreed_base_url": HOST}


@pytest.fixture
def play(connect, clock):
    """Run calls of a session with the cassette of a name, on the simulator when recording."""

    def played(name, plugin, *calls, change=lambda simulator: None, **fields):
        kind = DegreedV1Simulator if plugin is v1 else Degreed2Simulator
        how = {"transport": httpx.AsyncHTTPTransport(), **fields}  # the recorder does not reach into aiohttp
        if RECORD:
            (CASSETTES / f"{name}.yaml").unlink(missing_ok=True)
        with player.use_cassette(f"{name}.yaml") as cassette:
            if RECORD:
                with kind(clock=clock).running() as simulator:
                    change(simulator)
                    return connect(plugin, simulator)(*calls, **how)
            result = connect(plugin, Recorded(plugin))(*calls, **how)
            assert cassette.all_played
            return result

    return played


def course(config, plugin, key, operation, title="Tides", remote_id=None, **fields):
    item = ContentItem.model_validate(
        {
            "content_type": "course",
            "key": key,
            "title": title,
            "enrollment_url": f"https://learn.example.org/{key}",
            "full_description": "<p>Gezeiten für Anfänger &amp; 初学者</p>",
            "skill_names": ["Navigation"],
            **fields,
        }
    )
    from datetime import UTC, datetime

    how = {"item": item, "moment": Moment(datetime(2031, 2, 1, tzinfo=UTC))}
    body = plugin.export_content(**how) if plugin is v1 else plugin.export_content(config=config, **how)
    return Payload(key, operation, body, fingerprint(body), key, remote_id)


def completion(config, plugin, learner, *, complete=True, percent="0.875", remote_id=None):
    outcome = Completion.model_validate(
        {
            "enrollment_id": learner,
            "username": learner,
            "email": None,
            "remote_id": learner,
            "course_key": "Ex+1",
            "course_run_key": "course-v1:Ex+1+R",
            "verdict": "Pass" if complete else "Fail",
            "complete": complete,
            "completed_at": "2031-01-02T12:00:00Z" if complete else None,
            "percent": percent,
        }
    )
    body = plugin.export_completion(config=config, completion=outcome)
    return Payload(learner, CREATE, body, fingerprint(body), learner, remote_id)


def test_v2_the_life_of_a_course(play):
    async def life(session):
        results, known = [], None
        for operation, title in (
            (CREATE, "Tides"),
            (UPDATE, "Tides II"),
            (RETIRE, ""),
            (CREATE, "Tides III"),
        ):
            payload = course(session.config, v2, "Ex+1", operation, title or "x", known)
            if operation is RETIRE:
                body = v2.export_retirement(config=session.config)
                payload = Payload("Ex+1", RETIRE, body, fingerprint(body), "Ex+1", known)
            results += await v2.send_content(session, Batch(operation, (payload,)))
            known = results[-1].remote_id
        return results

    results = play("v2-life-of-a-course", v2, life)

    assert [result.confirms for result in results] == [True] * 4
    assert {result.remote_id for result in results} == {"c1001"}


def test_v2_conflicts(play):
    def there(simulator):
        simulator.add_course("Ex+1", obsolete=True)
        simulator.add_course("stranger", url="https://learn.example.org/Ex+2")

    async def both(session):
        results = []
        for key in ("Ex+1", "Ex+2"):
            payload = course(session.config, v2, key, CREATE, skill_names=[])
            results += await v2.send_content(session, Batch(CREATE, (payload,)))
        return results

    adopted, taken = play("v2-conflicts", v2, both, change=there)

    assert (adopted.confirms, adopted.remote_id) == (True, "c1001")
    assert taken.reason == "url-taken"


def test_v2_completions(play):
    def there(simulator):
        simulator.add_course("Ex+1")
        simulator.users_only, simulator.users = True, {"learner-1"}

    async def all_of_them(session):
        results = []
        for learner, fields in (
            ("learner-1", {}),
            ("learner-2", {}),
            ("learner-1", {"percent": "0"}),
            ("learner-1", {"complete": False}),
        ):
            known = results[0].remote_id if results and learner == "learner-1" else None
            payload = completion(session.config, v2, learner, remote_id=known, **fields)
            results += await v2.send_outcomes(session, Batch(CREATE, (payload,)))
        return results

    results = play("v2-completions", v2, all_of_them, change=there, learner_id="employee_id")

    assert [result.reason for result in results] == ["", "learner-unmatched", "", ""]


def test_v2_list_and_connection(play):
    def there(simulator):
        simulator.largest_page = 2
        for number in range(3):
            simulator.add_course(f"Ex+{number}")

    # The cursors of a list are made at random: they are in the recording.
    found, said = play("v2-list", v2, v2.list_remote, v2.check_connection, change=there)

    assert [item.remote_key for item in found] == ["Ex+0", "Ex+1", "Ex+2"]
    assert len(said) == 2


def test_v2_a_key_that_lacks_a_scope(play):
    async def check(session):
        with pytest.raises(BlockedError) as caught:
            await v2.check_connection(session)
        return str(caught.value)

    def poor(simulator):
        simulator.scopes.discard("completions:write")

    # All token requests look alike once they are masked, so that their order decides.
    assert "it lacks completions:write" in play("v2-missing-scope", v2, check, change=poor)


def test_v1_batches(play):
    async def batches(session):
        payloads = tuple(course(session.config, v1, key, CREATE) for key in ("Ex+1", "Ex+2"))
        made = await v1.send_content(session, Batch(CREATE, payloads))
        told = await v1.send_outcomes(
            session, Batch(CREATE, tuple(completion(session.config, v1, f"learner-{n}") for n in (1, 2)))
        )
        back = completion(session.config, v1, "learner-1", complete=False)
        told += await v1.send_outcomes(session, Batch(UPDATE, (back,)))
        gone = await v1.send_content(session, Batch(RETIRE, payloads[1:]))
        return made + told + gone

    assert all(result.confirms for result in play("v1-batches", v1, batches))


def test_v1_a_refusal_that_names_a_course(play):
    async def batch(session):
        payloads = tuple(course(session.config, v1, key, CREATE) for key in ("Ex+1", "Ex+2"))
        return await v1.send_content(session, Batch(CREATE, payloads))

    results = play("v1-refused", v1, batch, change=lambda simulator: simulator.poisoned.add("Ex+2"))

    assert [result.reason for result in results] == ["batch-refused", "refused"]


def test_v1_a_wrong_password(play):
    async def check(session):
        with pytest.raises(CredentialsError) as caught:
            await v1.check_connection(session)
        return caught.value.http_status

    assert play("v1-wrong-password", v1, check, degreed_user_password="not-the-password") == 401


def test_no_cassette_holds_a_secret_an_address_or_a_place():
    patterns = {
        "authorization": r"(?i)authorization|bearer \S|basic ",
        "token": r'_token"?:\s*\\?"(?!masked)',
        "secret": f"{Degreed2Simulator.client_secret}|{DegreedV1Simulator.password}|planted|not-the-password",
        "client": Degreed2Simulator.client_id,
        "place": r"127\.0\.0\.1|localhost",
        "address": r"[\w.+-]+@[\w-]+\.\w+",
    }
    texts = {path.name: path.read_text("utf-8") for path in CASSETTES.glob("*.yaml")}

    assert len(texts) == 8
    for name, text in texts.items():
        for what, pattern in patterns.items():
            assert not re.search(pattern, text), (name, what)

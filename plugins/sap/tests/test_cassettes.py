"""Recordings of the channel's traffic, replayed without a network.

``COURSEWIRE_RECORD=1`` records them anew, from the simulator; otherwise they are only replayed. What is
written holds no credential: see ``scrub_request`` and ``scrub_response``.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from functools import partial
from pathlib import Path

import httpx
import pytest
import vcr
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coursewire.client.opening import open_draft_session
from coursewire.errors import CredentialsError, ThrottledError
from coursewire.model.configuration import INSECURE_URLS
from coursewire.model.payload import Operation, ResultKind
from coursewire_sap import plugin
from coursewire_sap.config import AuthType, SapConfig
from coursewire_sap.inactive import read_inactive
from coursewire_sap.simulator import SapSimulator

CASSETTES = Path(__file__).parent / "cassettes"
HOST = "https://tenant.example.com"
RECORDING = os.environ.get("COURSEWIRE_RECORD") == "1"
SCRUBBED = "scrubbed"
KEPT_HEADERS = {"content-type", "accept", "retry-after"}
BREAK = {"title": []}


def scrub_request(request):
    request.uri = re.sub(r"^https?://[^/]+", HOST, request.uri)
    request.headers = {k: v for k, v in request.headers.items() if k.lower() in KEPT_HEADERS}
    if request.path.endswith("/token"):
        request.body = SCRUBBED.encode()
    return request


def scrub_response(response):
    response["headers"] = {k: v for k, v in response["headers"].items() if k.lower() in KEPT_HEADERS}
    body = response.get("body", {}).get("string") or b""
    if b"access_token" in body:
        response["body"]["string"] = json.dumps({**json.loads(body), "access_token": SCRUBBED}).encode()
    return response


recorder = vcr.VCR(
    cassette_library_dir=str(CASSETTES),
    record_mode=vcr.mode.ALL if RECORDING else vcr.mode.NONE,
    match_on=["method", "uri", "body"],
    before_record_request=scrub_request,
    before_record_response=scrub_response,
)

ACCEPTED, REJECTED, TRY_LATER = ResultKind.ACCEPTED, ResultKind.REJECTED, ResultKind.TRY_LATER
FLOWS = {"learning_token": AuthType.LEARNING_TOKEN_SERVER, "signed_assertion": AuthType.SELF_SIGNED}


@pytest.fixture
def play(clock, rsa_key):
    """Run ``work(session)`` with the cassette of a name, on the simulator when recording."""

    async def sleep(seconds):
        clock.forward(seconds)

    def played(name, work, *, auth_type=AuthType.LEARNING_TOKEN_SERVER, changes=None, students=(), **tenant):
        async def run(fields):
            config = SapConfig.model_validate({**fields, **(changes or {})}, context={INSECURE_URLS: True})
            # httpx's own transport: the recorder does not reach into aiohttp's.
            async with open_draft_session(
                channel=plugin.declare_channel(),
                config=config,
                authenticate=partial(plugin.authenticate, config),
                insecure_urls=True,
                clock=clock,
                sleep=sleep,
                transport=httpx.AsyncHTTPTransport(),
            ) as session:
                return await work(session)

        with recorder.use_cassette(f"{name}.yaml") as cassette:
            if RECORDING:
                (CASSETTES / f"{name}.yaml").unlink(missing_ok=True)
                with SapSimulator(clock=clock, **tenant).running() as simulator:
                    simulator.students = list(students)
                    return asyncio.run(run(simulator.sample_config(auth_type)))
            result = asyncio.run(run(replay_fields(auth_type, rsa_key)))
            assert cassette.all_played
            return result

    return played


def replay_fields(auth_type, rsa_key):
    pem = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "auth_type": auth_type,
        "key": "planted-key",
        "secret": "planted-secret",
        "private_key": pem,
        "sapsf_base_url": HOST,
        "sapsf_company_id": "PLANTED",
        "sapsf_user_id": "planted-user",
        "call_interval_seconds": 0,
    }


@pytest.mark.parametrize("flow", FLOWS)
def test_import(flow, play, make_batch):
    batch = make_batch("Ex+1", ("Ex+2", Operation.RETIRE, {"status": "INACTIVE"}))

    results = play(
        f"import_{flow}", lambda session: plugin.send_content(session, batch), auth_type=FLOWS[flow]
    )

    assert [result.kind for result in results] == [ACCEPTED, ACCEPTED]


def test_a_refusal_that_names_the_course(play, make_batch):
    batch = make_batch("Ex+1", ("Ex+2", Operation.CREATE, BREAK), "Ex+3")

    results = play("import_refused_by_name", lambda session: plugin.send_content(session, batch))

    assert [result.kind for result in results] == [TRY_LATER, REJECTED, TRY_LATER]


def test_a_refusal_of_the_batch(play, make_batch):
    batch = make_batch("Ex+1", ("Ex+2", Operation.CREATE, BREAK))

    results = play("import_refused", lambda session: plugin.send_content(session, batch), name_refused=False)

    assert [(result.kind, result.whole_batch) for result in results] == [(REJECTED, True)] * 2


def test_the_window(play, make_batch, clock):
    async def twice(session):
        await plugin.send_content(session, make_batch("Ex+1"))
        with pytest.raises(ThrottledError) as caught:
            await plugin.send_content(session, make_batch("Ex+2"))
        return (caught.value.retry_at - clock.now).total_seconds()

    assert play("import_throttled", twice, window_seconds=300, changes={"call_interval_seconds": 0}) == 300


@pytest.mark.parametrize("flow", FLOWS)
def test_completion(flow, play, make_outcome):
    async def two(session):
        return [
            await plugin.send_outcomes(session, make_outcome("learner-1", course))
            for course in ("Ex+1", "Ex+2")
        ]

    told = play(f"completion_{flow}", two, auth_type=FLOWS[flow])

    assert [result.kind for (result,) in told] == [ACCEPTED, ACCEPTED]


def test_completion_by_the_service_user(play, make_outcome):
    (result,) = play(
        "completion_generic",
        lambda session: plugin.send_outcomes(session, make_outcome("learner-1", generic=True)),
        changes={"prevent_self_submit_grades": True},
    )

    assert (result.kind, result.http_status) == (ACCEPTED, 201)


def test_completion_of_an_inactive_learner(play, make_outcome):
    (result,) = play(
        "completion_inactive_at_token",
        lambda session: plugin.send_outcomes(session, make_outcome("learner-1")),
        students=[{"studentID": "learner-1", "isActive": False}],
        inactive_get_tokens=False,
    )

    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "learner-inactive-at-lms")


def test_inactive_students(play):
    async def read(session):
        return [page async for page in read_inactive(session)]

    students = [{"studentID": f"learner-{number}", "isActive": number == 1} for number in range(3)]

    assert play("inactive_students", read, students=students) == [["learner-0", "learner-2"]]


def test_connection(play):
    assert len(play("connection", plugin.check_connection)) == 2


def test_a_wrong_secret(play):
    async def check(session):
        with pytest.raises(CredentialsError) as caught:
            await plugin.check_connection(session)
        return caught.value.http_status

    assert play("wrong_secret", check, changes={"secret": "not-the-secret"}) == 403


def test_no_cassette_holds_a_credential_or_a_place():
    patterns = {
        "authorization": r"(?i)authorization|bearer |basic ",
        "token": r"access_token\W+(?!\W*scrubbed)\w{6,}",
        "assertion": r"(?i)assertion=|PRIVATE KEY|<saml|PHNhbWw",
        "secret": "|".join((SapSimulator.secret, SapSimulator.key, "not-the-secret", "planted")),
        "place": r"127\.0\.0\.1|localhost",
    }
    texts = {path.name: path.read_text("utf-8") for path in CASSETTES.glob("*.yaml")}

    assert len(texts) >= 11
    found = [
        (name, what)
        for name, text in texts.items()
        for what, pattern in patterns.items()
        if re.search(pattern, text)
    ]
    assert found == []
    assert all(SCRUBBED in text for text in texts.values())

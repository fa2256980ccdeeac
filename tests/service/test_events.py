"""A platform says that a learner has just passed; what changed goes out, once."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook
from starlette.testclient import TestClient

from coursewire.errors import SettingsError, SourceError
from coursewire.host import Host
from coursewire.model.results import ConsentState
from coursewire.service.app import create_app
from coursewire.settings import Settings
from coursewire.sources.database import load_bundle
from coursewire.sources.sample import sample_bundle

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
OTHER = "whsec_" + b64encode(b"o" * 32).decode()
PATH = "/api/v1/events"


@pytest.fixture
def sample(installation, canvas):
    """The sample bundle, and a configuration of its first customer whose Canvas holds the courses."""
    load_bundle(installation.engine, sample_bundle())
    return installation


@pytest.fixture
def events(sample, monkeypatch):
    settings = sample.settings.model_copy(update={"events_secret": SecretStr(f"{OTHER}, {SECRET}")})
    monkeypatch.setattr(sample, "settings", settings)
    with TestClient(create_app(Host(installation=sample)), raise_server_exceptions=False) as client:
        yield client


def send(client, body, *, secret=SECRET, message=None, age=timedelta(), **changed):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = datetime.now(UTC) - age
    message = message or f"msg_{secrets.token_hex(8)}"
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, at, raw.decode()),
        **changed,
    }
    return client.post(PATH, content=raw, headers=headers)


def passed(username, course):
    return {
        "type": "learner.passed",
        "timestamp": "2026-05-01T00:00:00Z",
        "data": {"username": username, "course": course},
    }


def finished(client, token, uuids):
    deadline = time.monotonic() + 20
    for uuid in uuids:
        while True:
            job = client.get(f"/api/v1/jobs/{uuid}", headers=token).json()
            if job["progress"]["state"] in ("finished", "failed"):
                break
            assert time.monotonic() < deadline, job
            time.sleep(0.02)
        yield job


def test_what_changed_for_one_learner_goes_out(events, sample, sap, token):
    channel = sample.channels.get("SAP").channel
    customer = _customer_with_results(sample)
    sample.configurations.add(channel, customer["customer"], sap.sample_config(), active=True, actor="test")
    event = passed(customer["username"], customer["course"])

    answer = send(events, event)
    assert answer.status_code == 202, answer.text
    (job,) = finished(events, token("viewer"), answer.json()["jobs"])
    assert job["actor"] == "event"
    assert job["summary"]["created"] == 1, job["summary"]
    again = send(events, event)
    (job,) = finished(events, token("viewer"), again.json()["jobs"])
    assert (job["summary"]["created"], job["summary"]["unchanged"]) == (0, 1)
    assert len(sap.completions) == 1


def test_the_same_message_again_and_one_about_nobody_start_nothing(events, sample, canvas, token):
    customer = _customer_with_results(sample)
    channel = sample.channels.get("CANVAS").channel
    sample.configurations.add(
        channel, customer["customer"], canvas.sample_config(), active=True, actor="test"
    )
    event = passed(customer["username"], customer["course"])
    assert send(events, event, message="msg_1").json()["jobs"]
    assert send(events, event, message="msg_1").json() == {"jobs": []}
    assert send(events, passed("nobody-at-all", "course-v1:X+Y+Z")).json() == {"jobs": []}


def test_a_message_that_could_not_be_followed_is_taken_when_it_comes_again(
    events, sample, canvas, token, monkeypatch
):
    customer = _customer_with_results(sample)
    channel = sample.channels.get("CANVAS").channel
    sample.configurations.add(
        channel, customer["customer"], canvas.sample_config(), active=True, actor="test"
    )

    def fail(*_arguments, **_options):
        raise SourceError("the source is away")

    event = passed(customer["username"], customer["course"])
    with monkeypatch.context() as patch:
        patch.setattr(type(sample.source), "enrollments", fail)
        assert send(events, event, message="msg_1").status_code == 503
    assert send(events, event, message="msg_1").json()["jobs"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "whsec_" + b64encode(b"x" * 32).decode()},
        {"age": timedelta(minutes=6)},
        {"age": timedelta(minutes=-6)},
        {"webhook-signature": "v1,bm9uc2Vuc2U="},
        {"webhook-signature": "rubbish"},
        {"webhook-id": "another"},
        {"webhook-timestamp": "soon"},
    ],
    ids=str,
)
def test_a_message_that_is_not_signed_rightly_is_refused(events, wrong):
    assert send(events, passed("ada", "c"), **wrong).status_code == 401


@pytest.mark.parametrize("body", [b"no json", b"{}", b'{"type": "learner.deleted", "data": {}}', b"[]"])
def test_a_message_that_is_none_of_ours_is_refused(events, body):
    assert send(events, body).status_code == 400


def test_bodies_are_bounded(events):
    assert send(events, b"x" * 20_000).status_code == 413
    assert events.post(PATH, content=b"x" * 2_000_000).status_code == 413


def test_without_a_secret_nothing_is_taken(client):
    assert send(client, passed("ada", "c")).status_code == 404


def test_a_secret_of_the_settings_must_be_one(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_EVENTS_SECRET", "whsec_short")
    with pytest.raises(SettingsError, match="24 to 64 random bytes") as caught:
        Settings.load(data_dir=tmp_path)
    assert "whsec_short" not in str(caught.value)


def _customer_with_results(installation):
    """Somebody of the sample bundle whose completion can be sent."""

    async def find():
        for customer in await installation.source.customers():
            async for page in installation.source.enrollments(customer.uuid):
                for facts in page:
                    who = facts.learner
                    willing = facts.consent.state in (ConsentState.GRANTED, ConsentState.IMPLIED)
                    known = who.linked and who.active and not who.pending and who.remote_ids
                    if known and willing and facts.is_active and facts.grade and facts.grade.passed:
                        return {
                            "customer": customer.uuid,
                            "username": facts.learner.username,
                            "course": facts.course.run_key,
                        }
        raise AssertionError("nobody has passed in the sample bundle")

    return asyncio.run(find())

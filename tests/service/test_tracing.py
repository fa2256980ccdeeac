"""Spans of requests, jobs, calls and statements: what is in them, and what never is."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

import coursewire as cw
from coursewire.errors import SetupError
from coursewire.host import Host
from coursewire.observability import tracing as traces
from coursewire.service.app import create_app
from coursewire.testing.misbehave import Misbehaviour


@pytest.fixture
def exporter():
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    traces.switch_on(provider)
    yield kept
    traces.switch_off()
    provider.shutdown()


@pytest.fixture
def traced(installation, exporter):
    return cw.Host(installation.settings.model_copy(update={"traces": True}))


def named(spans, beginning):
    return [span for span in spans if span.name.startswith(beginning)]


def test_a_job_is_a_span_with_its_calls_and_statements_below_it(traced, exporter, shelf, canvas, configured):
    shelf.fill(2)
    (ended,) = asyncio.run(traced.transmit("content"))
    spans = exporter.get_finished_spans()
    (job,) = named(spans, "job content")
    wanted = {
        "coursewire.job": str(ended.job.uuid),
        "coursewire.kind": "content",
        "coursewire.channel": "CANVAS",
        "coursewire.configuration": str(configured.uuid),
        "coursewire.created": 2,
    }
    assert job.attributes.items() >= wanted.items()
    calls = named(spans, "POST /api/v1/")
    assert calls
    assert {call.attributes["http.response.status_code"] for call in calls} <= {200, 201}
    assert {call.attributes["server.address"] for call in calls} == {"127.0.0.1"}
    inserts = [each for each in named(spans, "INSERT") if each.context.trace_id == job.context.trace_id]
    assert inserts
    assert all("?" in each.attributes["db.query.text"] for each in inserts)
    assert {call.context.trace_id for call in calls} == {job.context.trace_id}


def test_no_span_has_a_query_a_secret_a_key_or_a_learner(
    traced, installation, exporter, shelf, canvas, configured, token
):
    shelf.fill(2)
    asyncio.run(traced.transmit("content"))
    header = token("viewer")
    with TestClient(traced.asgi(), raise_server_exceptions=False) as client:
        client.get("/api/v1/records/content?search=lovelace%40example.com", headers=header)
        client.get("/console/somewhere/lovelace@example.com?token=hidden-token")
        client.get("/console/jobs", params={"after": "hidden-place"}, headers=header)
    channel = installation.channels.get("CANVAS").channel
    config = installation.configurations.load(configured.uuid, channel)
    secrets = [
        value.get_secret_value() for value in dict(config).values() if hasattr(value, "get_secret_value")
    ]
    text = "\n".join(each.to_json() for each in exporter.get_finished_spans())
    planted = ["lovelace", "hidden-", header["Authorization"].removeprefix("Bearer "), "RiverU", *secrets]
    assert [each for each in planted if each in text] == []
    routes = {each.attributes.get("http.route") for each in exporter.get_finished_spans()}
    assert {"/console/jobs", "unmatched"} <= routes


def test_a_request_is_a_part_of_what_the_caller_says_and_a_job_of_the_request(
    traced, exporter, shelf, canvas, configured, token
):
    shelf.fill(1)
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    headers = {**token("operator"), "traceparent": f"00-{trace}-{parent}-01"}
    with TestClient(traced.asgi(), raise_server_exceptions=False) as client:
        body = {"kind": "content", "configuration": str(configured.uuid)}
        client.post("/api/v1/jobs", json=body, headers=headers)
        client.portal.call(traced.aclose)
    spans = exporter.get_finished_spans()
    (request,) = named(spans, "POST /api/v1/jobs")
    (job,) = named(spans, "job content")
    assert f"{request.context.trace_id:032x}" == trace
    assert f"{request.parent.span_id:016x}" == parent
    assert job.context.trace_id == request.context.trace_id
    assert request.attributes["http.response.status_code"] == 202


def test_what_fails_leaves_its_class_and_not_its_words(traced, exporter, shelf, canvas, configured):
    shelf.fill(1)
    canvas.misbehave.append(Misbehaviour("reset before accepting", times=None))
    asyncio.run(traced.transmit("content"))
    failed = [each for each in exporter.get_finished_spans() if "error.type" in each.attributes]
    assert failed
    assert all(not each.events and not each.status.description for each in failed)


def test_nothing_is_loaded_where_nobody_asks(installation, shelf, configured):
    shelf.fill(1)
    program = (
        "import asyncio, json, sys\n"
        "import coursewire as cw\n"
        "from coursewire.settings import Settings\n"
        "with cw.Host() as host:\n"
        "    (ended,) = asyncio.run(host.transmit('content'))\n"
        "print(json.dumps([ended.exit_status, sorted(n for n in sys.modules if 'opentelemetry' in n or 'authlib' in n"
        " or n == 'fastapi')]))\n"
    )
    settings = installation.settings
    environment = {
        "COURSEWIRE_DATA_DIR": str(settings.data_dir),
        "COURSEWIRE_DATABASE_URL": settings.database_url,
        "COURSEWIRE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "COURSEWIRE_ALLOW_INSECURE_URLS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        timeout=90,
        env=environment,
        cwd=settings.data_dir,
    )
    assert json.loads(done.stdout) == [0, []], done.stderr


def test_asked_for_and_not_installed_is_said(installation, monkeypatch):
    traces.switch_off()
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(SetupError, match=r"coursewire\[otel\]"):
        cw.Host(installation.settings.model_copy(update={"traces": True}))


def test_an_application_without_traces_has_no_middleware_for_them(installation):
    assert "Traced" not in [
        each.cls.__name__ for each in create_app(Host(installation=installation)).user_middleware
    ]

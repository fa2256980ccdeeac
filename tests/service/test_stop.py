"""SIGTERM to a real ``coursewire serve`` in the middle of a job: nothing lost, nothing twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter

import httpx
import pytest
from sqlalchemy import text

from coursewire.testing.misbehave import Misbehaviour

COUNT = 60
SLOW_S = 0.4
LIMIT_S = 20


@pytest.fixture
def serve(installation, shelf, configured):
    """Starts the real command on the test's installation; gives the process and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = installation.settings
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COURSEWIRE_")},
        "COURSEWIRE_DATA_DIR": str(settings.data_dir),
        "COURSEWIRE_DATABASE_URL": settings.database_url,
        "COURSEWIRE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "COURSEWIRE_ALLOW_INSECURE_URLS": "1",
    }
    command = [sys.executable, "-m", "coursewire", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{address}/healthz").status_code == 200:
                    break
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()[0].decode()
            assert time.monotonic() < deadline, "the service did not start"
            time.sleep(0.05)
        yield process, address
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)


def test_sigterm_ends_the_batch_in_flight_and_the_next_run_sends_only_the_rest(
    serve, installation, shelf, canvas, configured, token, transmit
):
    process, address = serve
    shelf.fill(COUNT)
    canvas.misbehave.append(Misbehaviour("slow answer", times=None, seconds=SLOW_S))
    body = {"kind": "content", "configuration": str(configured.uuid)}
    started = httpx.post(f"{address}/api/v1/jobs", json=body, headers=token("operator"))
    assert started.status_code == 202, started.text
    deadline = time.monotonic() + 30
    while len(canvas.items) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    output = process.communicate(timeout=LIMIT_S)[0].decode()
    assert process.returncode == 0, output
    assert time.monotonic() - began < LIMIT_S
    assert "Traceback" not in output

    held = set(canvas.items)
    assert 3 <= len(held) < COUNT, "it was to be stopped in the middle"
    with installation.engine.connect() as connection:
        (job,) = connection.execute(text("SELECT state, actor FROM job")).all()
        states = dict(connection.execute(text("SELECT content_key, state FROM content_record")).all())
        leases = connection.execute(text("SELECT owner FROM lease WHERE owner <> ''")).all()
    assert (job.state, job.actor) == ("stopped", "token operator")
    assert leases == []
    assert {key for key, state in states.items() if state == "confirmed"} == held
    assert "sending" not in states.values(), "everything that was answered is recorded"

    arrived = Counter(canvas.arrivals)
    canvas.misbehave.clear()
    ended = transmit(configured)
    assert ended.summary.as_dict()["created"] == COUNT - len(held)
    assert len(canvas.items) == COUNT
    assert all(canvas.arrivals[key] == arrived[key] for key in held), "sent twice"
    assert set(canvas.arrivals.values()) == {1}

"""A process killed at any step of a first transmission: nothing is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CUSTOMER, course

from coursewire.testing.misbehave import Misbehaviour
from coursewire.testing.simulator import Simulator

COUNT = 60

HOOKS = '''
"""Kills its own process at a step that the environment names."""
import os, signal
from coursewire import hookimpl

STEP, COUNT = os.environ["KILL_STEP"], int(os.environ["KILL_COUNT"])
seen = 0

def reach(step):
    global seen
    if step == STEP:
        seen += 1
        if seen == COUNT:
            os.kill(os.getpid(), signal.SIGKILL)

@hookimpl
def job_started(job):
    reach("job_started")

@hookimpl
def batch_sending(job, batch):
    reach("batch_sending")

@hookimpl
def batch_sent(job, batch, results):
    reach("batch_sent")

@hookimpl
def job_finished(job, summary):
    reach("job_finished")
'''

MOMENTS = [
    ("job_started", 1),
    ("batch_sending", 1),
    ("batch_sending", 6),
    ("batch_sent", 1),
    ("batch_sent", 6),
    ("job_finished", 1),
]
"""Steps of ours at which the process dies."""

ACCEPTED = [1, COUNT // 3]
"""So many items the LMS has taken when the process dies, wherever it is then."""


class Home:
    """An installation of its own, driven by the real command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Database and content."""
        folder = self.folder
        bundle = folder / "bundle"
        bundle.mkdir()
        keys = [f"RiverU+C{number:04}" for number in range(COUNT)]
        rows: dict[str, list[dict[str, Any]]] = {
            "customers": [{"uuid": CUSTOMER, "name": "Acme", "slug": "acme", "active": True}],
            "catalogs": [
                {
                    "uuid": "2fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e2222",
                    "customer": CUSTOMER,
                    "title": "All",
                    "content_keys": keys,
                }
            ],
            "content": [course(key) for key in keys],
        }
        for name, lines in rows.items():
            (bundle / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "hooks.py").write_text(HOOKS)
        assert self("init").returncode == 0
        assert self("load", str(bundle)).returncode == 0

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COURSEWIRE_")}
        return {
            **kept,
            "COURSEWIRE_DATA_DIR": str(self.folder),
            "COURSEWIRE_ALLOW_INSECURE_URLS": "1",
            **more,
        }

    def __call__(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments),
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(*arguments),
            env=self.environment(**more),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "coursewire", *arguments]

    def configure(self, simulator: Simulator) -> None:
        fields = {
            "channel": simulator.code,
            "customer": CUSTOMER,
            "active": True,
            **simulator.sample_config(),
        }
        if simulator.code == "SAP":
            fields["transmission_chunk_size"] = COUNT // 6
        file = self.folder / "config.json"
        file.write_text(json.dumps(fields))
        added = self("config", "add", "--file", str(file))
        assert added.returncode == 0, added.stderr

    def finish(self, simulator: Simulator) -> None:
        """Start again, and find exactly what is wanted."""
        again = self("transmit", "content", "--json")
        assert again.returncode == 0, again.stderr
        summary = json.loads(again.stdout.splitlines()[-1])
        assert summary["created"] + summary["updated"] + summary["unchanged"] == COUNT
        assert len(simulator.items) == COUNT
        if simulator.code == "CANVAS":
            assert set(simulator.arrivals.values()) == {1}, "a course was made twice"
        third = json.loads(self("transmit", "content", "--json").stdout.splitlines()[-1])
        assert third["unchanged"] == COUNT


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An installation with its content, made once and copied."""
    home = Home(tmp_path_factory.mktemp("template"))
    home.prepare()
    return home.folder


@pytest.fixture
def home(template, tmp_path, simulator):
    home = Home(tmp_path / "home")
    shutil.copytree(template, home.folder)
    home.configure(simulator)
    return home


@pytest.mark.parametrize(("step", "count"), MOMENTS)
def test_killed_at_a_step_and_started_again(home, simulator, step, count):
    killed = home(
        "transmit",
        "content",
        COURSEWIRE_HOOKS_FILE=str(home.folder / "hooks.py"),
        KILL_STEP=step,
        KILL_COUNT=str(count),
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    home.finish(simulator)


@pytest.mark.parametrize("accepted", ACCEPTED)
def test_killed_when_the_lms_has_taken_some_and_started_again(home, simulator, accepted):
    process = home.start("transmit", "content")
    while len(simulator.items) < accepted and process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.002)
    process.kill()
    process.communicate(timeout=60)
    assert len(simulator.items) >= accepted
    home.finish(simulator)


LEARNERS = 12
RUN = "course-v1:RiverU+C0000+1T2026"

OUTCOME_MOMENTS = [
    ("job_started", 1),
    ("batch_sending", 1),
    ("batch_sending", 4),
    ("batch_sent", 1),
    ("batch_sent", 3),
    ("job_finished", 1),
]


def add_results(home: Home) -> None:
    """Learners who have all passed one course."""
    bundle = home.folder / "results"
    bundle.mkdir()
    names = [f"learner{number}" for number in range(LEARNERS)]
    provider = [{"provider_id": "saml-acme", "default": True}]
    customer = {
        "uuid": CUSTOMER,
        "name": "Acme",
        "slug": "acme",
        "active": True,
        "enable_data_sharing_consent": True,
        "identity_providers": provider,
    }
    run = {"key": RUN, "uuid": "00000000-0000-4000-8000-00000000000a"}
    rows: dict[str, list[dict[str, Any]]] = {
        "customers": [customer],
        "content": [course("RiverU+C0000", course_runs=[run])],
        "learners": [
            {
                "username": name,
                "email": f"{name}@example.com",
                "customer": CUSTOMER,
                "active": True,
                "linked": True,
                "remote_ids": {"saml-acme": name.upper()},
            }
            for name in names
        ],
        "enrollments": [
            {
                "username": name,
                "customer": CUSTOMER,
                "course_id": RUN,
                "mode": "verified",
                "is_active": True,
                "consent_granted": True,
            }
            for name in names
        ],
        "grades": [
            {
                "username": name,
                "course_id": RUN,
                "percent": 0.8,
                "passed": True,
                "passed_timestamp": "2026-02-01T00:00:00Z",
            }
            for name in names
        ],
    }
    for file, lines in rows.items():
        (bundle / f"{file}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    loaded = home("load", str(bundle))
    assert loaded.returncode == 0, loaded.stdout


@pytest.mark.parametrize(("step", "count"), OUTCOME_MOMENTS)
def test_outcomes_killed_at_a_step_and_started_again(home, simulator, step, count):
    add_results(home)
    assert home("transmit", "content").returncode == 0
    if simulator.code == "CANVAS":
        for number in range(LEARNERS):
            simulator.gradebook.add_user(f"learner{number}@example.com")
            simulator.gradebook.enroll("RiverU+C0000", f"learner{number}@example.com")
    killed = home(
        "transmit",
        "completions",
        COURSEWIRE_HOOKS_FILE=str(home.folder / "hooks.py"),
        KILL_STEP=step,
        KILL_COUNT=str(count),
    )
    if step.startswith("batch") and simulator.code == "CANVAS" and count > 1:
        assert killed.returncode == 0  # all of them travel in one bulk
    else:
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = home("transmit", "completions", "--json")
    summary = json.loads(again.stdout.splitlines()[-1])
    if simulator.code == "CANVAS":
        grades = [
            simulator.gradebook.grade_of("RiverU+C0000", f"learner{number}@example.com")
            for number in range(LEARNERS)
        ]
        assert grades == [80.0] * LEARNERS
        assert summary["created"] + summary["updated"] + summary["unchanged"] == LEARNERS
        return
    # SAP takes no second completion and cannot be asked: what may have left stays in doubt, for a person to see.
    told = [each["userID"] for each in simulator.completions]
    assert len(told) == len(set(told)), "a completion was sent twice"
    (job,) = summary["jobs"]
    doubted = job["skipped"].get("in-doubt", 0) + job["failed_by_reason"].get("in-doubt", 0)
    settled = job["created"] + job["unchanged"]
    assert settled + doubted == LEARNERS
    assert settled <= len(told)
    if step in ("job_started", "job_finished"):
        assert doubted == 0


@pytest.fixture
def sap_home(template, tmp_path, sap):
    """An installation with results for SAP, which takes no completion twice and cannot be asked for it."""
    home = Home(tmp_path / "home")
    shutil.copytree(template, home.folder)
    home.configure(sap)
    add_results(home)
    return home


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@pytest.mark.parametrize("arrived", [1, 3, 6])
def test_as_many_are_in_doubt_as_were_under_way(sap_home, sap, arrived):
    home = sap_home
    assert home("transmit", "content").returncode == 0
    sap.misbehave.append(Misbehaviour("slow answer", times=None, seconds=0.2))
    process = home.start("transmit", "completions")
    wait_until(lambda: len(sap.completions) >= arrived or process.poll() is not None)
    process.kill()
    process.communicate(timeout=60)
    sap.misbehave.clear()
    again = home("transmit", "completions", "--json")
    (job,) = json.loads(again.stdout.splitlines()[-1])["jobs"]
    told = [each["userID"] for each in sap.completions]
    assert len(told) == len(set(told)), "a completion was sent twice"
    assert job["in_doubt"] <= 1, "SAP takes one request at a time"
    assert job["created"] + job["unchanged"] + job["in_doubt"] == LEARNERS
    assert again.returncode == (1 if job["in_doubt"] else 0)
    (status,) = map(json.loads, home("status", "--json").stdout.splitlines())
    assert status["completions"]["in_doubt"] == job["in_doubt"]
    assert status["completions"]["present"] == LEARNERS - job["in_doubt"]


def test_a_run_that_slept_past_its_lease_sends_nothing_when_it_wakes_up(sap_home, sap):
    home = sap_home
    assert home("transmit", "content").returncode == 0
    sap.misbehave.append(Misbehaviour("slow answer", times=None, seconds=0.3))
    lease = {"COURSEWIRE_LEASE_SECONDS": "5"}
    sleeper = home.start("transmit", "completions", **lease)
    try:
        wait_until(lambda: len(sap.completions) >= 2 or sleeper.poll() is not None)
        sleeper.send_signal(signal.SIGSTOP)
        time.sleep(5.5)
        sap.misbehave.clear()
        second = home("transmit", "completions", "--json", **lease)
        assert json.loads(second.stdout.splitlines()[-1])["jobs"], second.stderr
        seen = len(sap.seen)
        sleeper.send_signal(signal.SIGCONT)
        _, words = sleeper.communicate(timeout=60)
    finally:
        sleeper.kill()
    assert len(sap.seen) == seen, "it sent something without the right to"
    assert sleeper.returncode not in (0, None)
    assert "the right to run" in words
    told = [each["userID"] for each in sap.completions]
    assert len(told) == len(set(told))

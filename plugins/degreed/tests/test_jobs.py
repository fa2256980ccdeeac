"""Both channels through core's own jobs, on a small bundle."""

from __future__ import annotations

import asyncio
import json

import pytest

from coursewire.errors import ConfigurationError
from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.sources.database.load import load_bundle
from coursewire.storage.audit.records import ContentRecords
from coursewire.storage.audit.transmissions import history
from coursewire.testing.misbehave import Misbehaviour
from coursewire_degreed.v1.simulator import DegreedV1Simulator
from coursewire_degreed.v2.simulator import Degreed2Simulator

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ACME = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
OTHER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e2222"


class World:
    """What was loaded, and how to send it."""

    def __init__(self, installation, folder):
        self.installation, self.folder = installation, folder
        folder.mkdir()
        self.content = {}
        self.grades = {}

    def course(self, key, **fields):
        run = {"key": f"course-v1:{key}+R", "pacing_type": "self_paced"}
        self.content[key] = {
            "content_type": "course",
            "key": key,
            "title": f"Course {key}",
            "enrollment_url": f"https://learn.example.org/{key}",
            "course_runs": [run],
            **fields,
        }

    def passed(self, username, key, percent=0.9, **fields):
        passed = {"passed": True, "passed_timestamp": "2026-02-20T08:30:00Z"}
        self.grades[username, key] = {"percent": percent, **passed, **fields}

    def load(self):
        names = sorted({username for username, _ in self.grades})
        who = [(name, customer) for name in names for customer in (ACME, OTHER)]
        files = {
            "customers": [{"uuid": uuid, "name": uuid, "identity_providers": []} for uuid in (ACME, OTHER)],
            "catalogs": [
                {
                    "uuid": uuid.replace("1fb", "2fb"),
                    "customer": uuid,
                    "title": "All",
                    "content_keys": [*self.content],
                }
                for uuid in (ACME, OTHER)
            ],
            "content": [*self.content.values()],
            "learners": [
                {
                    "username": name,
                    "email": None if name == "nameless" else f"{name}@example.org",
                    "customer": customer,
                    "active": True,
                    "linked": True,
                    "remote_ids": {},
                }
                for name, customer in who
            ],
            "enrollments": [
                {
                    "username": name,
                    "customer": ACME,
                    "course_id": f"course-v1:{key}+R",
                    "mode": "verified",
                    "is_active": True,
                    "created": "2026-01-01T00:00:00Z",
                    "consent_granted": True,
                }
                for name, key in self.grades
            ],
            "grades": [
                {"username": name, "course_id": f"course-v1:{key}+R", **grade}
                for (name, key), grade in self.grades.items()
            ],
        }
        for name, rows in files.items():
            (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        report = load_bundle(self.installation.engine, self.folder)
        assert report.problems == []

    def configure(self, simulator, customer=ACME, **fields):
        channel = self.installation.channels.get(simulator.code).channel
        given = {**simulator.sample_config(), **fields}
        return self.installation.configurations.add(channel, customer, given, active=True, actor="test").uuid

    def send(self, uuid, kind=Kind.CONTENT, **options):
        configuration = self.installation.configurations.get(uuid)
        if kind is Kind.CONTENT:
            job = ContentJob(self.installation, configuration, confirm_retire=1000, **options)
        else:
            job = OutcomeJob(self.installation, configuration, kind, **options)
        (ended,) = asyncio.run(InlineRunner().run([job]))
        assert ended.error is None, ended.error
        return ended.summary.as_dict()

    def complete(self, uuid):
        return self.send(uuid, Kind.COMPLETIONS)

    def record(self, uuid, key):
        return ContentRecords(self.installation.engine, uuid).fetch([key])[key]

    def attempts(self, uuid, item):
        return history(self.installation.engine, configurations=[uuid], item=item)


@pytest.fixture
def world(installation, tmp_path):
    return World(installation, tmp_path / "bundle")


@pytest.fixture
def v1():
    with DegreedV1Simulator().running() as simulator:
        yield simulator


@pytest.fixture
def v2():
    with Degreed2Simulator().running() as simulator:
        yield simulator


@pytest.fixture(params=[DegreedV1Simulator, Degreed2Simulator])
def either(request):
    with request.param().running() as simulator:
        yield simulator


def test_two_customers_with_the_same_course_have_ids_of_their_own(world, v2):
    world.course("Ex+1")
    world.load()
    with Degreed2Simulator().running() as other:
        other.add_course("something else")
        configured = [world.configure(v2), world.configure(other, OTHER)]
        for uuid in configured:
            world.send(uuid)
        ids = [world.record(uuid, "Ex+1").remote_id for uuid in configured]
        world.course("Ex+1", title="New")
        world.load()
        for uuid in configured:
            assert world.send(uuid)["updated"] == 1

        assert ids == [v2.items["Ex+1"]["id"], other.items["Ex+1"]["id"]]
        assert ids[0] != ids[1]
        for simulator, course_id in zip((v2, other), ids, strict=True):
            assert simulator.courses[course_id]["attributes"]["title"] == "New"
            assert "GET 200" not in {f"{seen.method} {seen.status}" for seen in simulator.seen}  # no look-up


def test_skills_are_sent_once_and_again_only_when_they_change(world, v2):
    world.course("Ex+1", skill_names=["Navigation"])
    world.course("Ex+2")
    world.load()
    uuid = world.configure(v2)

    def sends():
        v2.seen.clear()
        world.load()
        world.send(uuid)
        return [
            f"{seen.method} {seen.path.rpartition('/')[2]}" for seen in v2.seen if "token" not in seen.path
        ]

    course_id = None
    assert sorted(sends()) == ["PATCH skills", "POST courses", "POST courses"]
    course_id = v2.items["Ex+1"]["id"]
    world.course("Ex+1", skill_names=["Navigation"], title="New")
    assert sends() == [f"PATCH {course_id}"]
    world.course("Ex+1", skill_names=["Seamanship"], title="New")
    assert sends() == [f"PATCH {course_id}", "PATCH skills"]
    world.course("Ex+1", skill_names=[], title="New")
    assert sends() == [f"PATCH {course_id}", "PATCH skills"]
    assert v2.items["Ex+1"]["skills"] == []
    assert sends() == []


def test_refused_skills_are_told_in_the_history_of_a_confirmed_course(world, v2):
    world.course("Ex+1", skill_names=["Nonsense"])
    world.load()
    v2.unknown_skills = {"Nonsense"}
    uuid = world.configure(v2)

    assert world.send(uuid)["created"] == 1
    (attempt,) = world.attempts(uuid, "Ex+1")
    assert (attempt["result"], attempt["reason"]) == ("accepted", "skills-refused")
    assert "Nonsense" in attempt["message"]
    assert world.send(uuid)["unchanged"] == 1


def test_one_bad_course_of_many_is_found_and_keeps_the_vendors_words(world, v1):
    for number in range(40):
        world.course(f"Ex+{number}")
    world.load()
    uuid = world.configure(v1)
    v1.poisoned, v1.name_refused = {"Ex+7"}, False

    summary = world.send(uuid)

    assert (summary["created"], summary["failed"]) == (39, 1)
    record = world.record(uuid, "Ex+7")
    assert (record.state.value, "not allowed here" in record.message) == ("rejected", True)
    assert {attempt["http_status"] for attempt in world.attempts(uuid, "Ex+7")} == {400}
    assert set(v1.arrivals.values()) == {1}


def test_the_vendors_limit_is_kept_and_the_rest_goes_later(world, v2):
    for number in range(12):
        world.course(f"Ex+{number}")
    world.load()
    v2.calls_per_minute = 5
    uuid = world.configure(v2)

    summary = world.send(uuid)

    assert (summary["created"], summary["waiting_by_reason"]) == (5, {"waiting-for-limit": 7})
    assert 429 not in {seen.status for seen in v2.seen}


def test_a_limit_that_others_have_used_up_defers_everything_at_once(world, either):
    for number in range(12):
        world.course(f"Ex+{number}")
    world.load()
    uuid = world.configure(either)
    either.misbehave.append(Misbehaviour("429 with Retry-After", times=None, seconds=40))

    summary = world.send(uuid)

    assert summary["waiting"] == 12
    assert len([seen for seen in either.seen if seen.status == 429]) <= 5


def test_the_second_run_says_nothing_and_a_raised_grade_is_a_correction(world, v2):
    world.course("Ex+1")
    world.passed("lee", "Ex+1", 0.5)
    world.load()
    uuid = world.configure(v2)
    world.send(uuid)
    assert world.complete(uuid)["created"] == 1
    requests = len(v2.seen)

    assert world.complete(uuid)["unchanged"] == 1
    assert len(v2.seen) == requests
    for percent in (0.75, 0.25, 0):
        world.passed("lee", "Ex+1", percent)
        world.load()
        summary = world.complete(uuid)
        assert summary["updated"] == 1, json.dumps(summary)
        (held,) = v2.completions.values()
        assert held["attributes"]["percentile"] == percent * 100


def test_a_completion_that_no_longer_holds_is_taken_back(world, either):
    world.course("Ex+1")
    world.passed("lee", "Ex+1")
    world.load()
    uuid = world.configure(either)
    world.send(uuid)
    world.complete(uuid)
    assert len(either.completions) == 1
    world.passed("lee", "Ex+1", 0.2, passed=False, passed_timestamp=None)
    world.load()

    assert world.complete(uuid)["updated"] == 1
    assert not either.completions
    assert world.complete(uuid)["skipped"] == {"not-complete": 1}


def test_a_grade_that_changes_is_no_news_where_no_grade_is_sent(world, v1):
    world.course("Ex+1")
    world.passed("lee", "Ex+1", 0.5)
    world.load()
    uuid = world.configure(v1)
    world.send(uuid)
    world.complete(uuid)
    world.passed("lee", "Ex+1", 0.9)
    world.load()

    assert world.complete(uuid)["unchanged"] == 1
    assert v1.arrivals["lee@example.org Ex+1"] == 1


def test_learners_without_an_address_or_unknown_there_wait_and_the_others_are_told(world, either):
    world.course("Ex+1")
    for name in ("lee", "nameless", "stranger", "mo"):
        world.passed(name, "Ex+1")
    world.load()
    either.users_only = True
    for name in ("lee", "mo"):
        either.enroll("Ex+1", f"{name}@example.org")
    uuid = world.configure(either)
    world.send(uuid)

    summary = world.complete(uuid)

    assert summary["created"] == 2
    assert summary["skipped"] == {"learner-unmatched": 1}
    assert summary["failed"] == 1
    assert summary["failed_by_reason"].keys() <= {"learner-unmatched", "refused"}


def test_completions_wait_for_their_course(world, either):
    world.course("Ex+1")
    world.passed("lee", "Ex+1")
    world.load()
    uuid = world.configure(either)

    assert world.complete(uuid)["skipped"] == {"course-not-at-lms": 1}
    assert not either.seen


@pytest.mark.parametrize("broken", ["secret", "token"])
def test_broken_credentials_mark_nothing_as_sent_and_nothing_is_lost(broken, world, either):
    world.course("Ex+1")
    world.load()
    if broken == "secret":
        right, either.client_secret = either.client_secret, "changed there"
        uuid = world.configure(either)
    else:
        uuid = world.configure(either)
        either.misbehave.append(Misbehaviour("empty answer", path="/oauth/token", times=None))
        right = None
    if right:
        world.installation.configurations.edit(
            uuid,
            world.installation.channels.get(either.code).channel,
            {"client_secret" if either.code == "DEGREED2" else "secret": right},
            actor="test",
        )

    summary = world.send(uuid)

    assert summary["created"] == 0
    if right:
        assert summary["waiting_by_reason"] == {"credentials-broken": 1}
    else:  # an empty answer says nothing about the credentials
        assert summary["failed_by_reason"] == {"unreachable": 1}
    assert {seen.path for seen in either.seen} == {"/oauth/token"}


def test_a_dry_run_asks_degreed_nothing(world, either):
    world.course("Ex+1")
    world.load()
    uuid = world.configure(either, dry_run_mode_enabled=True)

    assert world.send(uuid)["waiting_by_reason"] == {"dry-run": 1}
    assert not either.seen


def test_an_incomplete_configuration_sends_nothing_and_says_what_is_missing(world, either):
    channel = world.installation.channels.get(either.code).channel
    fields = {name: value for name, value in either.sample_config().items() if "secret" not in name}

    with pytest.raises(ConfigurationError) as refusal:
        world.installation.configurations.add(channel, ACME, fields, active=True, actor="test")

    assert refusal.value.missing == ("client_secret" if either.code == "DEGREED2" else "secret",)
    assert not either.seen


def test_no_secret_and_no_token_is_kept_in_the_database_or_shown(world, either, installation):
    world.course("Ex+1")
    world.load()
    uuid = world.configure(either)
    echo = f"the secret {either.client_secret} and a token"
    from aiohttp import web

    either.interfere = lambda request: web.json_response(
        {"errors": [{"detail": f"{echo} {request.headers['Authorization']}"}]}, status=400
    )
    world.send(uuid)

    tokens = {value for value in either.credentials if value and not value.startswith("c2lt")}
    (attempt,) = world.attempts(uuid, "Ex+1")
    stored = str(attempt) + str(world.record(uuid, "Ex+1"))
    shown = str(installation.configurations.get(uuid))
    database = (installation.settings.data_dir / "coursewire.db").read_bytes().decode("utf-8", "replace")
    assert tokens
    for secret in (either.client_secret, *tokens):
        assert secret not in stored
        assert secret not in shown
        assert secret not in database

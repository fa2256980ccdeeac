"""A large bundle through both channels: every course and every enrollment is sent once, or has its reason.

What should arrive is worked out here from the lines of the bundle, by another way than the code's.
"""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.sources.database.load import load_bundle
from coursewire_degreed.v1.simulator import DegreedV1Simulator
from coursewire_degreed.v2.simulator import Degreed2Simulator

LARGE = Path(
    os.environ.get("COURSEWIRE_TEST_BUNDLE", Path(__file__).parents[4] / "shared" / "data" / "edx-2020")
)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def bundle() -> Path:
    if not LARGE.is_dir():
        pytest.skip(f"there is no bundle at {LARGE}; name one in COURSEWIRE_TEST_BUNDLE to run this")
    return LARGE


def lines(bundle, name):
    return [json.loads(line) for line in (bundle / f"{name}.jsonl").read_text("utf-8").splitlines() if line]


def run(jobs):
    ended = asyncio.run(InlineRunner().run(jobs))
    assert [each.error for each in ended] == [None] * len(ended)
    return [each.summary for each in ended]


def everything(summary):
    """All that a summary counts."""
    counted = (summary.done, summary.skipped, summary.failed, summary.waiting)
    return sum(counter.total() for counter in counted) + summary.unchanged


def wanted_of(bundle):
    """By customer: the keys of the courses, and the (address, course) of each completion that should arrive."""
    courses, completions = {}, {}
    for catalog in lines(bundle, "catalogs"):
        courses.setdefault(catalog["customer"], set()).update(catalog["content_keys"])
    run_of = {
        one["key"]: item["key"] for item in lines(bundle, "content") for one in item.get("course_runs") or ()
    }
    learners = {(row["username"], row["customer"]): row for row in lines(bundle, "learners")}
    grades = {(row["username"], row["course_id"]): row for row in lines(bundle, "grades")}
    for row in lines(bundle, "enrollments"):
        learner = learners[row["username"], row["customer"]]
        grade = grades.get((row["username"], row["course_id"]), {})
        passed = (
            grade.get("passed") is True
            and grade.get("passed_timestamp")
            and row["mode"] not in ("audit", "honor")
        )
        member = learner["linked"] and learner["active"] and learner.get("email")
        course = run_of.get(row["course_id"])
        consented = row["is_active"] and row.get("consent_granted") is True
        if passed and member and consented and course in courses[row["customer"]]:
            completions.setdefault(row["customer"], []).append((learner["email"], course))
    return courses, completions


def told(simulator):
    """The (address, course) of each completion that a simulator holds."""
    found = []
    for each in simulator.completions.values():
        of = each.get("attributes", each)
        found.append((of.get("user-id", of.get("email")), of.get("content-id", of.get("id"))))
    return sorted(found)


def test_every_course_and_every_completion_arrives_once(installation, bundle):
    load_bundle(installation.engine, bundle)  # takes longer than the rest
    for kind in (DegreedV1Simulator, Degreed2Simulator):
        arrives_once(kind, installation, *wanted_of(bundle), len(lines(bundle, "enrollments")))


def arrives_once(kind, installation, courses, completions, enrollments):
    assert sum(map(len, courses.values())) > 974
    channel = installation.channels.get(kind.code).channel
    with ExitStack() as stack:
        simulators = {
            customer: stack.enter_context(kind(keep_bodies=False).running()) for customer in courses
        }
        stored = [
            installation.configurations.add(
                channel, customer, simulator.sample_config(), active=True, actor="test"
            )
            for customer, simulator in simulators.items()
        ]

        sent = run([ContentJob(installation, one) for one in stored])
        for configuration, summary in zip(stored, sent, strict=True):
            wanted = courses[configuration.customer]
            simulator = simulators[configuration.customer]
            assert (summary.done["created"], everything(summary)) == (len(wanted), len(wanted)), (
                summary.as_dict()
            )
            assert set(simulator.items) == wanted
            assert set(simulator.arrivals.values()) == {1}

        sent = run([OutcomeJob(installation, one, Kind.COMPLETIONS) for one in stored])
        assert sum(map(everything, sent)) == enrollments
        for configuration, summary in zip(stored, sent, strict=True):
            wanted = sorted(completions.get(configuration.customer, []))
            assert not summary.failed
            assert summary.done.total() == len(wanted)
            assert told(simulators[configuration.customer]) == wanted
        assert sum(summary.done.total() for summary in sent) > 100

        requests = [len(simulator.seen) for simulator in simulators.values()]
        again = run([ContentJob(installation, one) for one in stored])
        again += run([OutcomeJob(installation, one, Kind.COMPLETIONS) for one in stored])
        assert sum(summary.done.total() for summary in again) == 0
        assert [len(simulator.seen) for simulator in simulators.values()] == requests

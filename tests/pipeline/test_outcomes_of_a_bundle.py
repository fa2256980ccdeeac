"""The results of a large bundle at both simulators: every enrollment is sent once, or has its reason.

What should arrive is worked out here from the lines of the bundle, by another way than the code's: learners with
one provider, no reporting of audit learners.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.sources.database.load import load_bundle
from coursewire.storage.audit.records import OutcomeRecords
from coursewire_canvas.simulator import CanvasSimulator
from coursewire_sap.simulator import SapSimulator

LARGE = Path(
    os.environ.get("COURSEWIRE_TEST_BUNDLE", Path(__file__).parents[3] / "shared" / "data" / "edx-2020")
)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def bundle():
    if not LARGE.is_dir():
        pytest.skip(f"there is no bundle at {LARGE}; name one in COURSEWIRE_TEST_BUNDLE to run this")
    return LARGE


def lines(bundle, name):
    return [json.loads(line) for line in (bundle / f"{name}.jsonl").read_text("utf-8").splitlines() if line]


def run(jobs):
    for ended in asyncio.run(InlineRunner().run(jobs)):
        assert ended.error is None, ended.error
        yield ended.summary


def everything(summary):
    """All that a summary counts."""
    return (
        summary.done.total()
        + summary.unchanged
        + summary.skipped.total()
        + summary.failed.total()
        + summary.waiting.total()
    )


class Expected:
    """What should arrive, worked out from the lines of the bundle alone."""

    def __init__(self, bundle):
        learners = {(row["username"], row["customer"]): row for row in lines(bundle, "learners")}
        grades = {(row["username"], row["course_id"]): row for row in lines(bundle, "grades")}
        customers = {row["uuid"]: row for row in lines(bundle, "customers")}
        self.enrollments = lines(bundle, "enrollments")
        self.sent = {}
        for row in self.enrollments:
            learner = learners[row["username"], row["customer"]]
            grade = grades.get((row["username"], row["course_id"]), {})
            consented = row.get("consent_granted") is True
            of_audit = row["mode"] in ("audit", "honor")
            passed = grade.get("passed") is True and grade.get("passed_timestamp")
            if (
                consented
                and row["is_active"]
                and learner["linked"]
                and learner["active"]
                and not of_audit
                and passed
            ):
                self.sent[row["username"], row["course_id"]] = (row, learner, grade)
        self.customers = customers


@pytest.fixture
def known_courses(bundle):
    runs = {}
    for item in lines(bundle, "content"):
        for one in item.get("course_runs") or ():
            runs[one["key"]] = item["key"]
    return runs


def test_sap_is_told_of_every_completed_consented_matched_enrollment_once(
    installation, bundle, known_courses
):
    load_bundle(installation.engine, bundle)
    expected = Expected(bundle)
    simulator = SapSimulator(students_only=True)
    matched = {
        key: (row, learner["remote_ids"], grade)
        for key, (row, learner, grade) in expected.sent.items()
        if learner.get("remote_ids") and row["course_id"] in known_courses
    }
    ids = {value for _, remote, _ in matched.values() for value in remote.values()}
    simulator.students = [{"studentID": value, "isActive": True} for value in ids]
    with simulator.running():
        channel = installation.channels.get("SAP").channel
        stored = [
            installation.configurations.add(
                channel, uuid, simulator.sample_config(), active=True, actor="test"
            )
            for uuid, customer in expected.customers.items()
            if customer["active"]
        ]
        list(run([ContentJob(installation, one) for one in stored]))
        jobs = [OutcomeJob(installation, one, Kind.COMPLETIONS) for one in stored]
        summaries = list(run(jobs))
        assert sum(map(everything, summaries)) == len(expected.enrollments)
        told = Counter((each["userID"], each["courseID"]) for each in simulator.completions)
        wanted = Counter()
        for (_user, run_key), (_row, remote, _grade) in matched.items():
            wanted[next(iter(remote.values())), known_courses[run_key]] += 1
        assert set(told) == set(wanted)
        assert sum(summary.done.total() for summary in summaries) == len(matched) == sum(told.values())
        for each in simulator.completions:
            assert each["grade"] == "Pass"
            assert each["completedTimestamp"] > 0
        sent = len(simulator.completions)
        again = [OutcomeJob(installation, one, Kind.COMPLETIONS) for one in stored]
        summaries = list(run(again))
        assert len(simulator.completions) == sent
        assert sum(summary.unchanged for summary in summaries) == sent
        assert sum(map(everything, summaries)) == len(expected.enrollments)
        reasons = Counter()
        for one in stored:
            store = OutcomeRecords(installation.engine, one.uuid, Kind.COMPLETIONS)
            for _state, reason, _present, count in store.counts():
                reasons[reason] += count
        assert reasons[None] == sent
        assert sum(reasons.values()) == len(expected.enrollments)


def test_canvas_has_every_completed_consented_matched_grade_once(
    installation, bundle, known_courses, tmp_path
):
    load_bundle(installation.engine, bundle)
    expected = Expected(bundle)
    (uuid, _customer) = max(
        ((uuid, row) for uuid, row in expected.customers.items() if row["active"]),
        key=lambda each: sum(row["customer"] == each[0] for row in expected.enrollments),
    )
    simulator = CanvasSimulator()
    with simulator.running():
        channel = installation.channels.get("CANVAS").channel
        stored = installation.configurations.add(
            channel, uuid, simulator.sample_config(), active=True, actor="test"
        )
        list(run([ContentJob(installation, stored)]))
        wanted = {}
        for (username, run_key), (row, learner, grade) in expected.sent.items():
            course_key = known_courses.get(run_key)
            if row["customer"] != uuid or not learner.get("email") or course_key not in simulator.items:
                continue
            wanted[username, course_key] = (learner["email"], Decimal(str(grade["percent"])) * 100)
        for email in sorted({email for email, _ in wanted.values()}):
            simulator.gradebook.add_user(email)
        for (_username, course_key), (email, _grade) in wanted.items():
            simulator.gradebook.enroll(course_key, email)
        mine = [row for row in expected.enrollments if row["customer"] == uuid]
        (summary,) = run([OutcomeJob(installation, stored, Kind.COMPLETIONS)])
        assert everything(summary) == len(mine)
        assert summary.done.total() == len(wanted), summary.as_dict()
        assert not summary.failed
        for (_username, course_key), (email, grade) in wanted.items():
            held = simulator.gradebook.grade_of(course_key, email)
            assert abs(Decimal(str(held)) - grade) < Decimal("0.01"), (course_key, email)
        writes = sum(seen.method != "GET" for seen in simulator.seen)
        (again,) = run([OutcomeJob(installation, stored, Kind.COMPLETIONS)])
        assert again.unchanged == len(wanted)
        assert sum(seen.method != "GET" for seen in simulator.seen) == writes
        # One grade rises at the source: exactly that one goes out again.
        (username, course_key), (email, grade) = next(iter(sorted(wanted.items())))
        raised = [row for row in lines(bundle, "grades") if row["username"] == username]
        (row,) = [row for row in raised if known_courses.get(row["course_id"]) == course_key]
        row["percent"] = 0.97
        changed = tmp_path / "changed"
        changed.mkdir()
        (changed / "grades.jsonl").write_text(json.dumps(row))
        load_bundle(installation.engine, changed)
        (third,) = run([OutcomeJob(installation, stored, Kind.COMPLETIONS)])
        assert third.done == {"updated": 1}
        assert third.unchanged == len(wanted) - 1
        assert abs(simulator.gradebook.grade_of(course_key, email) - 97) < 0.01

"""Jobs that tell an LMS who has joined a course, and who has left it."""

from __future__ import annotations

import asyncio

import pytest

from coursewire.errors import LeaseHeldError
from coursewire.model.channel import Support
from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.transmit.run import Stop
from coursewire.pipeline.why import why_content, why_outcome
from coursewire.storage.locks.leases import Lease

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RUN = "course-v1:Org+C1+R1"
SINCE = "2026-01-12T08:30:00Z"


def enroll(world, lines, **fields):
    fields = {"created": SINCE} | fields
    world.load(learners=[lines.learner("ada")], enrollments=[lines.enrollment("ada", **fields)])


def tell(world, uuid, **options):
    return world.run(uuid, Kind.ENROLLMENTS, **options)


def test_an_enrollment_is_told_once_and_needs_no_result(world, lines):
    enroll(world, lines)
    uuid = world.configure()
    assert tell(world, uuid).done["created"] == 1
    assert world.told["id-ada"] == {
        "key": world.row("ada")["outcome_key"],
        "learner": "id-ada",
        "course": "Org+C1",
        "title": "One",
        "active": True,
        "mode": "verified",
        "since": "2026-01-12T08:30:00+00:00",
    }
    again = tell(world, uuid)
    assert (again.unchanged, again.requests) == (1, 0)


def test_an_enrollment_and_its_completion_have_a_record_each(world, lines):
    enroll(world, lines)
    world.load(grades=[lines.grade("ada")])
    uuid = world.configure()
    assert tell(world, uuid).done["created"] == world.run(uuid).done["created"] == 1
    one, two = world.rows()
    assert {one["kind"], two["kind"]} == {"enrollments", "completions"}
    assert (one["enrollment"], one["course_key"], one["subsection"]) == (
        two["enrollment"],
        two["course_key"],
        two["subsection"],
    )
    assert tell(world, uuid).unchanged == world.run(uuid).unchanged == 1


def test_leaving_is_told_once_and_so_is_coming_back(world, lines):
    enroll(world, lines)
    uuid = world.configure()
    tell(world, uuid)
    enroll(world, lines, is_active=False, unenrolled_at="2026-02-01T00:00:00Z")
    assert tell(world, uuid).done["updated"] == 1
    assert world.told["id-ada"]["active"] is False
    assert tell(world, uuid).unchanged == 1
    enroll(world, lines)
    assert tell(world, uuid).done["updated"] == 1
    assert world.told["id-ada"]["active"] is True


@pytest.mark.parametrize("resend", ["improved", "never"])
def test_leaving_is_told_whatever_becomes_of_changed_results(world, lines, channel_of, resend):
    world.install(channel_of(revoke=Support.IMPOSSIBLE))
    enroll(world, lines)
    uuid = world.configure(resend_outcomes=resend)
    tell(world, uuid)
    enroll(world, lines, mode="honor")
    assert sum(tell(world, uuid).skipped.values()) == 1
    enroll(world, lines, is_active=False)
    assert tell(world, uuid).done["updated"] == 1


def test_who_left_before_anybody_was_told_is_not_told_of(world, lines):
    enroll(world, lines, is_active=False)
    uuid = world.configure()
    assert dict(tell(world, uuid).skipped) == {"unenrolled": 1}
    assert world.lms.arrivals.total() == 0


def test_who_left_while_the_answer_was_lost_is_told_of(world, lines):
    """The LMS may know of the enrollment."""
    enroll(world, lines)
    uuid = world.configure()
    world.lms.add_misbehaviour("reset after accepting")
    assert tell(world, uuid).failed.total() == 1
    enroll(world, lines, is_active=False)
    assert tell(world, uuid).done["created"] == 1
    assert world.told["id-ada"]["active"] is False


CLOSED = {
    "learner-unlinked": ({"linked": False}, {}),
    "learner-inactive": ({"active": False}, {}),
    "consent-refused": ({}, {"consent_granted": False}),
    "consent-unknown": ({}, {"consent_granted": None}),
    "audit-reporting-off": ({}, {"mode": "audit"}),
    "learner-unmatched": ({"remote_ids": {}}, {}),
}


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("reason", CLOSED)
def test_the_gates_of_results_are_those_of_enrollments(world, lines, reason, active):
    who, where = CLOSED[reason]
    world.load(
        learners=[lines.learner("ada") | who],
        enrollments=[lines.enrollment("ada", is_active=active) | where],
    )
    summary = tell(world, world.configure())
    assert dict(summary.skipped) == {reason: 1}
    assert summary.requests == 0


def test_consent_is_asked_for_again_before_it_leaves(world, lines, monkeypatch):
    enroll(world, lines)
    uuid = world.configure()

    async def nothing_known(_enrollments):
        return {}

    monkeypatch.setattr(world.installation.source, "consents", nothing_known)
    assert dict(tell(world, uuid).skipped) == {"consent-unknown": 1}
    assert world.lms.arrivals.total() == 0


def test_learner_data_that_is_disabled(world, lines):
    enroll(world, lines)
    summary = tell(world, world.configure(disable_learner_data_transmissions=True))
    assert (summary.reason, summary.requests) == ("learner-data-disabled", 0)


def test_a_channel_that_does_not_take_them(world, lines, channel_of):
    world.install(channel_of(enrollments=Support.NOT_IMPLEMENTED))
    enroll(world, lines)
    uuid = world.configure()
    assert tell(world, uuid).reason == "kind-not-supported"
    job = world.job(uuid, Kind.ENROLLMENTS, learner="ada", course=RUN)
    (told,) = asyncio.run(why_outcome(job))
    assert told["answer"]["reason"] == "kind-not-supported"


def test_why_tells_of_an_enrollment(world, lines):
    enroll(world, lines)
    uuid = world.configure()
    (told,) = asyncio.run(why_outcome(world.job(uuid, Kind.ENROLLMENTS, learner="ada", course=RUN)))
    steps = ["record", "permission", "identity", "course", "rule", "payload", "comparison"]
    assert [decision["step"] for decision in told["decisions"]] == steps
    assert (told["kind"], told["operation"], told["answer"]["reason"]) == ("enrollments", "create", "new")


def test_forgetting_waits_for_a_run(world, lines):
    enroll(world, lines)
    uuid = world.configure()
    with (
        Lease.acquire(world.engine, f"enrollments:{uuid}", owner="x", ttl_s=60, clock=world.clock),
        pytest.raises(LeaseHeldError),
    ):
        world.installation.forget("ada")
    tell(world, uuid)
    assert world.installation.forget("ada")["outcome_record"] == 1


class TestAChannelWithoutContent:
    """Its LMS has no catalogue; what is about learners goes out all the same."""

    def job(self, world, uuid):
        return ContentJob(world.installation, world.installation.configurations.get(uuid))

    def test_a_run_says_so(self, world):
        summary = asyncio.run(self.job(world, world.configure()).run(Stop()))
        assert (summary.reason, summary.requests, summary.exit_status) == ("kind-not-supported", 0, 0)

    def test_a_plan_is_empty(self, world):
        async def planned():
            plan = await self.job(world, world.configure()).plan()
            return plan, [page async for page in plan.pages()]

        plan, pages = asyncio.run(planned())
        assert (plan.reason, plan.present, pages) == ("kind-not-supported", 0, [])

    def test_why_says_so(self, world):
        told = asyncio.run(why_content(self.job(world, world.configure()), "Org+C1"))
        assert told["answer"]["reason"] == "kind-not-supported"

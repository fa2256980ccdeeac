"""Outcome jobs against a small LMS: what is sent, and what is left and why."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from coursewire.errors import ConfigurationError, LeaseHeldError
from coursewire.model.channel import Support
from coursewire.model.kinds import Kind
from coursewire.pipeline.transmit.run import Stop
from coursewire.sources.bundle import Bundle
from coursewire.sources.database import load_bundle
from coursewire.sources.sample import sample_bundle
from coursewire.storage.identity_links import IdentityLinks
from coursewire.storage.locks.leases import Lease
from coursewire.storage.tables.records import job
from coursewire.storage.tables.source import source_course_run
from coursewire.testing.database import count_statements

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RUN = "course-v1:Org+C1+R1"


def one_learner(world, lines, username="ada", **fields):
    world.load(
        learners=[lines.learner(username)],
        enrollments=[lines.enrollment(username)],
        grades=[lines.grade(username, **fields)],
    )


def everything(summary):
    """All counts of a summary together."""
    counted = (summary.done, summary.skipped, summary.failed, summary.waiting)
    return summary.unchanged + sum(counts.total() for counts in counted)


def test_a_completion_arrives_once_at_the_right_learner(world, lines):
    one_learner(world, lines)
    uuid = world.configure()
    first = world.run(uuid)
    assert (first.done["created"], first.exit_status) == (1, 0)
    (item,) = world.lms.items.values()
    assert item["learner"] == "id-ada"
    assert (item["course"], item["verdict"], item["percent"]) == ("Org+C1", "Pass", "0.8")
    assert item["at"] == "2026-04-10T08:00:00+00:00"
    second = world.run(uuid)
    assert (second.unchanged, second.requests) == (1, 0)
    assert list(world.lms.arrivals.values()) == [1]
    row = world.row("ada")
    assert (row["state"], row["course_key"], row["reason"]) == ("confirmed", "Org+C1", None)


LEFT = {
    "learner-pending": ({"username": "x@example.com", "email": "x@example.com", "pending": True, "remote_ids": {}}, {}, {}),
    "learner-unlinked": ({"linked": False}, {}, {}),
    "learner-inactive": ({"active": False}, {}, {}),
    "unenrolled": ({}, {"is_active": False}, {}),
    "consent-refused": ({}, {"consent_granted": False}, {}),
    "consent-unknown": ({}, {"consent_granted": None}, {}),
    "consent-unanswered": ({}, {"consent_granted": None, "consent": "unanswered"}, {}),
    "audit-reporting-off": ({}, {"mode": "audit"}, {}),
    "learner-unmatched": ({"remote_ids": {}}, {}, {}),
    "not-complete": ({}, {}, {"passed": False}),
    "completion-date-unknown": ({}, {}, {"passed_timestamp": None}),
    "not-exportable": ({"email": "no-export@example.com"}, {}, {}),
}  # fmt: skip


@pytest.mark.parametrize("reason", LEFT)
def test_what_stays_has_a_reason_and_a_record(world, lines, reason):
    who, where, what = LEFT[reason]
    username = who.get("username", "ada")
    world.load(
        learners=[lines.learner("ada") | who],
        enrollments=[lines.enrollment(username) | where],
        grades=[lines.grade(username) | what],
    )
    summary = world.run(world.configure())
    assert dict(summary.skipped) == {reason: 1}
    assert summary.requests == 0
    assert world.row(username)["reason"] == reason


def test_a_run_that_the_source_no_longer_knows(world, lines):
    one_learner(world, lines)
    with world.engine.begin() as connection:
        connection.execute(source_course_run.delete())
    assert dict(world.run(world.configure()).skipped) == {"course-unknown": 1}
    assert world.row("ada")["course_key"] == RUN


def test_two_ids_and_no_default_provider_are_ambiguous(world, lines):
    providers = [{"provider_id": "saml-acme"}, {"provider_id": "saml-two"}]
    world.load(customers=[lines.customer(lines.ACME, identity_providers=providers)])
    one_learner(world, lines)
    world.load(learners=[lines.learner("ada", remote_ids={"saml-acme": "1", "saml-two": "2"})])
    uuid = world.configure()
    assert dict(world.run(uuid).skipped) == {"learner-ambiguous": 1}
    (waiting,) = IdentityLinks(world.engine, uuid).unmatched()
    assert (waiting.username, waiting.reason, waiting.origin) == ("ada", "learner-ambiguous", "several-ids")
    # The configuration may name the provider.
    world.edit(uuid, idp_id="saml-two")
    assert world.run(uuid).done["created"] == 1
    assert set(world.told) == {"2"}
    assert IdentityLinks(world.engine, uuid).unmatched() == []


def test_audit_learner_without_count_of_what_is_left(world, lines):
    audit = lines.customer(lines.ACME, enable_audit_enrollment=True, enable_audit_data_reporting=True)
    world.load(customers=[audit])
    one_learner(world, lines)
    world.load(enrollments=[lines.enrollment("ada", mode="audit")])
    assert dict(world.run(world.configure()).skipped) == {"incomplete-unknown": 1}


def test_a_reason_that_goes_away_lets_the_outcome_go(world, lines):
    one_learner(world, lines)
    world.load(enrollments=[lines.enrollment("ada", consent_granted=False)])
    uuid = world.configure()
    world.run(uuid)
    untouched = world.row("ada")["updated_at"]
    world.clock.forward(hours=1)
    world.run(uuid)
    assert world.row("ada")["updated_at"] == untouched, "nothing changed, so nothing was written"
    world.load(enrollments=[lines.enrollment("ada")])
    assert world.run(uuid).done["created"] == 1
    # What was sent stays sent when consent goes; nothing more leaves.
    world.load(enrollments=[lines.enrollment("ada", consent_granted=False)], grades=[lines.grade("ada", 0.9)])
    assert dict(world.run(uuid).skipped) == {"consent-refused": 1}
    row = world.row("ada")
    assert (row["state"], row["reason"]) == ("confirmed", "consent-refused")
    world.load(enrollments=[lines.enrollment("ada")], grades=[lines.grade("ada")])
    assert world.run(uuid).unchanged == 1
    assert world.row("ada")["reason"] is None


class TestIdentity:
    def test_a_link_at_the_source_is_taken_up_by_itself(self, world, lines):
        one_learner(world, lines)
        world.load(learners=[lines.learner("ada", remote_ids={})])
        uuid = world.configure()
        world.run(uuid)
        assert IdentityLinks(world.engine, uuid).fetch(["ada"])["ada"].state == "unmatched"
        world.load(learners=[lines.learner("ada")])
        assert world.run(uuid).done["created"] == 1
        found = IdentityLinks(world.engine, uuid).fetch(["ada"])["ada"]
        assert (found.state, found.value, found.origin) == ("linked", "id-ada", "only-provider")

    def test_a_link_by_hand_stands_above_the_source(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        IdentityLinks(world.engine, uuid).link("ada", "by-hand-7", now=world.clock())
        world.run(uuid)
        assert set(world.told) == {"by-hand-7"}

    def test_another_id_is_another_learner_there(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        world.run(uuid)
        world.load(learners=[lines.learner("ada", remote_ids={"saml-acme": "new"})])
        assert world.run(uuid).done["updated"] == 1
        (item,) = world.lms.items.values()
        assert item["learner"] == "new"

    def test_an_unknown_learner_at_the_lms_rests_a_day(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        world.lms.unknown.add("id-ada")
        first = world.run(uuid)
        assert (dict(first.failed), first.exit_status) == ({"learner-unmatched": 1}, 1)
        again = world.run(uuid)
        assert (dict(again.skipped), again.requests, again.exit_status) == ({"learner-unmatched": 1}, 0, 0)
        (waiting,) = IdentityLinks(world.engine, uuid).unmatched()
        assert (waiting.known_as, waiting.outcomes) == ("id-ada", 1)
        # The account appears at the LMS; the next day it is tried again.
        world.lms.unknown.clear()
        world.clock.forward(hours=25)
        assert world.run(uuid).done["created"] == 1

    def test_a_link_by_hand_ends_that_pause_at_once(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        world.lms.unknown.add("id-ada")
        world.run(uuid)
        IdentityLinks(world.engine, uuid).link("ada", "ada-there", now=world.clock())
        assert world.run(uuid).done["created"] == 1
        assert set(world.told) == {"ada-there"}


class TestCourseKey:
    def test_lms_that_needs_the_course(self, world, lines, channel_of):
        world.install(channel_of(outcomes_need_content=True))
        one_learner(world, lines)
        uuid = world.configure()
        assert dict(world.run(uuid).skipped) == {"course-not-at-lms": 1}
        world.hold(uuid, "Org+C1", present=False)
        assert dict(world.run(uuid).skipped) == {"course-not-at-lms": 1}, "it was retired"
        world.hold(uuid, "Org+C1")
        assert world.run(uuid).done["created"] == 1

    def test_the_key_is_the_one_that_was_sent(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        world.hold(uuid, "Org+C1", remote_key="ORG-C1")
        world.run(uuid)
        assert world.told["id-ada"]["course"] == "ORG-C1"

    def test_a_run_that_was_sent_instead_of_its_course(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        world.hold(uuid, RUN)
        world.run(uuid)
        assert world.told["id-ada"]["course"] == RUN

    def test_the_course_comes_before_its_run(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        world.hold(uuid, RUN, "Org+C1")
        world.run(uuid)
        assert world.told["id-ada"]["course"] == "Org+C1"

    def test_a_key_that_was_sent_stays(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        world.run(uuid)
        world.hold(uuid, RUN, remote_key="another")
        world.load(grades=[lines.grade("ada", 0.9)])
        assert world.run(uuid).done["updated"] == 1
        assert world.told["id-ada"]["course"] == "Org+C1"
        assert len(world.rows()) == 1

    def test_a_record_that_was_never_sent_changes_its_key(self, world, lines):
        one_learner(world, lines)
        world.load(learners=[lines.learner("ada", remote_ids={})])
        uuid = world.configure()
        world.run(uuid)
        assert world.row("ada")["course_key"] == "Org+C1"
        world.hold(uuid, RUN)
        world.run(uuid)
        assert world.row("ada")["course_key"] == RUN


class TestInProgress:
    def test_only_where_it_is_wanted(self, world, lines):
        one_learner(world, lines, percent=0.3, passed=False)
        uuid = world.configure()
        assert dict(world.run(uuid).skipped) == {"not-complete": 1}
        world.edit(uuid, send_in_progress=True)
        assert world.run(uuid).done["created"] == 1
        assert (world.told["id-ada"]["verdict"], world.told["id-ada"]["complete"]) == ("In Progress", False)

    def test_only_where_the_lms_takes_it(self, world, lines, channel_of):
        world.install(channel_of(in_progress=Support.IMPOSSIBLE))
        one_learner(world, lines, passed=False)
        uuid = world.configure(send_in_progress=True)
        assert dict(world.run(uuid).skipped) == {"not-complete": 1}

    def test_what_cannot_be_judged_is_not_in_progress(self, world, lines):
        one_learner(world, lines, passed_timestamp=None)
        uuid = world.configure(send_in_progress=True)
        assert dict(world.run(uuid).skipped) == {"completion-date-unknown": 1}


class TestAssessments:
    def test_each_attempted_subsection_once_and_zero_is_a_grade(self, world, lines):
        parts = [
            lines.quiz("one", 0),
            lines.quiz("two", 7.5),
            lines.quiz("three", None, attempted=False),
            lines.quiz("four", None),
            lines.quiz("five", 1, possible=0),
        ]
        one_learner(world, lines, subsections=parts)
        uuid = world.configure()
        summary = world.run(uuid, Kind.ASSESSMENTS)
        assert summary.done["created"] == 2
        assert dict(summary.skipped) == {"not-attempted": 1, "grade-unknown": 2}
        told = {item["subsection"]: Decimal(item["percent"]) for item in world.lms.items.values()}
        assert told == {"one": 0, "two": Decimal("0.75")}
        again = world.run(uuid, Kind.ASSESSMENTS)
        assert (again.unchanged, again.requests) == (2, 0)
        assert len(world.rows()) == 5

    def test_a_bonus_goes_as_it_was_earned(self, world, lines):
        one_learner(world, lines, subsections=[lines.quiz("much", 17), lines.quiz("fine", 10)])
        summary = world.run(world.configure(), Kind.ASSESSMENTS)
        assert (summary.done["created"], dict(summary.skipped)) == (2, {})
        told = {item["subsection"]: Decimal(item["percent"]) for item in world.lms.items.values()}
        assert told == {"much": Decimal("1.7"), "fine": 1}

    def test_nothing_to_assess_is_one_row_until_there_is(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        assert dict(world.run(uuid, Kind.ASSESSMENTS).skipped) == {"not-attempted": 1}
        assert world.row("ada")["subsection"] == "*"
        world.load(grades=[lines.grade("ada", subsections=[lines.quiz("one", 5)])])
        assert world.run(uuid, Kind.ASSESSMENTS).done["created"] == 1
        assert world.row("ada")["subsection"] == "one"

    def test_both_kinds_of_one_enrollment_stand_side_by_side(self, world, lines):
        one_learner(world, lines, subsections=[lines.quiz("one", 5)])
        uuid = world.configure()
        world.run(uuid)
        world.run(uuid, Kind.ASSESSMENTS)
        assert world.run(uuid).unchanged == world.run(uuid, Kind.ASSESSMENTS).unchanged == 1
        assert len(world.lms.items) == 2


class TestScope:
    def test_one_learner_and_course_alone(self, world, lines):
        for name in ("ada", "ben"):
            one_learner(world, lines, name)
        uuid = world.configure()
        summary = world.run(uuid, learner="ada", course=RUN)
        assert everything(summary) == 1
        assert set(world.told) == {"id-ada"}
        (row,) = world.rows(job)
        assert "ada" not in row["options"]

    def test_the_same_learner_at_two_customers(self, world, lines):
        one_learner(world, lines)
        world.load(
            learners=[lines.learner("ada", customer=lines.OTHER, remote_ids={"saml-acme": "other-ada"})],
            enrollments=[lines.enrollment("ada", customer=lines.OTHER, consent_granted=False)],
        )
        acme, other = world.configure(), world.configure(lines.OTHER)
        assert everything(world.run(acme, learner="ada", course=RUN)) == 1
        assert dict(world.run(other, learner="ada", course=RUN).skipped) == {"consent-refused": 1}
        assert set(world.told) == {"id-ada"}

    def test_two_configurations_of_one_channel_keep_to_themselves(self, world, lines):
        one_learner(world, lines)
        one, two = world.configure(), world.configure(learner_id="email")
        assert world.run(one).done["created"] == world.run(two).done["created"] == 1
        assert world.run(one).unchanged == world.run(two).unchanged == 1
        assert len(world.rows()) == 2
        assert {item["learner"] for item in world.lms.items.values()} <= {"id-ada", "ada@example.com"}

    def test_a_run_under_way_refuses_another_one(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        held = Lease.acquire(world.engine, f"completions:{uuid}", owner="another", clock=world.clock)
        with held, pytest.raises(LeaseHeldError) as refused:
            world.run(uuid, learner="ada")
        assert refused.value.exit_status == 3
        assert world.run(uuid).done["created"] == 1

    def test_or_is_waited_for(self, world, lines):
        one_learner(world, lines)
        uuid = world.configure()
        held = Lease.acquire(world.engine, f"completions:{uuid}", owner="another", clock=world.clock)

        async def both():
            waiting = asyncio.create_task(world.job(uuid, wait_s=30).run(Stop()))
            await asyncio.sleep(0)
            held.release()
            return await waiting

        assert asyncio.run(both()).done["created"] == 1


class TestNothingToDo:
    def test_the_configuration_sends_no_learner_data(self, world, lines):
        one_learner(world, lines)
        summary = world.run(world.configure(disable_learner_data_transmissions=True))
        assert (summary.reason, summary.exit_status) == ("learner-data-disabled", 0)
        assert summary.as_dict()["reason"] == "learner-data-disabled"
        assert everything(summary) == 0
        assert world.rows() == []

    def test_the_configuration_is_in_dry_run_mode(self, world, lines):
        one_learner(world, lines)
        one_learner(world, lines, "ben", passed=False)
        summary = world.run(world.configure(dry_run_mode_enabled=True))
        assert dict(summary.waiting) == {"dry-run": 1}
        assert dict(summary.skipped) == {"not-complete": 1}
        assert (world.rows(), world.lms.items) == ([], {})

    def test_the_channel_does_not_take_it(self, world, lines, channel_of):
        world.install(channel_of(assessments=Support.IMPOSSIBLE))
        one_learner(world, lines)
        uuid = world.configure()
        assert world.run(uuid, Kind.ASSESSMENTS).reason == "kind-not-supported"
        plan = asyncio.run(world.job(uuid, Kind.ASSESSMENTS).plan())
        assert plan.reason == "kind-not-supported"

    @pytest.mark.parametrize("field", ["active", "known"])
    def test_the_customer_is_gone(self, world, lines, field):
        uuid = world.configure(lines.OTHER if field == "active" else "44444444-4444-4444-8444-444444444444")
        world.load(customers=[lines.customer(lines.OTHER, active=False)])
        with pytest.raises(ConfigurationError, match="not active" if field == "active" else "not known"):
            world.run(uuid)


def test_a_plan_writes_nothing_and_says_what_a_run_does(world, lines):
    for name in ("ada", "ben"):
        one_learner(world, lines, name)
    world.load(learners=[lines.learner("ben", remote_ids={})])
    uuid = world.configure()

    async def planned():
        plan = await world.job(uuid).plan()
        return [item async for item in plan.items()]

    with count_statements(world.engine) as statements:
        items = asyncio.run(planned())
    assert not [text for text in statements.texts if not text.lstrip().upper().startswith("SELECT")]
    said = {item.title.partition(" ")[0]: (item.operation, item.reason) for item in items}
    assert said == {"ada": ("create", "new"), "ben": (None, "learner-unmatched")}
    assert world.rows() == []
    summary = world.run(uuid)
    assert (summary.done["created"], dict(summary.skipped)) == (1, {"learner-unmatched": 1})
    world.load(grades=[lines.grade("ada", 0.9)])
    (update,) = [item for item in asyncio.run(planned()) if item.operation]
    assert (update.reason, update.fields) == ("changed", ("percent",))


def test_the_sample_bundle_adds_up(world):
    """Every enrollment of every customer ends in exactly one place."""
    load_bundle(world.engine, sample_bundle())
    bundle = Bundle(sample_bundle())
    customers = [row.uuid for _, row in bundle.rows("customers")]
    total = 0
    for uuid in [world.configure(customer) for customer in customers]:
        total += everything(world.run(uuid))
        again = world.run(uuid)
        assert (again.requests, again.done.total(), again.failed.total()) == (0, 0, 0)
    assert total == sum(1 for _ in bundle.rows("enrollments"))
    assert len(world.rows()) == total
    confirmed = [row for row in world.rows() if row["state"] == "confirmed"]
    assert len(confirmed) == len(world.lms.items) > 0
    assert all(row["reason"] for row in world.rows() if row["state"] != "confirmed")


def test_statements_go_by_pages_and_not_by_outcomes(world, lines):
    names = [f"learner{number:04}" for number in range(1200)]
    world.load(
        learners=[lines.learner(name) for name in names],
        enrollments=[lines.enrollment(name) for name in names],
        grades=[lines.grade(name) for name in names],
    )
    uuid = world.configure()
    with count_statements(world.engine) as first:
        assert world.run(uuid).done["created"] == 1200
    assert first.count < 200
    with count_statements(world.engine) as second:
        assert world.run(uuid).unchanged == 1200
    assert second.count < 60
    assert len(world.lms.seen) == 24


def test_a_learner_who_was_sent_can_be_forgotten(world, lines):
    """Neither the tables nor the bytes of the file tell of the learner, and others are as before."""
    name = "zoe.canary"
    parts = [lines.quiz("one", 5)]
    for username in (name, "ada"):
        one_learner(world, lines, username, subsections=parts)
    uuid = world.configure()
    world.lms.refused.add(f"id-{name}")
    world.run(uuid)
    world.lms.refused.clear()
    world.run(uuid, Kind.ASSESSMENTS)
    world.run(uuid, learner=name, course=RUN, force=True)
    attempts = world.attempts()
    counts = world.installation.forget(name)
    assert counts["outcome_record"] == 2
    assert counts["transmission"] == 3
    assert world.attempts() == attempts, "past runs still add up"
    path = Path(world.engine.url.database)
    for file in path.parent.glob(path.name + "*"):
        assert b"zoe" not in file.read_bytes(), file.name
    assert world.run(uuid).unchanged == 1
    assert world.row("ada", subsection="")["state"] == "confirmed"

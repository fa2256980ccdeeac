"""Outcomes when something goes wrong: refusals, time-outs, crashes, limits, and consent that goes meanwhile."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from coursewire.errors import SourceError
from coursewire.model.channel import Idempotency
from coursewire.model.kinds import Kind
from coursewire.pipeline.transmit.run import Stop
from coursewire.pipeline.transmit.send import LEAST_BATCHES_A_CLAIM
from coursewire.sources.database import DatabaseSource
from coursewire.storage.audit.records import OutcomeRecords
from coursewire.storage.tables.records import job
from coursewire.testing.misbehave import Misbehaviour

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def crowd(world, lines):
    """Loads learners who have all completed."""

    def load(number):
        names = [f"l{place:03}" for place in range(number)]
        world.load(
            learners=[lines.learner(name) for name in names],
            enrollments=[lines.enrollment(name) for name in names],
            grades=[lines.grade(name) for name in names],
        )
        return names

    return load


def cut_off(world, uuid):
    """Leave the database as a run does that is killed between claiming and the answer."""
    records = OutcomeRecords(world.engine, uuid, Kind.COMPLETIONS)

    async def plan():
        export = world.job(uuid).export(await world.job(uuid).prepare())
        return [item async for page in export.pages() for item in page]

    items = asyncio.run(plan())
    records.save([item.record for item in items], now=world.clock())
    records.claim([item.record.key for item in items], job=uuid4(), now=world.clock())


class TestCutOff:
    def test_an_upsert_is_sent_again(self, world, crowd):
        crowd(3)
        uuid = world.configure()
        cut_off(world, uuid)
        assert world.run(uuid).done["created"] == 3
        assert len(world.lms.items) == 3
        assert world.run(uuid).unchanged == 3

    def test_an_upsert_is_sent_again_although_nothing_is_sent_twice_by_rule(self, world, crowd):
        crowd(1)
        uuid = world.configure(resend_outcomes="never")
        cut_off(world, uuid)
        assert world.run(uuid).done["created"] == 1

    @pytest.mark.parametrize("kind", [Idempotency.NONE, Idempotency.NATURAL_KEY])
    def test_without_a_way_to_know_it_stays_in_doubt_for_a_person(self, world, crowd, channel_of, kind):
        world.install(channel_of(outcome_idempotency=kind))
        crowd(2)
        uuid = world.configure()
        cut_off(world, uuid)
        summary = world.run(uuid)
        assert (dict(summary.skipped), summary.requests) == ({"in-doubt": 2}, 0)
        assert {row["state"] for row in world.rows()} == {"in doubt"}
        assert world.run(uuid, learner="l000", force=True).done["created"] == 1
        assert dict(world.run(uuid).skipped) == {"in-doubt": 1}

    def test_while_another_run_is_sending_a_plan_says_so(self, world, crowd):
        crowd(1)
        uuid = world.configure()
        cut_off(world, uuid)

        async def planned():
            plan = await world.job(uuid).plan()
            return [item.reason async for item in plan.items()]

        assert asyncio.run(planned()) == ["unsettled"]

    def test_an_update_is_in_doubt_too_where_it_would_be_a_second_outcome(
        self, world, crowd, lines, channel_of
    ):
        world.install(channel_of(outcome_idempotency=Idempotency.NONE))
        crowd(1)
        uuid = world.configure()
        world.run(uuid)
        world.load(grades=[lines.grade("l000", 0.9)])
        cut_off(world, uuid)
        assert dict(world.run(uuid).skipped) == {"in-doubt": 1}

    def test_an_update_that_was_cut_off_is_sent_again(self, world, crowd, lines):
        crowd(1)
        uuid = world.configure()
        world.run(uuid)
        world.load(grades=[lines.grade("l000", 0.9)])
        cut_off(world, uuid)
        assert world.run(uuid).done["updated"] == 1
        assert world.told["id-l000"]["percent"] == "0.9"


class TestNoAnswer:
    @pytest.mark.parametrize("how", ["slow answer", "reset after accepting"])
    def test_an_upsert_goes_again(self, world, crowd, how):
        crowd(2)
        uuid = world.configure()
        world.lms.misbehave.append(Misbehaviour(how, seconds=0.9))
        first = world.run(uuid)
        assert first.done.total() == 0
        assert first.exit_status == 1
        assert {row["state"] for row in world.rows()} == {"in doubt"}
        second = world.run(uuid)
        assert second.done["created"] == 2
        assert len(world.lms.items) == 2

    def test_elsewhere_it_is_in_doubt_and_seen(self, world, crowd, channel_of):
        world.install(channel_of(outcome_idempotency=Idempotency.NONE))
        crowd(2)
        uuid = world.configure()
        world.lms.misbehave.append(Misbehaviour("reset after accepting"))
        world.run(uuid)
        assert dict(world.run(uuid).skipped) == {"in-doubt": 2}
        assert set(world.lms.arrivals.values()) == {1}


def test_one_bad_outcome_in_a_batch_of_fifty(world, crowd):
    crowd(50)
    uuid = world.configure()
    world.lms.poison.add("id-l017")
    summary = world.run(uuid)
    assert (summary.done["created"], dict(summary.failed)) == (49, {"refused": 1})
    assert set(world.lms.arrivals.values()) == {1}
    again = world.run(uuid)
    assert (again.unchanged, dict(again.skipped), again.requests) == (49, {"rejected-before": 1}, 0)
    assert world.row("l017")["state"] == "rejected"


def test_what_was_refused_goes_again_once_it_has_changed(world, crowd, lines):
    crowd(1)
    uuid = world.configure()
    world.lms.refused.add("id-l000")
    world.run(uuid)
    world.lms.refused.clear()
    assert dict(world.run(uuid).skipped) == {"rejected-before": 1}
    world.load(grades=[lines.grade("l000", 0.9)])
    assert world.run(uuid).done["created"] == 1


def test_a_failed_outcome_that_is_not_wanted_begins_anew_later(world, crowd, lines):
    crowd(1)
    uuid = world.configure()
    world.lms.refused.add("id-l000")
    world.run(uuid)
    world.load(enrollments=[lines.enrollment("l000", consent_granted=False)])
    world.run(uuid)
    row = world.row("l000")
    assert (row["state"], row["reason"], row["attempts"]) == ("planned", "consent-refused", 0)
    world.lms.refused.clear()
    world.load(enrollments=[lines.enrollment("l000")])
    assert world.run(uuid).done["created"] == 1


def test_failures_rest_longer_each_time_and_a_change_ends_the_rest(world, crowd, lines):
    crowd(1)
    uuid = world.configure()
    world.lms.busy.add("id-l000")
    world.run(uuid)
    assert world.run(uuid).failed.total() == 1, "the second try comes at once"
    resting = world.run(uuid)
    assert (dict(resting.waiting), resting.requests) == ({"waiting-after-failure": 1}, 0)
    world.lms.busy.clear()
    world.load(grades=[lines.grade("l000", 0.9)])
    assert world.run(uuid).done["created"] == 1


def test_a_limit_of_the_lms_leaves_everything_counted(world, crowd, channel_of):
    world.install(channel_of(batch_items=10))
    crowd(1200)
    uuid = world.configure()
    world.lms.misbehave.append(Misbehaviour("429 with Retry-After", times=None, seconds=600))
    summary = world.run(uuid)
    assert dict(summary.waiting) == {"waiting-for-limit": 1200}
    assert summary.waiting_until is not None
    assert len(world.rows()) == 1200
    world.lms.misbehave.clear()
    world.clock.forward(minutes=11)
    assert world.run(uuid).done["created"] == 1200


def test_a_person_stops_the_run_at_once(world, crowd):
    crowd(3)
    uuid = world.configure()
    stop = Stop()
    stop.set("stopped")
    world.run(uuid, stop=stop)
    assert world.lms.items == {}
    (row,) = world.rows(job)
    assert row["state"] == "stopped"


class TestConsentAtSending:
    def test_a_withdrawal_between_plan_and_sending_is_heeded(self, world, crowd, lines, channel_of):
        names = crowd(80)
        last = names[-1]

        def withdraw(_batch):
            world.load(
                enrollments=[
                    lines.enrollment(name, consent_granted=False) for name in names if name not in gone
                ]
            )

        gone: set[str] = set()

        def first_batches_only(batch):
            gone.update(payload.remote_key.removeprefix("id-") for payload in batch.payloads)
            if len(gone) == 1:
                withdraw(batch)

        world.install(channel_of(batch_items=1, before_send=first_batches_only))
        uuid = world.configure()
        summary = world.run(uuid)
        # One window of requests was on its way already; nothing of the others left.
        assert 0 < summary.done["created"] <= LEAST_BATCHES_A_CLAIM
        assert summary.skipped["consent-refused"] == 80 - summary.done["created"]
        assert len(world.lms.items) == summary.done["created"]
        assert {row["reason"] for row in world.rows()} == {None, "consent-refused"}
        assert f"id-{last}" in world.told or world.row(last)["reason"] == "consent-refused"

    def test_no_answer_about_consent_is_no_consent(self, world, crowd):
        class Silent(DatabaseSource):
            async def consents(self, enrollments):
                raise SourceError("the consent service does not answer")

        crowd(3)
        uuid = world.configure()
        world.installation.__dict__["source"] = Silent(world.engine)
        summary = world.run(uuid)
        assert (dict(summary.waiting), world.lms.items) == ({"waiting-for-source": 3}, {})
        assert (summary.exit_status, list(summary.source_failures)) == (1, ["consent"])
        world.installation.__dict__["source"] = DatabaseSource(world.engine)
        assert world.run(uuid).done["created"] == 3

    def test_a_source_that_breaks_off_ends_the_run_visibly(self, world, crowd):
        class Broken(DatabaseSource):
            async def enrollments(self, *_args, **_kwargs):
                raise SourceError("it does not answer")
                yield []

        crowd(1)
        uuid = world.configure()
        world.installation.__dict__["source"] = Broken(world.engine)
        with pytest.raises(SourceError):
            world.run(uuid)
        (row,) = world.rows(job)
        assert (row["state"], "does not answer" in row["error"]) == ("failed", True)


def test_credentials_that_are_refused_settle_nothing(world, crowd):
    crowd(2)
    uuid = world.configure()
    world.lms.misbehave.append(Misbehaviour("expired token", times=None))
    summary = world.run(uuid)
    assert (dict(summary.waiting), summary.exit_status) == ({"credentials-broken": 2}, 1)
    assert world.installation.configurations.get(uuid).failing_since is not None


def test_a_fault_of_the_channel_holds_up_one_outcome(world, crowd, lines):
    crowd(2)
    world.load(learners=[lines.learner("l001", email="fault@example.com")])
    uuid = world.configure()
    summary = world.run(uuid)
    assert (summary.done["created"], dict(summary.failed)) == (1, {"channel-fault": 1})
    assert summary.exit_status == 1
    assert "coursewire-lms 1.0" in world.row("l001")["message"]

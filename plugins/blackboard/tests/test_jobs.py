"""Through core's jobs: the calls of a day, and a large bundle whose counts add up."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from coursewire.errors import ThrottledError
from coursewire.http.opening import open_session
from coursewire.installation import Installation
from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.pipeline.summary import Summary
from coursewire.sources.database.load import load_bundle
from coursewire.sources.sample import sample_bundle
from coursewire.storage.audit.records import ContentRecords
from coursewire.testing.misbehave import Misbehaviour
from coursewire_blackboard.simulator import BlackboardSimulator

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LARGE = Path(
    os.environ.get("COURSEWIRE_TEST_BUNDLE", Path(__file__).parents[4] / "shared" / "data" / "edx-2020")
)
ME = "/learn/api/public/v1/users/me"


def run(jobs: Sequence[Any]) -> list[Summary]:
    ended = asyncio.run(InlineRunner().run(jobs))
    assert [each.error for each in ended] == [None] * len(jobs)
    return [each.summary for each in ended if each.summary is not None]


def everything(summary: Summary) -> int:
    kinds = (summary.done, summary.skipped, summary.failed, summary.waiting)
    return summary.unchanged + sum(kind.total() for kind in kinds)


def ask(installation: Installation, configuration: Any, times: int = 1) -> None:
    """Make so many harmless requests in a session of its own."""
    channel = installation.channels.get("BLACKBOARD")
    config = installation.configurations.load(configuration.uuid, channel.channel)

    async def call() -> None:
        async with installation.session(channel, config, configuration.uuid) as session:
            for _ in range(times):
                await session.get(ME)

    asyncio.run(call())


# -- the calls of a day ------------------------------------------------------------------------------------


def test_the_calls_of_a_day_are_shared_by_all_configurations_with_one_application(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    other = BlackboardSimulator(clock=time)
    with other.running():
        one, two = configure(learn, daily_calls=5), configure(other, daily_calls=5)
        ask(installation, one, 3)
        ask(installation, two, 2)

        with pytest.raises(ThrottledError) as caught:
            ask(installation, one)
        assert caught.value.retry_at == time.now + timedelta(days=1)
        assert learn.calls["made"] + other.calls["made"] == 5

        time.now += timedelta(days=1)
        ask(installation, two)


def test_another_application_has_calls_of_its_own(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    other = BlackboardSimulator(clock=time)
    other.client_id = "another-application"  # type: ignore[misc]
    with other.running():
        ask(installation, configure(learn, daily_calls=1))
        ask(installation, configure(other, daily_calls=1))


def test_who_takes_less_than_its_group_has_stops_earlier(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    modest, other = configure(learn, daily_calls=2), configure(learn, daily_calls=20_000)
    ask(installation, modest, 2)

    with pytest.raises(ThrottledError):
        ask(installation, modest)
    ask(installation, other, 3)


def test_what_the_day_has_no_calls_for_waits_with_its_reason_and_goes_the_next_day(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    load_bundle(installation.engine, sample_bundle())
    configuration = configure(learn, daily_calls=30)

    (first,) = run([ContentJob(installation, configuration)])
    arrived = first.done.total()
    assert arrived
    assert set(first.waiting) == {"waiting-for-limit"}
    assert learn.calls["made"] <= 30
    records = ContentRecords(installation.engine, configuration.uuid)
    reasons = {reason: count for _state, reason, _present, count in records.counts()}
    assert reasons["waiting-for-limit"] == first.waiting.total()

    (again,) = run([ContentJob(installation, configuration)])
    assert again.done.total() == 0

    total = arrived + first.waiting.total()
    for _ in range(10):
        time.now += timedelta(days=1, minutes=1)
        (last,) = run([ContentJob(installation, configuration)])
        if not last.waiting:
            break
    assert len(learn.items) == total
    assert set(learn.arrivals.values()) == {1}


@pytest.mark.parametrize("status", [429, 403])
def test_when_learn_says_that_the_calls_are_used_up_nobody_asks_before_its_time(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any, status: int
) -> None:
    learn.daily_calls, learn.throttle_status = 2, status
    one, two = configure(learn), configure(learn)
    ask(installation, one, 2)

    for configuration in (one, two):
        with pytest.raises(ThrottledError) as caught:
            ask(installation, configuration)
        assert caught.value.retry_at - time.now == timedelta(days=1)
    assert learn.calls["made"] == 3
    assert learn.seen[-1].status == status


def test_a_refusal_without_a_time_costs_ten_minutes_and_not_a_day(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    configuration = configure(learn)
    learn.misbehave.append(Misbehaviour("429 without Retry-After", times=None))
    channel = installation.channels.get("BLACKBOARD")
    config = installation.configurations.load(configuration.uuid, channel.channel)

    async def no_sleep(_seconds: float) -> None:
        await asyncio.sleep(0)

    async def call() -> None:
        async with open_session(
            channel=channel.channel,
            config=config,
            configuration=configuration.uuid,
            authenticate=lambda tokens: channel.hook_caller.authenticate(config, tokens),
            engine=installation.engine,
            box=installation.secrets,
            insecure_urls=True,
            clock=time,
            sleep=no_sleep,
        ) as session:
            await session.get(ME)

    with pytest.raises(ThrottledError) as caught:
        asyncio.run(call())
    assert caught.value.retry_at == time.now + timedelta(minutes=10)


# -- what never leaves -------------------------------------------------------------------------------------


def test_programs_are_left_out_with_a_reason(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    load_bundle(installation.engine, sample_bundle())

    (summary,) = run([ContentJob(installation, configure())])

    assert summary.skipped["content-type-not-supported"] == 2
    assert set(learn.arrivals.values()) == {1}


@pytest.mark.parametrize(
    "fields", [{"dry_run_mode_enabled": True}, {"disable_learner_data_transmissions": True}]
)
def test_a_configuration_that_must_not_send_sends_no_grade(
    installation: Installation, learn: BlackboardSimulator, configure: Any, fields: Any
) -> None:
    load_bundle(installation.engine, sample_bundle())
    configuration = configure(**fields)

    for kind in (Kind.COMPLETIONS, Kind.ASSESSMENTS):
        (summary,) = run([OutcomeJob(installation, configuration, kind)])
        assert summary.done.total() == 0
    assert not learn.seen


def test_subsections_go_through_the_job_to_columns_of_their_own(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    load_bundle(installation.engine, sample_bundle())
    configuration = configure()
    run([ContentJob(installation, configuration)])
    for row in lines("learners", sample_bundle()):
        for key in list(learn.items):
            learn.enroll(key, row["email"])

    (completions, assessments) = run(
        [OutcomeJob(installation, configuration, kind) for kind in (Kind.COMPLETIONS, Kind.ASSESSMENTS)]
    )

    assert completions.done.total() > 0
    assert assessments.done.total() > 0
    counted = {column["includeInCalculations"] for column in learn.gradebook.columns.values()}
    assert counted == {True, False}
    assert len(learn.outcomes) == completions.done.total() + assessments.done.total()


# -- a large bundle ----------------------------------------------------------------------------------------


def lines(name: str, folder: Path = LARGE) -> list[Any]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines() if line]


def test_a_large_bundle_arrives_and_its_counts_add_up(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    if not LARGE.is_dir():
        pytest.skip(f"there is no bundle at {LARGE}; name one in COURSEWIRE_TEST_BUNDLE to run this")
    load_bundle(installation.engine, LARGE)
    enrollments = lines("enrollments")
    by_customer = Counter(row["customer"] for row in enrollments)
    customer = max(
        (each["uuid"] for each in lines("customers") if each["active"]), key=lambda each: by_customer[each]
    )
    mine = [row for row in enrollments if row["customer"] == customer]
    configuration = configure(learn, customer, daily_calls=1_000_000)

    (content,) = run([ContentJob(installation, configuration)])
    wanted = {key for row in lines("catalogs") if row["customer"] == customer for key in row["content_keys"]}
    assert everything(content) == len(wanted)
    assert content.done.total() == len(learn.items)
    assert set(learn.items) <= wanted
    assert set(learn.arrivals.values()) == {1}
    assert learn.calls["made"] == 3 * len(learn.items)

    learners = {row["username"]: row for row in lines("learners") if row["customer"] == customer}
    runs = {one["key"]: item["key"] for item in lines("content") for one in item.get("course_runs") or ()}
    for row in mine:
        if runs.get(row["course_id"]) in learn.items:
            learn.enroll(runs[row["course_id"]], learners[row["username"]]["email"])
    before = learn.calls["made"]
    (completions,) = run([OutcomeJob(installation, configuration, Kind.COMPLETIONS)])
    assert everything(completions) == len(mine)
    assert completions.done.total() == len(learn.outcomes) > 100
    assert not completions.failed
    grades = {(row["username"], row["course_id"]): row for row in lines("grades")}
    for row in mine:
        course = runs.get(row["course_id"])
        held = learn.outcomes.get(f"{course} edx_final_grade {learners[row['username']]['email']}")
        if held is not None:
            percent = Decimal(str(grades[row["username"], row["course_id"]]["percent"])) * 100
            assert abs(Decimal(str(held["score"])) - percent) < Decimal("0.0001")
    courses = {key.partition(" ")[0] for key in learn.outcomes}
    assert learn.calls["made"] - before == len(learn.outcomes) + 4 * len(courses)

    made = learn.calls["made"]
    again = run(
        [ContentJob(installation, configuration), OutcomeJob(installation, configuration, Kind.COMPLETIONS)]
    )
    assert [summary.done.total() for summary in again] == [0, 0]
    assert again[1].unchanged == completions.done.total()
    assert learn.calls["made"] == made

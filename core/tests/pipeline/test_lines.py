"""Several enrollments that feed one line of a learner at the LMS: one result stands, and it is the policy's."""

from __future__ import annotations

import asyncio

import pytest

from coursewire.model.channel import Support
from coursewire.model.kinds import Kind
from coursewire.pipeline.export import outcomes
from coursewire.pipeline.why import why_outcome
from coursewire.testing.database import count_statements

R1, R2, R3 = (f"course-v1:Org+C1+R{n}" for n in (1, 2, 3))
FIRST, SECOND = "2026-02-10T09:15:00Z", "2026-05-10T09:15:00Z"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def took(world, lines):
    """Loads a learner's grade in each of these runs, ``took(R1=0.95, R2=0.61)``; None for not passed."""
    runs = [{"key": key, "pacing_type": "self_paced"} for key in (R1, R2, R3)]
    world.load(
        content=[{"key": "Org+C1", "content_type": "course", "title": "One", "course_runs": runs}],
        learners=[lines.learner("ada")],
    )

    def load(username="ada", **grades):
        for name, percent in grades.items():
            run = f"course-v1:Org+C1+{name}"
            passed = {"passed": True, "passed_timestamp": FIRST if name == "R1" else SECOND}
            failed = {"passed": False, "passed_timestamp": None}
            number = abs(percent)
            world.load(
                enrollments=[lines.enrollment(username, course_id=run)],
                grades=[lines.grade(username, number, course_id=run, **(passed if percent > 0 else failed))],
            )

    return load


def standing(world) -> dict:
    """The last that the LMS was told, whichever enrollment's it is."""
    return list(world.lms.outcomes_in_order)[-1]


@pytest.fixture(autouse=True)
def in_order(world, monkeypatch):
    """Keep what arrives at the LMS in its order, since it keeps one result for a learner in a course."""
    arrived: list[dict] = []
    take = type(world.lms)._take

    def taking(lms, item):
        word = take(lms, item)
        if word == "ok":
            arrived.append(item)
        return word

    monkeypatch.setattr(type(world.lms), "_take", taking)
    world.lms.outcomes_in_order = arrived


@pytest.mark.parametrize("items", [1, 50])
@pytest.mark.parametrize("better_first", [True, False])
def test_the_better_stands_in_one_batch(world, took, channel_of, items, better_first):
    world.install(channel_of(batch_items=items))
    uuid = world.configure()
    took(**({"R1": 0.95, "R2": 0.61} if better_first else {"R1": 0.61, "R2": 0.95}))
    summary = world.run(uuid)
    assert (summary.done["created"], dict(summary.skipped), summary.exit_status) == (1, {"covered": 1}, 0)
    assert [item["percent"] for item in world.lms.outcomes_in_order] == ["0.95"]
    again = world.run(uuid)
    assert (again.unchanged, dict(again.skipped), again.requests) == (1, {"covered": 1}, 0)


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("grades", [(0.95, 0.61, 0.7), (0.61, 0.95, 0.7), (0.61, 0.7, 0.95)])
def test_the_better_stands_over_pages_of_one_run(world, took, monkeypatch, page, grades):
    monkeypatch.setattr(outcomes, "PAGE_ITEMS", page)
    uuid = world.configure()
    took(**dict(zip(("R1", "R2", "R3"), grades, strict=True)))
    summary = world.run(uuid)
    assert standing(world)["percent"] == "0.95"
    assert summary.failed.total() == 0
    again = world.run(uuid)
    assert (again.unchanged, dict(again.skipped), again.requests) == (1, {"covered": 2}, 0)


def test_a_later_lower_result_replaces_nothing(world, took):
    uuid = world.configure()
    took(R1=0.95)
    world.run(uuid)
    took(R2=0.61)
    for _ in range(3):
        world.clock.forward(hours=1)
        summary = world.run(uuid)
        assert (dict(summary.skipped), summary.unchanged, summary.requests) == ({"covered": 1}, 1, 0)
    row = world.row("ada", course_key="Org+C1", reason="covered")
    assert row["message"].startswith("It is covered by enrollment ")
    assert row["message"].endswith("(Pass, 95%).")


def test_a_later_better_result_replaces_the_lower_one_once(world, took):
    uuid = world.configure()
    took(R1=0.61)
    world.run(uuid)
    world.clock.forward(hours=1)
    took(R2=0.95)
    summary = world.run(uuid)
    assert (summary.done["created"], dict(summary.skipped)) == (1, {"covered": 1})
    world.clock.forward(hours=1)
    assert world.run(uuid).requests == 0
    assert [item["percent"] for item in world.lms.outcomes_in_order] == ["0.61", "0.95"]


def test_when_the_better_is_revoked_the_next_best_is_told(world, took):
    uuid = world.configure()
    took(R1=0.95, R2=0.61)
    world.run(uuid)
    world.clock.forward(hours=1)
    took(R1=-0.2)
    summary = world.run(uuid)
    assert (standing(world)["percent"], standing(world)["complete"]) == ("0.61", True)
    assert dict(summary.skipped) == {"covered": 1}
    world.clock.forward(hours=1)
    assert world.run(uuid).requests == 0
    took(R1=0.97)
    world.run(uuid)
    assert standing(world)["percent"] == "0.97"
    took(R1=0.95)
    world.clock.forward(hours=1)
    world.run(uuid)
    assert standing(world)["percent"] == "0.95"


def test_a_result_that_returns_is_told_although_it_was_confirmed_before(world, took):
    uuid = world.configure()
    took(R1=0.7)
    world.run(uuid)
    for hours, grade in ((1, 0.9), (2, 0.5)):
        world.clock.forward(hours=hours)
        took(R2=grade)
        world.run(uuid)
    assert [item["percent"] for item in world.lms.outcomes_in_order] == ["0.7", "0.9", "0.7"]


@pytest.mark.parametrize("page", [1, 500])
def test_progress_never_replaces_a_pass(world, took, monkeypatch, page):
    monkeypatch.setattr(outcomes, "PAGE_ITEMS", page)
    for policy in ("best", "latest", "first_pass"):
        uuid = world.configure(send_in_progress=True, result_policy=policy)
        took(R1=0.6, R2=-0.99)
        world.run(uuid)
        assert (standing(world)["complete"], standing(world)["percent"]) == (True, "0.6")


@pytest.mark.parametrize(
    ("policy", "expected"), [("best", "0.95"), ("latest", "0.61"), ("first_pass", "0.95")]
)
@pytest.mark.parametrize("runs", [1, 2])
def test_the_policy_is_the_configurations(world, took, policy, expected, runs):
    uuid = world.configure(result_policy=policy)
    took(R1=0.95)
    if runs == 2:
        world.run(uuid)
        world.clock.forward(hours=1)
    took(R2=0.61)
    world.run(uuid)
    assert standing(world)["percent"] == expected


def test_the_first_pass_stands_before_a_better_later_one(world, took):
    uuid = world.configure(result_policy="first_pass")
    took(R1=0.61, R2=0.95)
    world.run(uuid)
    assert standing(world)["percent"] == "0.61"
    world.edit(uuid, result_policy="best")
    world.clock.forward(hours=1)
    world.run(uuid)
    assert standing(world)["percent"] == "0.95"


def test_two_accounts_of_one_person_feed_one_line(world, lines, took):
    world.load(learners=[lines.learner("eve", remote_ids={"saml-acme": "id-ada"})])
    uuid = world.configure()
    took(R1=0.95)
    world.run(uuid)
    took("eve", R2=0.61)
    assert dict(world.run(uuid).skipped) == {"covered": 1}


def test_what_the_lms_refused_does_not_stand_for_others(world, took):
    uuid = world.configure()
    took(R1=0.95)
    world.lms.refused.add("id-ada")
    world.run(uuid)
    world.lms.refused.clear()
    took(R2=0.61)
    world.run(uuid)
    assert standing(world)["percent"] == "0.61"


def test_what_waits_after_a_failure_still_covers(world, took):
    uuid = world.configure()
    took(R1=0.95)
    world.lms.busy.add("id-ada")
    world.run(uuid)
    world.lms.busy.clear()
    took(R2=0.61)
    assert dict(world.run(uuid).skipped) == {"covered": 1}
    world.clock.forward(days=8)
    world.run(uuid)
    assert [item["percent"] for item in world.lms.outcomes_in_order] == ["0.95"]


@pytest.mark.parametrize(("ability", "reason"), [("lower_grade", "cannot-lower")])
def test_an_lms_that_cannot_lower_keeps_the_better(world, took, channel_of, ability, reason):
    world.install(channel_of(**{ability: Support.IMPOSSIBLE}))
    uuid = world.configure()
    took(R1=0.95, R2=0.61)
    world.run(uuid)
    took(R1=-0.2)
    assert dict(world.run(uuid).skipped) == {reason: 1, "covered": 1}
    assert standing(world)["percent"] == "0.95"


def test_assessments_are_lines_as_well(world, lines, took):
    uuid = world.configure()
    took(R1=0.9, R2=0.9)

    def quiz(run, points):
        world.load(grades=[lines.grade("ada", course_id=run, subsections=[lines.quiz("one", points)])])
        world.clock.forward(hours=1)
        return world.run(uuid, Kind.ASSESSMENTS)

    quiz(R1, 9)
    assert dict(quiz(R2, 5).skipped) == {"covered": 1}
    quiz(R1, 4)
    assert [item["percent"] for item in world.lms.outcomes_in_order] == ["0.9", "0.5"]


def test_force_for_one_enrollment_does_not_send_the_worse(world, took):
    uuid = world.configure()
    took(R1=0.95, R2=0.61)
    world.run(uuid)
    summary = world.run(uuid, force=True, learner="ada", course=R2)
    assert (dict(summary.skipped), summary.requests) == ({"covered": 1}, 0)


def test_why_names_the_other_enrollment(world, took):
    uuid = world.configure()
    took(R1=0.95, R2=0.61)
    world.run(uuid)
    one, two = asyncio.run(why_outcome(world.job(uuid, learner="ada", course="Org+C1")))
    worse = one if one["course"] == R2 else two
    assert worse["answer"]["reason"] == "covered"
    line = next(step for step in worse["decisions"] if step["step"] == "line")
    assert line["details"]["policy"] == "best"
    assert line["details"]["stands"].endswith("(Pass, 95%)")
    assert line["message"] == f"It is covered by {line['details']['stands']}."


def test_to_have_joined_one_run_says_nothing_about_another(world, took):
    uuid = world.configure()
    took(R1=0.9, R2=0.8)
    assert world.run(uuid, Kind.ENROLLMENTS).done["created"] == 2


def test_a_page_costs_one_more_query_however_many_learners_it_has(world, lines, took):
    uuid = world.configure()
    names = [f"user{n:03}" for n in range(60)]
    world.load(
        learners=[lines.learner(name) for name in names],
        enrollments=[lines.enrollment(name, course_id=run) for name in names for run in (R1, R2)],
        grades=[lines.grade(name, 0.8, course_id=run) for name in names for run in (R1, R2)],
    )
    with count_statements(world.engine) as seen:
        assert asyncio.run(_planned(world, uuid)) == 60
    assert len([statement for statement in seen.texts if "remote_key IN" in statement]) == 1


async def _planned(world, uuid) -> int:
    plan = await world.job(uuid).plan()
    return sum([len([item for item in page if item.payload]) async for page in plan.prepared])

"""The whole way of outcomes on every database: sent, left, linked, corrected, released and forgotten."""

from __future__ import annotations

from coursewire.model.kinds import Kind
from coursewire.storage.audit.requeue import requeue
from coursewire.storage.audit.states import State
from coursewire.storage.identity_links import IdentityLinks

RUN = "course-v1:Org+C1+R1"


def test_the_whole_way(world, lines):
    world.load(
        learners=[lines.learner("ada"), lines.learner("Ada", remote_ids={}), lines.learner("ben")],
        enrollments=[lines.enrollment(name) for name in ("ada", "Ada", "ben")],
        grades=[lines.grade(name, subsections=[lines.quiz("one", 5)]) for name in ("ada", "Ada", "ben")],
    )
    uuid = world.configure()
    world.lms.refused.add("id-ben")
    first = world.run(uuid)
    assert (first.done["created"], dict(first.skipped), first.failed.total()) == (
        1,
        {"learner-unmatched": 1},
        1,
    )
    links = IdentityLinks(world.engine, uuid)
    assert [one.username for one in links.unmatched()] == ["Ada"]

    links.link("Ada", "the-other-ada", now=world.clock())
    world.hold(uuid, RUN)
    world.load(grades=[lines.grade("ada", 0.9, subsections=[lines.quiz("one", 5)])])
    second = world.run(uuid)
    assert (second.done["created"], second.done["updated"]) == (1, 1)
    assert dict(second.skipped) == {"rejected-before": 1}
    assert world.row("Ada")["course_key"] == RUN
    assert world.row("ada")["course_key"] == "Org+C1"

    world.lms.refused.clear()
    released = requeue(
        world.engine,
        uuid,
        kind=Kind.COMPLETIONS,
        states=[State.REJECTED],
        actor="operator",
        reason="",
        now=world.clock(),
    )
    assert released == 1
    assert world.run(uuid).done["created"] == 1
    last = world.run(uuid)
    assert (last.unchanged, last.requests) == (3, 0)
    assert world.run(uuid, Kind.ASSESSMENTS).done["created"] == 3

    # The same enrollments under the same course keys: only the kind tells the records apart.
    assert world.run(uuid, Kind.ENROLLMENTS).done["created"] == 3
    assert world.run(uuid).unchanged == world.run(uuid, Kind.ENROLLMENTS).unchanged == 3
    both = [row for row in world.rows() if (row["username"], row["subsection"]) == ("Ada", "")]
    assert ({row["kind"] for row in both}, len({row["outcome_key"] for row in both})) == (
        {"completions", "enrollments"},
        1,
    )

    counts = world.installation.forget("ada")
    assert counts["outcome_record"] == 3
    assert world.run(uuid).unchanged == 2
    assert {row["username"] for row in world.rows()} == {"Ada", "ben"}


def test_several_enrollments_feed_one_line(world, lines):
    runs = ["course-v1:Org+C1+R1", "course-v1:Org+C1+R2"]
    world.load(
        content=[
            {
                "key": "Org+C1",
                "content_type": "course",
                "title": "One",
                "course_runs": [{"key": run, "pacing_type": "self_paced"} for run in runs],
            }
        ],
        learners=[lines.learner("ada")],
    )

    def run(index, percent):
        key = runs[index]
        world.load(
            enrollments=[lines.enrollment("ada", course_id=key)],
            grades=[lines.grade("ada", percent, course_id=key, passed=percent > 0.5)],
        )
        world.clock.forward(hours=1)
        return world.run(uuid)

    uuid = world.configure()
    assert run(0, 0.95).done["created"] == 1
    assert dict(run(1, 0.61).skipped) == {"covered": 1}
    assert run(0, 0.2).done["created"] == 1
    assert run(0, 0.97).done["updated"] == 1
    assert sorted(str(row["reason"]) for row in world.rows()) == ["None", "covered"]

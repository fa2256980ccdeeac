"""Outcome jobs against a small LMS: what is sent, what is left and why, and what a second run does."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_completion_arrives_once(world, lines):
    world.load(
        learners=[lines.learner("ada")], enrollments=[lines.enrollment("ada")], grades=[lines.grade("ada")]
    )
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
    assert world.row("ada")["state"] == "confirmed"

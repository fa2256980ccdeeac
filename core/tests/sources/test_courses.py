"""What content says about the run of an enrollment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coursewire.model.content import ContentItem
from coursewire.sources.courses import course_facts

RUN = "course-v1:Org+C1+R1"
DEADLINE = datetime(2026, 7, 1, tzinfo=UTC)


def course(**run):
    return ContentItem(content_type="course", key="Org+C1", title="Soil", course_runs=[{"key": RUN, **run}])


def lone(**fields):
    return ContentItem(content_type="courserun", key=RUN, **fields)


@pytest.mark.parametrize(
    ("seats", "deadline"),
    [
        ([{"type": "verified", "upgrade_deadline": "2026-07-01T02:00:00+02:00"}], DEADLINE),
        (
            [{"type": "audit", "upgrade_deadline": None}, {"type": "verified", "upgrade_deadline": DEADLINE}],
            DEADLINE,
        ),
        # the first verified seat speaks, even when it says nothing
        ([{"type": "verified"}, {"type": "verified", "upgrade_deadline": DEADLINE}], None),
        ([{"type": "verified", "upgrade_deadline": "soon"}], None),
        ([{"type": "professional", "upgrade_deadline": DEADLINE}], None),
        (["verified"], None),
        ([], None),
        ({"verified": DEADLINE}, None),
        (None, None),
    ],
)
def test_the_upgrade_deadline_is_that_of_the_first_verified_seat(seats, deadline):
    assert course_facts(RUN, [course(seats=seats)]).upgrade_deadline == deadline
    assert course_facts(RUN, [lone(seats=seats)]).upgrade_deadline == deadline


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"course": "Org+C1"}, "Org+C1"),
        ({"parent_content_key": "Org+C1"}, "Org+C1"),
        ({"course": {"key": "Org+C9"}, "parent_content_key": "Org+C1"}, "Org+C1"),
        ({}, RUN),
    ],
)
def test_the_course_of_a_run_that_is_an_item_of_its_own(fields, key):
    assert course_facts(RUN, [lone(**fields)]).course_key == key


def test_a_course_speaks_before_the_run_itself():
    both = [lone(title="Run", estimated_hours=1), course(estimated_hours=8)]
    facts = course_facts(RUN, both)
    assert (facts.title, facts.course_key, facts.estimated_hours) == ("Soil", "Org+C1", 8)


def test_a_run_that_nothing_holds():
    facts = course_facts("course-v1:Org+C1+R9", [course()])
    assert (facts.course_key, facts.run_key, facts.end) == (None, "course-v1:Org+C1+R9", None)
    assert course_facts(RUN, []).course_key is None

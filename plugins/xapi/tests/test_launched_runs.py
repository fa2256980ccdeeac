"""The runs of a course that learners can launch, and the address of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from coursewire import ContentItem, Moment, NotExportableError
from coursewire_xapi.cmi5_courses import enrollment_url, runs_to_launch

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def course(*runs, **fields):
    return ContentItem.model_validate(
        {"content_type": "course", "key": "X+1", "course_runs": list(runs), **fields}
    )


def run(uuid="r", start=None, **fields):
    return {"uuid": uuid, "key": f"course-v1:{uuid}", "start": start, **fields}


OPEN = {"status": "published", "availability": "Current"}


def test_the_open_runs_are_launched_in_their_order():
    item = course(run("a", **OPEN), run("b", **OPEN, end="2026-03-01T00:00:00Z"), run("c", **OPEN))
    assert [each.uuid for each in runs_to_launch(item, Moment(NOW))] == ["a", "c"]


def test_where_none_is_open_the_run_that_speaks_is_launched():
    item = course(run("a"), run("b"), advertised_course_run_uuid="b")
    assert [each.uuid for each in runs_to_launch(item, Moment(NOW))] == ["b"]


def test_a_coming_end_is_remembered():
    moment = Moment(NOW)
    runs_to_launch(course(run("a", **OPEN, end="2026-03-11T12:00:00Z")), moment)
    assert moment.next_change_at == NOW + timedelta(days=9)


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (course(), "no run"),
        (ContentItem.model_validate({"content_type": "program", "uuid": "p"}), "a program has no runs"),
    ],
)
def test_nothing_to_launch(item, why):
    with pytest.raises(NotExportableError, match=why):
        runs_to_launch(item, Moment(NOW))


def test_where_learners_go_in():
    own, of_course = (
        {"enrollment_url": "https://e.example.org/run"},
        {"enrollment_url": "https://e.example.org"},
    )
    for fields, of_run, url in (
        (of_course, own, "https://e.example.org/run"),
        (of_course, {}, "https://e.example.org"),
        ({}, {}, None),
    ):
        item = course(run("a", **of_run), **fields)
        assert enrollment_url(item, item.course_runs[0]) == url

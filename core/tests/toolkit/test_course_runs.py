"""The run that speaks for a course: a table of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from coursewire.model.content import ContentItem, CourseRun
from coursewire.model.instant import Moment
from coursewire.toolkit.course_runs import (
    choose_run,
    first_active_price,
    is_open,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEN_YEARS = timedelta(days=3652)


def course(*runs, **fields):
    return ContentItem.model_validate(
        {"content_type": "course", "key": "X+1", "course_runs": list(runs), **fields}
    )


def run(uuid="r", start=None, **fields):
    return {"uuid": uuid, "key": f"course-v1:{uuid}", "start": start, **fields}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(course(), None, id="no-runs"),
        pytest.param(course(run("only")), "only", id="only-run-even-undated"),
        pytest.param(
            course(
                run("a", "2025-01-15T00:00:00Z"),
                run("b", "2026-02-28T00:00:00Z"),
                advertised_course_run_uuid="a",
            ),
            "a",
            id="advertised-wins-over-nearer",
        ),
        pytest.param(
            course(
                run("a", "2025-01-15T00:00:00Z"),
                run("b", "2026-02-28T00:00:00Z"),
                advertised_course_run_uuid="gone",
            ),
            "b",
            id="advertised-unknown",
        ),
        pytest.param(
            course(
                run(None, "2025-01-15T00:00:00Z"),
                run("b", "2026-02-28T00:00:00Z"),
                advertised_course_run_uuid=None,
            ),
            "b",
            id="no-uuid-is-not-advertised",
        ),
        pytest.param(
            course(run("past", "2026-02-01T00:00:00Z"), run("future", "2026-03-20T00:00:00Z")),
            "future",
            id="future-nearer",
        ),
        pytest.param(
            course(run("past", "2026-02-20T00:00:00Z"), run("future", "2026-03-20T00:00:00Z")),
            "past",
            id="past-nearer",
        ),
        pytest.param(
            course(run("undated"), run("old", "2017-01-01T00:00:00Z")), "old", id="undated-is-ten-years-ago"
        ),
        pytest.param(
            course(run("undated"), run("older", "2015-01-01T00:00:00Z")), "undated", id="undated-beats-older"
        ),
        pytest.param(
            course(run("undated"), run("sentinel", "9999-12-31T00:00:00Z")),
            "undated",
            id="end-of-time-does-not-overflow",
        ),
        pytest.param(
            course(run("a", "0001-01-01T00:00:00Z"), run("z", "9999-12-31T00:00:00Z")),
            "a",
            id="both-ends-of-time",
        ),
        pytest.param(
            course(run("a", "2026-02-01T12:00:00Z"), run("b", "2026-03-29T12:00:00Z")),
            "b",
            id="tie-goes-to-the-later",
        ),
        pytest.param(
            ContentItem.model_validate({"content_type": "program", "uuid": "p", "course_runs": [run("a")]}),
            None,
            id="program",
        ),
    ],
)
def test_the_run_that_speaks_for_an_item(item, expected):
    chosen = choose_run(item, Moment(NOW))

    assert (chosen and chosen.uuid) == expected


def test_a_course_run_speaks_for_itself():
    item = ContentItem.model_validate(
        {
            "content_type": "courserun",
            "key": "course-v1:X+1+a",
            "start": "2026-01-01T00:00:00Z",
            "estimated_hours": 4,
            "min_effort": 2,
            "max_effort": 3,
            "weeks_to_complete": 5,
        }
    )

    chosen = choose_run(item, Moment(NOW))

    assert (chosen.key, chosen.start, chosen.estimated_hours) == ("course-v1:X+1+a", item.start, 4)
    assert (chosen.min_effort, chosen.max_effort, chosen.weeks_to_complete) == (2, 3, 5)
    assert chosen.end is None


@pytest.mark.parametrize(
    ("starts", "changes_at", "next_run"),
    [
        pytest.param(
            {"a": "2026-02-20T12:00:00Z", "b": "2026-03-20T12:00:00Z"},
            datetime(2026, 3, 6, 12, tzinfo=UTC),
            "b",
            id="midpoint",
        ),
        pytest.param(
            {"c": "2026-06-01T12:00:00Z", "a": "2026-02-20T12:00:00Z", "b": "2026-03-20T12:00:00Z"},
            datetime(2026, 3, 6, 12, tzinfo=UTC),
            "b",
            id="the-first-of-several",
        ),
        pytest.param(
            {"a": "2026-02-20T12:00:00Z", "b": "2025-03-20T12:00:00Z"},
            None,
            "a",
            id="an-older-one-never-overtakes",
        ),
        pytest.param({"u": None}, None, "u", id="alone"),
        pytest.param(
            {"a": "2020-03-01T12:00:00Z", "u": None},
            datetime(2020, 3, 1, 12, tzinfo=UTC) + TEN_YEARS,
            "u",
            id="undated-overtakes",
        ),
        pytest.param(
            {"u": None, "f": "2037-03-01T12:00:00Z"},
            datetime(2037, 3, 1, 12, tzinfo=UTC) - TEN_YEARS,
            "f",
            id="undated-is-overtaken",
        ),
        pytest.param({"u": None, "old": "2001-03-01T12:00:00Z"}, None, "u", id="undated-and-ancient"),
    ],
)
def test_the_moment_learns_when_another_run_is_the_nearest(starts, changes_at, next_run):
    item = course(*(run(uuid, start) for uuid, start in starts.items()))
    moment = Moment(NOW)
    before = choose_run(item, moment)

    assert moment.next_change_at == changes_at
    if changes_at is not None:
        assert choose_run(item, Moment(changes_at - timedelta(microseconds=1))) == before
        assert choose_run(item, Moment(changes_at)).uuid == next_run


def test_an_advertised_run_is_not_overtaken():
    moment = Moment(NOW)
    choose_run(
        course(
            run("a", "2026-02-20T00:00:00Z"), run("b", "2026-03-20T00:00:00Z"), advertised_course_run_uuid="a"
        ),
        moment,
    )

    assert moment.next_change_at is None


OPEN = {"availability": "Current", "status": "published"}


@pytest.mark.parametrize(
    ("fields", "expected", "changes_at"),
    [
        pytest.param({}, True, None, id="open-without-dates"),
        pytest.param({"availability": "Starting Soon"}, True, None, id="starting-soon"),
        pytest.param({"availability": "Upcoming"}, True, None, id="upcoming"),
        pytest.param({"availability": "Archived"}, False, None, id="archived"),
        pytest.param({"availability": None}, False, None, id="availability-unknown"),
        pytest.param({"status": "unpublished"}, False, None, id="unpublished"),
        pytest.param({"end": "2026-03-02T12:00:00Z"}, False, None, id="ends-in-exactly-a-day"),
        pytest.param(
            {"end": "2026-03-02T12:00:01Z"},
            True,
            datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
            id="ends-in-more",
        ),
        pytest.param(
            {"end": "9999-12-31T23:59:59Z"},
            True,
            datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC),
            id="ends-never",
        ),
        pytest.param({"end": "0001-01-01T00:00:00Z"}, False, None, id="ended-at-the-beginning-of-time"),
        pytest.param({"enrollment_start": "2026-03-01T12:00:00Z"}, True, None, id="enrollment-starts-now"),
        pytest.param(
            {"enrollment_start": "2026-03-05T00:00:00Z"},
            False,
            datetime(2026, 3, 5, tzinfo=UTC),
            id="enrollment-not-yet",
        ),
        pytest.param({"enrollment_end": "2026-03-01T12:00:00Z"}, False, None, id="enrollment-over"),
        pytest.param(
            {"enrollment_end": "2026-03-05T00:00:00Z"},
            True,
            datetime(2026, 3, 5, tzinfo=UTC),
            id="enrollment-ends",
        ),
    ],
)
def test_open_for_enrollment(fields, expected, changes_at):
    moment = Moment(NOW)

    assert is_open(CourseRun.model_validate({**OPEN, **fields}), moment) is expected
    assert moment.next_change_at == changes_at
    if changes_at is not None:
        assert is_open(CourseRun.model_validate({**OPEN, **fields}), Moment(changes_at)) is not expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"published": True}, True),
        ({"published": False}, False),
        ({"status": "reviewed", "published": True}, False),
    ],
)
def test_a_flat_course_run_record_may_say_published(fields, expected):
    item = ContentItem.model_validate(
        {"content_type": "courserun", "key": "r", "availability": "Current", **fields}
    )

    assert is_open(choose_run(item, Moment(NOW)), Moment(NOW)) is expected


ACTIVE = {"status": "published", "is_enrollable": True, "is_marketable": True}


def price(value):
    return {"first_enrollable_paid_seat_price": value}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(course(run("a", **price(99)), advertised_course_run_uuid="a"), 99, id="advertised"),
        pytest.param(
            course(run("b", **ACTIVE, **price(50)), run("a", **price(None)), advertised_course_run_uuid="a"),
            None,
            id="advertised-null-is-an-answer",
        ),
        pytest.param(
            course(run("b", **ACTIVE, **price(50)), run("a"), advertised_course_run_uuid="a"),
            50,
            id="advertised-lacks-the-field",
        ),
        pytest.param(
            course(
                run("a", **price(1)),
                run("b", **(ACTIVE | {"status": "unpublished"}), **price(2)),
                run("c", **(ACTIVE | {"is_enrollable": False}), **price(3)),
                run("d", **(ACTIVE | {"is_marketable": None}), **price(4)),
                run("e", **ACTIVE, **price(None)),
                run("f", **ACTIVE, **price(0)),
                run("g", **ACTIVE, **price(5)),
            ),
            0,
            id="first-active-with-a-price-and-zero-is-one",
        ),
        pytest.param(course(), None, id="no-runs"),
    ],
)
def test_the_price_of_a_course(item, expected):
    assert first_active_price(item) == expected

"""The run that stands for a course, and whether learners can still enroll in it: the same answers for all channels.

Every answer about time goes through the :class:`Moment`, which notes when the answer will change. Of two runs that are
equally near, the one that is nearer from then on counts, so that an item which is examined at exactly the promised
instant shows the change.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from coursewire.model.content import ContentItem, ContentType, CourseRun

if TYPE_CHECKING:
    from datetime import datetime

    from coursewire.model.instant import Moment

CLOSES_BEFORE_END = timedelta(days=1)
"""Nobody enrolls in the last day of a run."""
UNDATED_AGE = timedelta(days=3652)
"""A run without a start counts as this long ago: ten years."""

_SHARED_FIELDS = ContentItem.model_fields.keys() & CourseRun.model_fields.keys()


def choose_run(item: ContentItem, moment: Moment) -> CourseRun | None:
    """Return the course run whose dates, language and price stand for an item; None where it has none.

    Args:
        item: The content item. A course: its advertised run, else the run whose start is nearest to now, before or after
            (a run without a start counts as ten years old). A course run: itself. Programs and pathways have no run.
        moment: The moment of this run of the job, which notes when another course run will be the nearest.

    Example:
        >>> from datetime import UTC, datetime
        >>> item = cw.ContentItem(
        ...     content_type="course",
        ...     key="KNOTS",
        ...     course_runs=[{"key": "2024", "start": "2024-03-01"}, {"key": "2026", "start": "2026-03-01"}],
        ... )
        >>> cw.choose_run(item, cw.Moment(datetime(2026, 1, 1, tzinfo=UTC))).key
        '2026'
    """
    if item.content_type is ContentType.COURSE_RUN:
        return run_of(item)
    advertised = _advertised_run(item)
    if advertised is not None or item.content_type is not ContentType.COURSE or not item.course_runs:
        return advertised
    chosen = min(item.course_runs, key=lambda run: _nearness(run, moment.now))
    _note_overtaking(chosen, item.course_runs, moment)
    return chosen


def run_of(item: ContentItem) -> CourseRun:
    """Return a course-run item as a course run.

    Args:
        item: The content item. Its flat record may say ``published`` true or false instead of a status.
    """
    fields = {name: getattr(item, name) for name in _SHARED_FIELDS & item.model_fields_set}
    if item.status is None and item.get("published") is True:
        fields["status"] = "published"
    return CourseRun.model_construct(**fields)


def is_open(run: CourseRun, moment: Moment) -> bool:
    """Tell whether learners can enroll in a run now.

    The run must be published, its availability one with which it takes learners, its end more than a day away, and
    now within its enrollment dates. A missing date sets no bound.

    Args:
        run: The course run.
        moment: The moment of this run of the job, which notes when the answer will change.

    Example:
        >>> from datetime import UTC, datetime
        >>> run = cw.CourseRun(key="2026", status="published", availability="Current", enrollment_end="2026-02-01")
        >>> moment = cw.Moment(datetime(2026, 1, 1, tzinfo=UTC))
        >>> cw.is_open(run, moment), moment.next_change_at.isoformat()
        (True, '2026-02-01T00:00:00+00:00')
    """
    if not run.is_available or run.status != "published":
        return False
    if run.end is not None:
        if run.end <= moment.now + CLOSES_BEFORE_END:
            return False
        moment.will_change_at(run.end - CLOSES_BEFORE_END)
    if run.enrollment_start is not None and not moment.has_passed(run.enrollment_start):
        return False
    return run.enrollment_end is None or not moment.has_passed(run.enrollment_end)


def first_active_price(item: ContentItem) -> float | int | None:
    """Return the price of a course, in the currency of the seat; None when it is unknown.

    Args:
        item: The content item.

    Returns:
        The ``first_enrollable_paid_seat_price`` of the advertised run, even if that is null. Where the run does not have the
        field at all, or no run is advertised, the price of the first run that has one and is published, enrollable and
        marketable.

    Example:
        >>> runs = [{"key": "2026", "uuid": "r1", "first_enrollable_paid_seat_price": 149.0}]
        >>> item = cw.ContentItem(content_type="course", key="KNOTS", advertised_course_run_uuid="r1", course_runs=runs)
        >>> cw.first_active_price(item)
        149.0
    """
    advertised = _advertised_run(item)
    if advertised is not None and "first_enrollable_paid_seat_price" in advertised.model_fields_set:
        return advertised.first_enrollable_paid_seat_price
    prices = (
        run.first_enrollable_paid_seat_price
        for run in item.course_runs
        if run.status == "published" and run.is_enrollable and run.is_marketable
    )
    return next((price for price in prices if price is not None), None)


def _advertised_run(item: ContentItem) -> CourseRun | None:
    wanted = item.advertised_course_run_uuid
    return next((run for run in item.course_runs if wanted and run.uuid == wanted), None)


def _nearness(run: CourseRun, now: datetime) -> tuple[timedelta, timedelta, bool]:
    """Sort key: distance, then the later start, then the undated run: the order in which runs overtake."""
    distance = UNDATED_AGE if run.start is None else abs(run.start - now)
    age = UNDATED_AGE if run.start is None else now - run.start
    return distance, age, run.start is not None


def _note_overtaking(chosen: CourseRun, runs: tuple[CourseRun, ...], moment: Moment) -> None:
    """Tell the moment when another run takes over as the nearest.

    A later start overtakes the chosen one halfway between the two; a run without a start keeps its distance
    of ten years, so that it overtakes, and is overtaken, when a start is ten years away.
    """
    for run in runs:
        if run.start is None and chosen.start is not None:
            moment.will_change_at(chosen.start + UNDATED_AGE)
        elif run.start is not None and chosen.start is None and run.start > moment.now:
            moment.will_change_at(run.start - UNDATED_AGE)
        elif run.start is not None and chosen.start is not None and run.start > chosen.start:
            moment.will_change_at(chosen.start + (run.start - chosen.start) / 2)

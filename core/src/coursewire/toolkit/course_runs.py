"""Which run of a course speaks for it, and whether learners can still enroll: one function each, for all channels.

Every answer about time goes through the :class:`Moment`, which learns when the answer will change. Ties are
broken towards what holds next, so that an item examined at exactly the promised instant shows the change.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem, ContentType, CourseRun

if TYPE_CHECKING:
    from datetime import datetime

    from coursewire.model.instant import Moment

ENROLLABLE_AVAILABILITY = frozenset({"Current", "Starting Soon", "Upcoming"})
"""The values of ``availability`` with which a course run takes learners, or will."""
CLOSES_BEFORE_END = timedelta(days=1)
"""Nobody enrolls in the last day of a run."""
UNDATED_AGE = timedelta(days=3652)
"""A run without a start counts as this long ago: ten years."""

_SHARED_FIELDS = ContentItem.model_fields.keys() & CourseRun.model_fields.keys()


def choose_run(item: ContentItem, moment: Moment) -> CourseRun | None:
    """The run that speaks for an item.

    Args:
        item: A course: its advertised run, else the one whose start is nearest to now in either direction
            (no start counts as ten years ago). A course run: itself. Anything else has no run.
        moment: Learns when another run will be the nearest.
    """
    if item.content_type is ContentType.COURSE_RUN:
        return run_of(item)
    advertised = _advertised_run(item)
    if advertised is not None or item.content_type is not ContentType.COURSE or not item.course_runs:
        return advertised
    chosen = min(item.course_runs, key=lambda run: _nearness(run, moment.now))
    _note_overtaking(chosen, item.course_runs, moment)
    return chosen


def runs_to_launch(item: ContentItem, moment: Moment) -> list[CourseRun]:
    """The runs of a course that learners can go into, in their order.

    Returns:
        The open runs; where none is open, the run that speaks for the course alone.

    Raises:
        NotExportableError: It is no course, or has no run.
    """
    if item.content_type is not ContentType.COURSE:
        raise NotExportableError("content_type", f"a {item.content_type.value} has no runs of its own")
    speaks = choose_run(item, moment)
    if speaks is None:
        raise NotExportableError("course_runs", "the course has no run that could be launched")
    return [run for run in item.course_runs if is_open(run, moment)] or [speaks]


def enrollment_url(item: ContentItem, run: CourseRun) -> str | None:
    """Where learners go into a run: the run's own address, else the course's; None where nobody knows it."""
    return (run.model_extra or {}).get("enrollment_url") or item.enrollment_url


def run_of(item: ContentItem) -> CourseRun:
    """A course-run item as a run. Its flat record may say ``published`` true or false instead of a status."""
    fields = {name: getattr(item, name) for name in _SHARED_FIELDS & item.model_fields_set}
    if item.status is None and item.get("published") is True:
        fields["status"] = "published"
    return CourseRun.model_construct(**fields)


def is_open(run: CourseRun, moment: Moment) -> bool:
    """Tell whether learners can enroll in a run now.

    It must be published, its availability Current, Starting Soon or Upcoming, its end more than a day away,
    and now within its enrollment dates. A missing date sets no bound.
    """
    if run.availability not in ENROLLABLE_AVAILABILITY or run.status != "published":
        return False
    if run.end is not None:
        if run.end <= moment.now + CLOSES_BEFORE_END:
            return False
        moment.will_change_at(run.end - CLOSES_BEFORE_END)
    if run.enrollment_start is not None and not moment.has_passed(run.enrollment_start):
        return False
    return run.enrollment_end is None or not moment.has_passed(run.enrollment_end)


def first_active_price(item: ContentItem) -> float | int | None:
    """The price of a course, in the currency of the seat; None when it is unknown.

    The advertised run's ``first_enrollable_paid_seat_price``, even if that is null; where the run does not
    carry the field at all, or no run is advertised, that of the first run with a price which is published,
    enrollable and marketable.
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

"""Courses as blocks of cmi5 course structures: the one form in which the world of xAPI takes a catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import coursewire as cw
from coursewire_xapi.cmi5_format import Block, MoveOn, Unit, described
from coursewire_xapi.outcomes import activity_id

if TYPE_CHECKING:
    from coursewire_xapi.config import XapiConfig


def course_block(
    config: XapiConfig,
    item: cw.ContentItem,
    moment: cw.Moment,
    *,
    move_on: MoveOn = MoveOn.NOT_APPLICABLE,
    mastery_score: str | None = None,
) -> Block:
    """Return a course with its open runs as units, or with the run that represents it where none is open.

    Args:
        config: Configuration with the site that ids begin with.
        item: A course.
        moment: The present instant.
        move_on: Rule by which an LMS counts each unit as done.
        mastery_score: Score from which on each unit is passed, 0 to 1, as decimal text; None for no score.

    Raises:
        NotExportableError: The item is no course, or lacks a title or a run.
        ValidationError: A rule of cmi5 is broken, for example by an address that is none.
    """
    units = [
        Unit.model_validate(
            {
                "id": activity_id(config, "courserun", run.key),
                "url": enrollment_url(item, run) or f"{config.site}/courses/{run.key}/course",
                "move_on": move_on,
                "mastery_score": mastery_score,
                **described(item, run, run.title),
            }
        )
        for run in runs_to_launch(item, moment)
    ]
    texts = described(item, cw.choose_run(item, moment), item.title)
    return Block(id=activity_id(config, "course", item.content_key), au=tuple(units), **texts)


def runs_to_launch(item: cw.ContentItem, moment: cw.Moment) -> list[cw.CourseRun]:
    """Return the runs of a course that learners can enter now, in the order of the source.

    Args:
        item: The content item; it must be a course.
        moment: The moment of this run of the job, which notes when the answer will change.

    Returns:
        The open runs; where no run is open, only the run that :func:`coursewire.choose_run` chooses.

    Raises:
        NotExportableError: The item is no course, or has no run.

    Example:
        >>> from datetime import UTC, datetime
        >>> item = cw.ContentItem(
        ...     content_type="course",
        ...     key="KNOTS",
        ...     course_runs=[
        ...         {
        ...             "key": "2024",
        ...             "start": "2024-03-01",
        ...             "end": "2024-06-01",
        ...             "status": "published",
        ...             "availability": "Archived",
        ...         },
        ...         {"key": "2026", "start": "2026-03-01", "status": "published", "availability": "Upcoming"},
        ...     ],
        ... )
        >>> [run.key for run in runs_to_launch(item, cw.Moment(datetime(2026, 1, 1, tzinfo=UTC)))]
        ['2026']
    """
    if item.content_type is not cw.ContentType.COURSE:
        raise cw.NotExportableError("content_type", f"a {item.content_type.value} has no runs of its own")
    speaks = cw.choose_run(item, moment)
    if speaks is None:
        raise cw.NotExportableError("course_runs", "the course has no run that could be launched")
    return [run for run in item.course_runs if cw.is_open(run, moment)] or [speaks]


def enrollment_url(item: cw.ContentItem, run: cw.CourseRun) -> str | None:
    """Return the address at which learners enter a run: the run's own, else the course's; None where neither is known.

    Args:
        item: The content item to which the run belongs.
        run: The course run.

    Example:
        >>> item = cw.ContentItem(content_type="course", key="KNOTS", enrollment_url="https://courses.example.com/KNOTS")
        >>> enrollment_url(item, cw.CourseRun(key="2026"))
        'https://courses.example.com/KNOTS'
    """
    return (run.model_extra or {}).get("enrollment_url") or item.enrollment_url

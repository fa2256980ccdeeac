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
                "url": cw.enrollment_url(item, run) or f"{config.site}/courses/{run.key}/course",
                "move_on": move_on,
                "mastery_score": mastery_score,
                **described(item, run, run.title),
            }
        )
        for run in cw.runs_to_launch(item, moment)
    ]
    texts = described(item, cw.choose_run(item, moment), item.title)
    return Block(id=activity_id(config, "course", item.content_key), au=tuple(units), **texts)

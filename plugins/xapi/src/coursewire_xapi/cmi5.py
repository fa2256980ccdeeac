"""Courses as blocks of cmi5 course structures: the one form in which the world of xAPI takes a catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursewire.cli.cmi5 import cmi5_commands
from coursewire.toolkit.cmi5 import Block, Unit, described
from coursewire.toolkit.course_runs import choose_run, enrollment_url, runs_to_launch
from coursewire_xapi.config import XapiConfig
from coursewire_xapi.outcomes import activity_id

if TYPE_CHECKING:
    from coursewire.model.content import ContentItem
    from coursewire.model.instant import Moment


def course_block(config: XapiConfig, item: ContentItem, moment: Moment, **unit: Any) -> Block:
    """A course with its open runs as units, or with the run that speaks for it where none is open.

    Args:
        config: Has the site that ids begin with.
        item: A course.
        moment: The present instant.
        unit: ``move_on`` and ``mastery_score`` of the units.

    Raises:
        NotExportableError: It is no course, or lacks a title or a run.
        ValidationError: A rule of cmi5 is broken, for example by an address that is none.
    """
    units = [
        Unit(
            id=activity_id(config, "courserun", run.key),
            url=enrollment_url(item, run) or f"{config.site}/courses/{run.key}/course",
            **described(item, run, run.title),
            **unit,
        )
        for run in runs_to_launch(item, moment)
    ]
    texts = described(item, choose_run(item, moment), item.title)
    return Block(id=activity_id(config, "course", item.content_key), au=tuple(units), **texts)


commands = cmi5_commands(XapiConfig, course_block, lambda config, name: activity_id(config, "catalog", name))

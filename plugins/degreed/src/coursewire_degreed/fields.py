"""What both APIs are told of a course or a completion, in the same words."""

from __future__ import annotations

import math
from datetime import UTC

import coursewire as cw

LONGEST_TEXT = 2000
"""Characters of a description."""
DEFAULT_LANGUAGE = "en"


def title_of(item: cw.ContentItem) -> str:
    """Return the title, marked where the course is executive education.

    Raises:
        NotExportableError: There is none; Degreed demands one.
    """
    cw.require_text(item, "title")
    return cw.title_with_type(item)


def cut(text: str, room: int = LONGEST_TEXT) -> str:
    """Return a text that Degreed has room for; three dots stand for what was cut off."""
    return text if len(text) <= room else text[: room - 3] + "..."


def image_of(item: cw.ContentItem) -> str | None:
    """Return the address of the picture."""
    return item.card_image_url if item.content_type is cw.ContentType.PROGRAM else item.image_url


def language_of(item: cw.ContentItem, moment: cw.Moment) -> str:
    """Return the language of the run that speaks for the item, without its region; English where none is known."""
    run = cw.choose_run(item, moment)
    written = (run.content_language if run else None) or ""
    return written.replace("_", "-").partition("-")[0].strip() or DEFAULT_LANGUAGE


def completed_at(completion: cw.Completion, form: str) -> str | None:
    """When a course was completed, in UTC and in a form of ``strftime``; None where it no longer counts.

    Raises:
        NotExportableError: The instant is unknown.
    """
    if not completion.complete:
        return None
    if completion.completed_at is None:
        raise cw.NotExportableError("completed_at", "Degreed takes no completion without it")
    return completion.completed_at.astimezone(UTC).strftime(form)


def effort_phrase(item: cw.ContentItem, moment: cw.Moment) -> str:
    """``2-3 hours a week for 5 weeks. `` of a course, by the run that speaks for it; "" where a figure is missing."""
    effort = _effort(item, moment) if item.content_type is cw.ContentType.COURSE else None
    return "{:g}-{:g} hours a week for {:g} weeks. ".format(*effort) if effort else ""


def hours_of(item: cw.ContentItem, moment: cw.Moment) -> int:
    """Whole hours that the course or run takes, rounded up; 0 where a figure is missing."""
    effort = _effort(item, moment)
    return math.ceil(effort[2] * (effort[0] + effort[1]) / 2) if effort else 0


def _effort(item: cw.ContentItem, moment: cw.Moment) -> tuple[float, float, float] | None:
    """Least and most hours a week, and weeks; None unless all three are known and above zero."""
    run = cw.choose_run(item, moment)
    if run is None:
        return None
    least, most, weeks = run.min_effort or 0, run.max_effort or 0, run.weeks_to_complete or 0
    return (least, most, weeks) if min(least, most, weeks) > 0 else None

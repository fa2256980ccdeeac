"""The fields of courses and completions that have the same values in both APIs."""

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
        NotExportableError: The item has no title; Degreed demands one.
    """
    cw.require_text(item, "title")
    return cw.title_with_type(item)


def truncate(text: str, room: int = LONGEST_TEXT) -> str:
    """Return a text of at most ``room`` characters; three dots stand for what was cut off."""
    return text if len(text) <= room else text[: room - 3] + "..."


def image_of(item: cw.ContentItem) -> str | None:
    """Return the address of the item's picture; None where it has none."""
    return item.card_image_url if item.content_type is cw.ContentType.PROGRAM else item.image_url


def language_of(item: cw.ContentItem, moment: cw.Moment) -> str:
    """Return the language of the run that speaks for the item, without its region; English where none is known."""
    run = cw.choose_run(item, moment)
    written = (run.content_language if run else None) or ""
    return written.replace("_", "-").partition("-")[0].strip() or DEFAULT_LANGUAGE


def completed_at(completion: cw.Completion, form: str) -> str | None:
    """Return the instant at which a course was completed, in UTC; None for a completion that was taken back.

    Args:
        completion: The completion.
        form: The form of the instant, as ``strftime`` takes it.

    Raises:
        NotExportableError: The instant is unknown.
    """
    if not completion.complete:
        return None
    if completion.completed_at is None:
        raise cw.NotExportableError("completed_at", "Degreed takes no completion without it")
    return completion.completed_at.astimezone(UTC).strftime(form)


def effort_phrase(item: cw.ContentItem, moment: cw.Moment) -> str:
    """Return a phrase such as ``2-3 hours a week for 5 weeks. `` for a course; "" where a figure is missing."""
    effort = _effort(item, moment) if item.content_type is cw.ContentType.COURSE else None
    return "{:g}-{:g} hours a week for {:g} weeks. ".format(*effort) if effort else ""


def hours_of(item: cw.ContentItem, moment: cw.Moment) -> int:
    """Return the whole hours that the course or run takes, rounded up; 0 where a figure is missing."""
    effort = _effort(item, moment)
    return math.ceil(effort[2] * (effort[0] + effort[1]) / 2) if effort else 0


def _effort(item: cw.ContentItem, moment: cw.Moment) -> tuple[float, float, float] | None:
    """Return least and most hours a week, and weeks; None unless all three are known and above zero."""
    run = cw.choose_run(item, moment)
    if run is None:
        return None
    least, most, weeks = run.min_effort or 0, run.max_effort or 0, run.weeks_to_complete or 0
    return (least, most, weeks) if min(least, most, weeks) > 0 else None

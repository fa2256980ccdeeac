"""Courses, course runs and programs as courses of Degreed's API v1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import coursewire as cw
from coursewire_degreed.fields import LONGEST_TEXT, effort_phrase, image_of, language_of, title_of, truncate


@cw.hookimpl
def export_content(item: cw.ContentItem, moment: cw.Moment) -> cw.JsonObject:
    """Build the course as it stands in the list ``courses`` of a batch.

    Raises:
        NotExportableError: The item has no title.
    """
    course = {
        "contentId": item.content_key,
        "title": title_of(item),
        "description": _description(item, moment),
        "imageUrl": image_of(item),
        "language": language_of(item, moment),
    }
    return {**course, "url": item.enrollment_url} if item.enrollment_url else course


@cw.hookimpl
def export_retirement(confirmed: Mapping[str, Any]) -> cw.JsonObject:
    """Build what deletes a course: Degreed asks for its id alone."""
    return {"contentId": confirmed["contentId"]} if "contentId" in confirmed else {}


def _description(item: cw.ContentItem, moment: cw.Moment) -> str:
    """Return the full description where it and the phrase fit, else the short one, else the title."""
    phrase = effort_phrase(item, moment)
    room = LONGEST_TEXT - len(phrase)
    full = cw.plain_text(cw.description_with_type(item))
    if not full or len(full) > room:
        full = cw.plain_text(item.short_description) or cw.plain_text(title_of(item))
    return phrase + truncate(full, room)

"""Courses and course runs as Canvas courses."""

from __future__ import annotations

from datetime import datetime
from html import escape

import coursewire as cw

LONGEST_NAME = 255
"""Characters in a name, a course code or an integration id; Canvas refuses more."""
LONGEST_TEXT = 2000
"""Characters of the full description and the link together; above it the short description is sent."""

SETTINGS: cw.JsonObject = {
    "default_view": "syllabus",
    "indexed": 1,
    "is_public": True,
    "restrict_enrollments_to_course_dates": True,
    "self_enrollment": True,
}
"""Settings of every course: open, listed, self-enrolled, with its own dates instead of the term's."""


@cw.hookimpl
def export_content(item: cw.ContentItem) -> cw.JsonObject:
    """Build ``{"course": {...}}`` as Canvas takes it when a course is created or updated.

    A date, or an image, that the item does not have is left out of the course.

    Raises:
        NotExportableError: The item has no title or no link, or a key that Canvas has no room for.
    """
    key = cw.require_length(item.content_key, LONGEST_NAME, "key")
    name = cw.title_with_type(item) or cw.require_text(item, "title")
    course = {
        **SETTINGS,
        "name": cw.truncate(name, LONGEST_NAME),
        "integration_id": key,
        "course_code": key,
        "syllabus_body": _syllabus(item),
        "start_at": cw.iso_utc(item.start),
        "end_at": cw.iso_utc(item.end),
        "image_url": item.image_url,
    }
    return {"course": {field: value for field, value in course.items() if value not in (None, "")}}


def _syllabus(item: cw.ContentItem) -> str:
    # Descriptions are HTML at the source and stay HTML; only the link is put together here.
    link = cw.require_text(item, "enrollment_url")
    return (
        f'<a href="{escape(link)}">Go to edX course page</a><br />{_text(item, link)}'
        f" <br /><br />Starts: {_date(item.start)}<br />Ends: {_date(item.end)}"
    )


def _text(item: cw.ContentItem, link: str) -> str:
    full = cw.description_with_type(item)
    if full and len(full) + len(link) <= LONGEST_TEXT:
        return full
    return cw.clean_html(item.short_description or cw.require_text(item, "title"))


def _date(instant: datetime | None) -> str:
    """Write a date for people, in UTC, such as ``Mon Apr 01 2024 00:00:00``; names of days and months are English."""
    return "N/A" if instant is None else f"{instant.ctime()[:7]} {instant:%d %Y %H:%M:%S}"

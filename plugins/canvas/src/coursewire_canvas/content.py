"""Courses and course runs as Canvas courses."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError
from coursewire.toolkit.executive_education import description_with_type, title_with_type
from coursewire.toolkit.texts import require_text, truncate

if TYPE_CHECKING:
    from datetime import datetime

    from coursewire.model.content import ContentItem
    from coursewire.model.payload import JsonObject

LONGEST_NAME = 255
"""Characters in a name, a course code or an integration id; Canvas refuses more."""
LONGEST_TEXT = 2000
"""Characters of the full description and the link together; above it the short description is sent."""

SETTINGS: JsonObject = {
    "default_view": "syllabus",
    "indexed": 1,
    "is_public": True,
    "restrict_enrollments_to_course_dates": True,
    "self_enrollment": True,
}
"""What every course gets: open, listed, self-enrolled, with its own dates instead of the term's."""


def course_payload(item: ContentItem) -> JsonObject:
    """Build ``{"course": {...}}`` as Canvas takes it when a course is created or updated.

    A date, or an image, that the item does not have is left out of the course.

    Raises:
        NotExportableError: No title or no link, or a key that Canvas has no room for.
    """
    key = check_key(item.content_key)
    course = {
        **SETTINGS,
        "name": _name(item),
        "integration_id": key,
        "course_code": key,
        "syllabus_body": _syllabus(item),
        "start_at": _iso(item.start) if item.start else None,
        "end_at": _iso(item.end) if item.end else None,
        "image_url": item.image_url,
    }
    return {"course": {field: value for field, value in course.items() if value not in (None, "")}}


def _name(item: ContentItem) -> str:
    return cut_name(title_with_type(item) or require_text(item, "title"))


def cut_name(name: str) -> str:
    """A name that Canvas has room for."""
    return truncate(name, LONGEST_NAME)


def check_key(key: str, field: str = "key") -> str:
    """The key itself, which Canvas gets as an integration id.

    Raises:
        NotExportableError: Canvas has no room for it.
    """
    if len(key) > LONGEST_NAME:
        raise NotExportableError(field, f"Canvas takes {LONGEST_NAME} characters, it has {len(key)}")
    return key


def _syllabus(item: ContentItem) -> str:
    # Descriptions are HTML at the source and stay HTML; only the link is put together here.
    link = require_text(item, "enrollment_url")
    return (
        f'<a href="{escape(link)}">Go to edX course page</a><br />{_text(item, link)}'
        f" <br /><br />Starts: {_date(item.start)}<br />Ends: {_date(item.end)}"
    )


def _text(item: ContentItem, link: str) -> str:
    full = description_with_type(item)
    if full and len(full) + len(link) <= LONGEST_TEXT:
        return full
    return item.short_description or require_text(item, "title")


def _date(instant: datetime | None) -> str:
    """Write a date for people, in UTC, such as ``Mon Apr 01 2024 00:00:00``; names of days and months are English."""
    return "N/A" if instant is None else f"{instant.ctime()[:7]} {instant:%d %Y %H:%M:%S}"


def _iso(instant: datetime) -> str:
    # Not strftime: it writes the year 1 with one digit on some systems.
    return instant.replace(microsecond=0, tzinfo=None).isoformat() + "Z"

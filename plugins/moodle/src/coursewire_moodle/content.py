"""Courses and course runs as Moodle courses."""

from __future__ import annotations

import re
from html import escape

import coursewire as cw
from coursewire_moodle.config import MoodleConfig

LONGEST_FULLNAME = 254
LONGEST_SHORTNAME = 255
LONGEST_KEY = 100
"""Characters; Moodle answers a longer value with a database error."""
LONGEST_TEXT = 1700
"""Characters of a description and the link together."""

_TAG = re.compile(r"</?(?:abbr|b|br|em|font|i|p|small|span|strong|su[bp]|u)\b[^<>]*>|\0", re.IGNORECASE)
_LIKE_A_TAG = re.compile(r"<(?=\S)")


@cw.hookimpl
def export_content(config: MoodleConfig, item: cw.ContentItem) -> cw.JsonObject:
    """Build the course as ``core_course_create_courses`` takes it. What the item does not have is left out.

    Dates are whole seconds since 1970 in UTC. Moodle takes an end only after a start: any other is left out.

    Raises:
        NotExportableError: No title or no link, or a key that Moodle has no room for.
    """
    cw.require_text(item, "title")
    title, key = _name(cw.title_with_type(item)), cw.require_length(item.content_key, LONGEST_KEY, "key")
    course: cw.JsonObject = {
        "fullname": cw.truncate(f"{title} - via edX.org{_partners(item)}", LONGEST_FULLNAME),
        # Unique in the whole site: the key must not be cw.truncate off.
        "shortname": f"{cw.truncate(title, LONGEST_SHORTNAME - len(key) - 3)} ({key})",
        "idnumber": key,
        "summary": _summary(item, cw.require_text(item, "enrollment_url")),
        "categoryid": config.category_id,
    }
    if item.start:
        course["startdate"] = int(item.start.timestamp())
        if item.end and item.end >= item.start:
            course["enddate"] = int(item.end.timestamp())
    return course


def _name(text: str) -> str:
    """A text as Moodle takes it for a name: without tags of HTML, and a blank after any other ``<``."""
    return _LIKE_A_TAG.sub("< ", _TAG.sub("", text)).strip()


def _partners(item: cw.ContentItem) -> str:
    """`` (A, B)``: the organisations without the code that stands before a colon; "" when there are none."""
    texts = [text for text in item.get("organizations") or () if isinstance(text, str)]
    names = [_name(text.partition(": ")[2] or text) for text in texts]
    return f" ({', '.join(names)})" if names else ""


def _summary(item: cw.ContentItem, link: str) -> str:
    # Descriptions are HTML at the source and stay HTML; only the link is put together here.
    texts = (cw.description_with_type(item), item.short_description or "")
    short_enough = (text for text in texts if text and len(text) + len(link) <= LONGEST_TEXT)
    text = next(short_enough, escape(cw.title_with_type(item), quote=False))
    return f'<a href="{escape(link)}" target="_blank">Go to edX course page</a><br />{text}'

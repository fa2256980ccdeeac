"""Courses and course runs as Moodle courses."""

from __future__ import annotations

import re
from datetime import datetime
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
_BEGUN_TAG = re.compile(r"<…$")


@cw.hookimpl
def export_content(config: MoodleConfig, item: cw.ContentItem, moment: cw.Moment) -> cw.JsonObject:
    """Build the course as ``core_course_create_courses`` takes it. What the item does not have is left out.

    Dates are whole seconds since 1970 in UTC. Moodle takes an end only after a start: any other is left out.

    Raises:
        NotExportableError: No title or no link, or a key that Moodle has no room for.
    """
    cw.require_text(item, "title")
    title, key = _name(cw.title_with_type(item)), cw.require_length(item.content_key, LONGEST_KEY, "key")
    course: cw.JsonObject = {
        "fullname": _cut(f"{title} - via edX.org{_partners(item)}", LONGEST_FULLNAME),
        # Unique in the whole site: the key must not be cut off.
        "shortname": f"{_cut(title, LONGEST_SHORTNAME - len(key) - 3)} ({key})",
        "idnumber": key,
        "summary": _summary(item, cw.require_text(item, "enrollment_url")),
        "categoryid": config.category_id,
    }
    start, end = _dates(item, moment)
    if start is not None:
        course["startdate"] = int(start.timestamp())
        if end is not None and end >= start:
            course["enddate"] = int(end.timestamp())
    return course


def _name(text: str) -> str:
    """Return a text as Moodle takes it for a name: without tags of HTML, and a blank after any other ``<``."""
    return _LIKE_A_TAG.sub("< ", _TAG.sub("", text)).strip()


def _cut(name: str, longest: int) -> str:
    """Return a name with at most so many characters, and no ``<`` at its end that would look like a tag."""
    return _BEGUN_TAG.sub("…", cw.truncate(name, longest))


def _partners(item: cw.ContentItem) -> str:
    """Return `` (A, B)``: the organisations without the code that stands before a colon, or else the owners.

    Returns:
        The names, or "" when there are none.
    """
    texts = [text for text in _list(item.get("organizations")) if isinstance(text, str)]
    names = [text.partition(": ")[2] or text for text in texts] or item.names("owners")
    shown = [name for name in map(_name, names) if name]
    return f" ({', '.join(shown)})" if shown else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dates(item: cw.ContentItem, moment: cw.Moment) -> tuple[datetime | None, datetime | None]:
    """Return start and end: the item's own; of a course without a start, those of the run that speaks for it.

    That is the advertised run, or else the published one whose start is nearest.
    """
    if item.start is not None or item.content_type is not cw.ContentType.COURSE:
        return item.start, item.end
    known = tuple(
        run
        for run in item.course_runs
        if run.status == "published" or (run.uuid and run.uuid == item.advertised_course_run_uuid)
    )
    run = cw.choose_run(item.model_copy(update={"course_runs": known}), moment)
    return (None, None) if run is None else (run.start, run.end)


def _summary(item: cw.ContentItem, link: str) -> str:
    # Descriptions are HTML at the source and stay HTML, without what could do harm: Moodle prints them as they are.
    texts = (cw.description_with_type(item), cw.clean_html(item.short_description))
    short_enough = (text for text in texts if text and len(text) + len(link) <= LONGEST_TEXT)
    text = next(short_enough, escape(cw.title_with_type(item), quote=False))
    return f'<a href="{escape(link)}" target="_blank">Go to edX course page</a><br />{text}'

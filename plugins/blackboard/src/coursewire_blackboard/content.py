"""Courses and course runs as Learn holds them: a course, and in it a folder with one page."""

from __future__ import annotations

import re
from html import escape

import nh3

import coursewire as cw
from coursewire_blackboard.config import BlackboardConfig

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 4000
"""Characters that Learn's administrator help gives for a course's name and description."""
LONGEST_KEY = 256
"""Characters of an external id."""
LONGEST_COURSE_ID = 50

PAGE_TITLE = "edX Course Details"
"""Of the folder and the page. Folders of earlier integrations have it too, and are found by it."""

OF_LEARN = cw.packaged_data(__package__, "learn.json")
"""What is the same in every column, and the one of final grades; and by view what a folder is, where links open, what a page looks like, and
the elements that it may have (developer documentation, "BbML"), all harmless ones where none are named."""
_BLOCK = re.compile(r"<(?:p|div|ul|ol|h\d|table|blockquote|pre|hr)\b", re.I)


@cw.hookimpl
def export_content(config: BlackboardConfig, item: cw.ContentItem) -> cw.JsonObject:
    """Build the external id, and what is sent of course, folder and page."""
    view = OF_LEARN[config.course_view]
    key = cw.require_length(item.content_key, LONGEST_KEY, "key")
    title = cw.require_text(item, "title") and cw.title_with_type(item)
    name = cw.truncate(title, LONGEST_NAME)
    # A new window: within Learn's frame browsers refuse to show another site. Ultra opens one by itself.
    url = escape(cw.require_text(item, "enrollment_url"))
    link = f"<a href='{url}'{view['target']}>Go to edX course page</a>"
    description = cw.require_length(f"{link}<br/>", LONGEST_DESCRIPTION, "enrollment_url")
    return {
        "externalId": key,
        "course_metadata": {"name": name, "externalId": key, "description": description},
        "course_content_metadata": {"title": PAGE_TITLE, "position": 0, "contentHandler": {**view["folder"]}},
        "course_child_content_metadata": {
            "title": PAGE_TITLE,
            "availability": {"available": config.content_availability},
            "contentHandler": {"id": "resource/x-bb-document"},
            "body": _body(item, view, escape(title), link),
        },
    }


def course_id(key: str) -> str:
    """The id that people see in Learn: the same for a key in every process, in the characters that Learn takes."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', key)[: LONGEST_COURSE_ID - 17]}.{cw.digest(key, 16)}"


def _body(item: cw.ContentItem, view: cw.JsonObject, title: str, link: str) -> str:
    image = f"<br/><img src='{escape(item.image_url)}'/>" if item.image_url else ""
    # Descriptions are HTML of others: only what is harmless, and what the view takes, goes on.
    tags = set(view["elements"]) if view["elements"] else None
    words = nh3.clean(cw.description_with_type(item), tags=tags, link_rel=None).strip()
    tag = "div" if _BLOCK.search(words) else "p"
    text = f"<br/><br/><br/><{tag}>{words}</{tag}>" if words else ""
    return str(view["page"].format(title=title, link=link, image=image, text=text))

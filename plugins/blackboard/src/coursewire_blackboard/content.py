"""Courses and course runs as Learn holds them: a course, and in it a folder with one page."""

from __future__ import annotations

import hashlib
import re
from html import escape

import nh3

import coursewire as cw
from coursewire.export.executive_education import marked_description, marked_title
from coursewire_blackboard.config import BlackboardConfig

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 4000
"""Characters that Learn's administrator help gives for a course's name and description."""
LONGEST_KEY = 256
"""Characters of an external id."""
LONGEST_COURSE_ID = 50

PAGE_TITLE = "edX Course Details"
"""Of the folder and the page. Folders of earlier integrations have it too, and are found by it."""

_BBML = "a br del div em h4 h5 h6 img li ol p span strong sub sup ul"
"""Elements of a page in an Ultra course (developer documentation, "BbML")."""
_BLOCK = re.compile(r"<(?:p|div|ul|ol|h\d|table|blockquote|pre|hr)\b", re.I)


@cw.hookimpl
def export_content(config: BlackboardConfig, item: cw.ContentItem) -> cw.JsonObject:
    """Build the external id, and what is sent of course, folder and page."""
    ultra = config.course_view == "Ultra"
    key, title = (
        cw.fitting(item.content_key, LONGEST_KEY, "key"),
        cw.required(item, "title") and marked_title(item),
    )
    # A new window: within Learn's frame browsers refuse to show another site. Ultra opens one by itself.
    target = "" if ultra else " target='_blank'"
    link = f"<a href='{escape(cw.required(item, 'enrollment_url'))}'{target}>Go to edX course page</a>"
    description = cw.fitting(f"{link}<br/>", LONGEST_DESCRIPTION, "enrollment_url")
    kind = {"id": "resource/x-bb-folder", **({"isBbPage": True} if ultra else {})}
    return {
        "externalId": key,
        "course_metadata": {
            "name": cw.cut(title, LONGEST_NAME),
            "externalId": key,
            "description": description,
        },
        "course_content_metadata": {"title": PAGE_TITLE, "position": 0, "contentHandler": kind},
        "course_child_content_metadata": {
            "title": PAGE_TITLE,
            "availability": {"available": config.content_availability},
            "contentHandler": {"id": "resource/x-bb-document"},
            "body": _body(item, escape(title), link, ultra=ultra),
        },
    }


def course_id(key: str) -> str:
    """The id that people see in Learn: the same for a key in every process, in the characters that Learn takes."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', key)[: LONGEST_COURSE_ID - 17]}.{digest}"


def _body(item: cw.ContentItem, title: str, link: str, *, ultra: bool) -> str:
    heading, line = ("h4", "") if ultra else ("h1", "<hr/>")
    image = f"<br/><img src='{escape(item.image_url)}'/>" if item.image_url else ""
    # Descriptions are HTML of others: only what is harmless, and what the view takes, goes on.
    text = nh3.clean(
        marked_description(item), tags=set(_BBML.split()) if ultra else None, link_rel=None
    ).strip()
    tag = "div" if _BLOCK.search(text) else "p"
    words = f"<br/><br/><br/><{tag}>{text}</{tag}>" if text else ""
    return (
        f"<div><div><{heading}>{title}</{heading}>{link}<br/>{line}</div>{image}{words}<br/>{link}<br/></div>"
    )

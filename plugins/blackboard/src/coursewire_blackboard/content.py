"""Courses and course runs as Learn holds them: a course, and in it a folder with one page."""

from __future__ import annotations

import hashlib
import re
from html import escape
from typing import TYPE_CHECKING

import nh3

from coursewire.errors import NotExportableError
from coursewire.export.executive_education import marked_description, marked_title
from coursewire.export.texts import cut, required

if TYPE_CHECKING:
    from coursewire.model.content import ContentItem
    from coursewire.model.payload import JsonObject
    from coursewire_blackboard.config import BlackboardConfig

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 4000
"""Characters that Learn's administrator help gives for a course's name and description."""
LONGEST_KEY = 256
"""Characters of an external id."""
LONGEST_COURSE_ID = 50

PAGE_TITLE = "edX Course Details"
"""Of the folder and the page. Folders of earlier integrations have it too, and are found by it."""
LINK_TEXT = "Go to edX course page"

_BBML = "a br del div em h4 h5 h6 img li ol p span strong sub sup ul"
ULTRA_TAGS = set(_BBML.split())
ULTRA_ATTRIBUTES = {"a": {"href"}, "img": {"alt", "src"}}
"""What a page of an Ultra course may hold: BbML (developer documentation, "BbML")."""
_BLOCK = re.compile(r"<(?:p|div|ul|ol|h\d|table|blockquote|pre|hr)\b", re.I)


def course_payload(config: BlackboardConfig, item: ContentItem) -> JsonObject:
    """Build the external id, and what is sent of course, folder and page.

    Raises:
        NotExportableError: No title or no link, or one that Learn has no room for.
    """
    ultra = config.course_view == "Ultra"
    key = check_key(item.content_key, "key")
    required(item, "title")
    title = marked_title(item)
    link = _link(item, ultra=ultra)
    description = f"{link}<br/>"
    if len(description) > LONGEST_DESCRIPTION:
        raise NotExportableError(
            "enrollment_url", f"Learn takes {LONGEST_DESCRIPTION} characters with its link"
        )
    folder = {"id": "resource/x-bb-folder", **({"isBbPage": True} if ultra else {})}
    return {
        "externalId": key,
        "course_metadata": {
            "name": cut(title, LONGEST_NAME),
            "externalId": key,
            "description": description,
        },
        "course_content_metadata": {"title": PAGE_TITLE, "position": 0, "contentHandler": folder},
        "course_child_content_metadata": {
            "title": PAGE_TITLE,
            "availability": {"available": config.content_availability},
            "contentHandler": {"id": "resource/x-bb-document"},
            "body": _body(item, title, link, ultra=ultra),
        },
    }


def course_id(key: str) -> str:
    """The id that people see in Learn: the same for a key in every process, in the characters that Learn takes."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", key)
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"{readable[: LONGEST_COURSE_ID - len(digest) - 1]}-{digest}"


def check_key(key: str, field: str) -> str:
    """The key itself, which Learn gets as an external id.

    Raises:
        NotExportableError: Learn has no room for it.
    """
    if len(key) > LONGEST_KEY:
        raise NotExportableError(field, f"Learn takes {LONGEST_KEY} characters, it has {len(key)}")
    return key


def _link(item: ContentItem, *, ultra: bool) -> str:
    url = escape(required(item, "enrollment_url"))
    # A new window: within Learn's frame browsers refuse to show another site. Ultra opens one by itself.
    target = "" if ultra else " target='_blank'"
    return f"<a href='{url}'{target}>{LINK_TEXT}</a>"


def _body(item: ContentItem, title: str, link: str, *, ultra: bool) -> str:
    heading, line = ("h4", "") if ultra else ("h1", "<hr/>")
    image = f"<br/><img src='{escape(item.image_url)}'/>" if item.image_url else ""
    text = _harmless(marked_description(item), ultra=ultra)
    tag = "div" if _BLOCK.search(text) else "p"
    paragraph = f"<br/><br/><br/><{tag}>{text}</{tag}>" if text else ""
    return (
        f"<div><div><{heading}>{escape(title)}</{heading}>{link}<br/>{line}</div>"
        f"{image}{paragraph}<br/>{link}<br/></div>"
    )


def _harmless(html: str, *, ultra: bool) -> str:
    if ultra:
        return nh3.clean(html, tags=ULTRA_TAGS, attributes=ULTRA_ATTRIBUTES, link_rel=None).strip()
    return nh3.clean(html, link_rel=None).strip()

"""Courses and course runs as Learn holds them: a course, and in it a folder with one page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

import coursewire as cw
from coursewire_blackboard.config import BlackboardConfig, CourseView

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 4000
"""Characters that Learn's administrator help gives for a course's name and description."""
LONGEST_KEY = 256
"""Characters of an external id."""
LONGEST_COURSE_ID = 50

PAGE_TITLE = "edX Course Details"
"""Title of the folder and of the page. Folders of earlier integrations have it too, and are found by it."""

_BLOCK = re.compile(r"<(?:p|div|ul|ol|h\d|table|blockquote|pre|hr)\b", re.I)


@dataclass(frozen=True, slots=True)
class View:
    """Differences between the views in which a Learn shows its courses.

    Attributes:
        folder: Content handler of the folder that holds the page.
        link_attributes: Attributes of a link, beside its address.
        page: HTML of the page, with the places ``title``, ``link``, ``image`` and ``text``.
        elements: The elements of HTML that a page may have; None where all harmless ones may stand in it.
    """

    folder: cw.JsonObject
    link_attributes: str
    page: str
    elements: frozenset[str] | None


VIEWS: dict[CourseView, View] = {
    "Original": View(
        folder={"id": "resource/x-bb-folder"},
        # A new window: within Learn's frame browsers refuse to show another site.
        link_attributes=" target='_blank'",
        page="<div><div><h1>{title}</h1>{link}<br/><hr/></div>{image}{text}<br/>{link}<br/></div>",
        elements=None,
    ),
    # Ultra opens links in a new window by itself, and takes the elements that the page "BbML" of the developer
    # documentation lists.
    "Ultra": View(
        folder={"id": "resource/x-bb-folder", "isBbPage": True},
        link_attributes="",
        page="<div><div><h4>{title}</h4>{link}<br/></div>{image}{text}<br/>{link}<br/></div>",
        elements=frozenset(
            [
                "a",
                "br",
                "del",
                "div",
                "em",
                "h4",
                "h5",
                "h6",
                "img",
                "li",
                "ol",
                "p",
                "span",
                "strong",
                "sub",
                "sup",
                "ul",
            ]
        ),
    ),
}


@cw.hookimpl
def export_content(config: BlackboardConfig, item: cw.ContentItem) -> cw.JsonObject:
    """Build what is sent of the course, of its folder and of its page.

    Raises:
        NotExportableError: The item has no title or no link, or a key or a link that Learn has no room for.
    """
    view = VIEWS[config.course_view]
    key = cw.require_length(item.content_key, LONGEST_KEY, "key")
    cw.require_text(item, "title")
    title = cw.title_with_type(item)
    url = escape(cw.require_text(item, "enrollment_url"))
    link = f"<a href='{url}'{view.link_attributes}>Go to edX course page</a>"
    return {
        "externalId": key,
        "course_metadata": {
            "name": cw.truncate(title, LONGEST_NAME),
            "externalId": key,
            "description": cw.require_length(f"{link}<br/>", LONGEST_DESCRIPTION, "enrollment_url"),
        },
        "course_content_metadata": {
            "title": PAGE_TITLE,
            "position": 0,
            "contentHandler": dict(view.folder),
        },
        "course_child_content_metadata": {
            "title": PAGE_TITLE,
            "availability": {"available": config.content_availability},
            "contentHandler": {"id": "resource/x-bb-document"},
            "body": view.page.format(
                title=escape(title), link=link, image=_image(item), text=_description(item, view)
            ),
        },
    }


def course_id(key: str) -> str:
    """Return the id that people see in Learn: the same for a key in every process, in characters that Learn takes."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", key)
    digest = cw.digest(key, 16)
    return f"{readable[: LONGEST_COURSE_ID - len(digest) - 1]}.{digest}"


def _image(item: cw.ContentItem) -> str:
    return f"<br/><img src='{escape(item.image_url)}'/>" if item.image_url else ""


def _description(item: cw.ContentItem, view: View) -> str:
    html = cw.description_with_type(item)
    if view.elements is not None:
        html = cw.clean_html(html, tags=view.elements)
    html = html.strip()
    if not html:
        return ""
    # A paragraph cannot hold blocks.
    element = "div" if _BLOCK.search(html) else "p"
    return f"<br/><br/><br/><{element}>{html}</{element}>"

"""The marks of executive-education courses, the same in every LMS.

An instructor of a partner leads such a course, and learners should see that before they enrol.
"""

from __future__ import annotations

from coursewire.model.content import ContentItem
from coursewire.toolkit.html import clean_html

COURSE_TYPE = "executive-education-2u"


def title_with_type(item: ContentItem) -> str:
    """Return the title, with ``ExecEd:`` before that of an executive-education course; "" when the item has none.

    Args:
        item: The content item.

    Example:
        >>> item = cw.ContentItem(
        ...     content_type="course", key="LEAD", title="Leading", course_type="executive-education-2u"
        ... )
        >>> cw.title_with_type(item)
        'ExecEd: Leading'
    """
    title = item.title or ""
    return f"ExecEd: {title}" if title and item.course_type == COURSE_TYPE else title


def description_with_type(item: ContentItem) -> str:
    """Return the full description as harmless HTML, with a notice before that of an executive-education course.

    Args:
        item: The content item; its description is HTML that somebody else wrote.

    Returns:
        The description, cleaned as :func:`~coursewire.toolkit.html.clean_html` does; "" when the item has none.

    Example:
        >>> item = cw.ContentItem(content_type="course", key="KNOTS", full_description="<p>All knots.</p><script>")
        >>> cw.description_with_type(item)
        '<p>All knots.</p>'
    """
    text = item.full_description or ""
    if text and item.course_type == COURSE_TYPE:
        text = f"This is an instructor-led executive education course{_partner(item)}. {text}"
    return clean_html(text)


def _partner(item: ContentItem) -> str:
    """``" by <partner>"``; the catalog names the partner as an object or, in older records, as text."""
    source = item.get("product_source")
    name = source.get("name") if isinstance(source, dict) else source
    return f" by {name}" if isinstance(name, str) and name else ""

"""HTML from the source: cleaned for an LMS that prints it, or turned into plain text for one that shows it as it is."""

from __future__ import annotations

import re
from collections.abc import Collection
from html.parser import HTMLParser

import nh3

LONGEST_HTML = 200_000
"""Characters of HTML that are read at all; what a person wrote ends long before. The rest is cut off."""

SAFE_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "cite",
        "code",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "ins",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ]
)
"""The elements that :func:`clean_html` lets through by default: text, lists, tables and links."""

# HTML Living Standard, "Phrasing content": what stands inside a line, so that no gap belongs there.
_PHRASING = (
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong "
    "sub sup time tt u var wbr"
)
_INLINE = frozenset(_PHRASING.split())
# Elements whose text nobody sees; a title belongs into a head, not into a description.
_UNSEEN = frozenset({"script", "style", "template", "title"})
# Elements that end a line; those that are neither known here nor inline end none.
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "button",
        "caption",
        "center",
        "col",
        "colgroup",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hr",
        "html",
        "iframe",
        "img",
        "input",
        "label",
        "legend",
        "li",
        "main",
        "nav",
        "noscript",
        "object",
        "ol",
        "optgroup",
        "option",
        "p",
        "pre",
        "section",
        "select",
        "summary",
        "svg",
        "table",
        "tbody",
        "td",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "video",
    ]
)

# Elements that have no end (HTML Living Standard, "Void elements").
_VOID = frozenset({"br", "hr"})

_TAG = re.compile(r"<[^<>]*>")
_PLAIN_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)\s*/?>")
_PLAIN_LINK = re.compile(r'<(a) href="https?://[^"<>]*">')


class _Reader(HTMLParser):
    """Collects the text of HTML that is well-formed, with a gap wherever a block begins or ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.parts.append(" ")

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain_text(html: str | None) -> str:
    """Return the text that a reader sees of HTML, on one line.

    Tags go, character references are decoded, and a gap stands where a block ends. The time that it takes grows with
    the length of the text, whatever stands in it.

    Args:
        html: HTML, or text without markup, which stays as it is but for its white space. Of more than
            :data:`LONGEST_HTML` characters the beginning is read.

    Returns:
        The text; "" for None.

    Example:
        >>> cw.plain_text("<p>Tides &amp; currents</p><p>for <b>kayaks</b></p>")
        'Tides & currents for kayaks'
    """
    html = _bounded(html)
    if "<" in html or "&" in html:
        # html.parser takes time that grows with the square of what is left open, so it reads mended HTML only.
        mended = nh3.clean(
            html,
            tags=set(_BLOCKS | _INLINE),
            attributes={},
            clean_content_tags=set(_UNSEEN),
            link_rel=None,
        )
        reader = _Reader()
        reader.feed(mended)
        reader.close()
        html = "".join(reader.parts)
    return " ".join(html.split())


def clean_html(html: str | None, *, tags: Collection[str] = SAFE_TAGS) -> str:
    """Return HTML that an LMS may print: without scripts, handlers, frames and addresses that run something.

    Text without markup, and markup of nothing but ``tags`` without attributes (and plain links), is returned as it
    came, so that a text that was harmless does not change.

    Args:
        html: HTML from the source. Of more than :data:`LONGEST_HTML` characters the beginning is kept.
        tags: The elements that may stay; the text of others stays without them, but for scripts and styles.

    Returns:
        The HTML, with every element closed; "" for None.

    Example:
        >>> cw.clean_html('<p onclick="x()">Tides<script>alert(1)</script></p>')
        '<p>Tides</p>'
    """
    html = _bounded(html)
    if _is_harmless(html, tags):
        return html
    return nh3.clean(
        html,
        tags=set(tags),
        clean_content_tags=set(_UNSEEN),
        link_rel=None,
        url_schemes={"http", "https", "mailto"},
    )


def _bounded(html: str | None) -> str:
    return (html or "")[:LONGEST_HTML]


def _is_harmless(html: str, tags: Collection[str]) -> bool:
    """Tell whether HTML has nothing but known elements without attributes, each closed, and links to web pages."""
    if "<" not in html:
        return True
    if "<" in _TAG.sub("", html):
        return False
    still_open: list[str] = []
    for tag in _TAG.findall(html):
        match = _PLAIN_TAG.fullmatch(tag) or _PLAIN_LINK.fullmatch(tag)
        if match is None or (name := match[1].lower()) not in tags:
            return False
        if name in _VOID:
            continue
        if not tag.startswith("</"):
            still_open.append(name)
        elif not still_open or still_open.pop() != name:
            return False
    return not still_open

"""Descriptions as plain text, for an LMS that shows them as they come."""

from __future__ import annotations

from html.parser import HTMLParser

# HTML Living Standard, "Phrasing content": what stands inside a line, so that no gap belongs there.
_PHRASING = (
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong "
    "sub sup time tt u var wbr"
)
_INLINE = frozenset(_PHRASING.split())
_UNSEEN = frozenset({"script", "style", "template", "title"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.parts.append(" ")
        self._unseen += tag in _UNSEEN

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.parts.append(" ")
        if tag in _UNSEEN and self._unseen:
            self._unseen -= 1

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def plain_text(html: str | None) -> str:
    """What a reader sees of HTML, on one line: no tags, character references decoded, gaps where blocks end.

    Text without markup stays as it is but for its white space; "" for None.
    """
    if not html:
        return ""
    if "<" not in html and "&" not in html:
        return " ".join(html.split())
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.parts).split())

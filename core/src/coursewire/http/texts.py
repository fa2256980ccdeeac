"""Text of answers, decoded whatever their headers claim."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_ALIASES = frozenset({"undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape"})
"""Codecs of Python that turn bytes into text, but that no page is written in: some raise, some run through escapes."""


def text_of(response: httpx.Response, limit: int | None = None) -> str:
    """Return the body of an answer as text: in its declared charset if that is one, and otherwise in UTF-8.

    ``response.text`` of httpx raises for some charsets that a server may name, such as ``undefined``; this never does.
    What cannot be decoded becomes U+FFFD.

    Args:
        response: Answer that has been read.
        limit: Number of bytes to decode at most; None for all.

    Example:
        >>> import httpx
        >>> answer = httpx.Response(502, content=b"Bad", headers={"Content-Type": "text/html; charset=undefined"})
        >>> text_of(answer)
        'Bad'
    """
    content = response.content if limit is None else response.content[:limit]
    try:
        charset = codecs.lookup(response.charset_encoding or "utf-8").name
        if charset not in _ALIASES:
            return content.decode(charset, "replace")
    except (LookupError, ValueError, TypeError, AssertionError):
        pass  # no charset, or a codec that makes no text
    return content.decode("utf-8", "replace")

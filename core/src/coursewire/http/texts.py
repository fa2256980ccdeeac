"""Text of answers, decoded whatever their headers claim."""

from __future__ import annotations

import codecs
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_NO_PAGES = frozenset(
    {"punycode", "unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape"}
)
"""Codecs of Python that make text of bytes, but that no page is written in."""


@lru_cache(maxsize=256)
def safe_charset(name: str | None) -> str:
    """Return a charset with which any bytes can be decoded: the named one, or UTF-8 where that is none.

    Args:
        name: Name as a server wrote it; None where it wrote none.

    Example:
        >>> safe_charset("iso-8859-1"), safe_charset("undefined"), safe_charset("hex_codec"), safe_charset(None)
        ('iso-8859-1', 'utf-8', 'utf-8', 'utf-8')
    """
    if not name or len(name) > 40 or name.lower() in _NO_PAGES:
        return "utf-8"
    try:
        # Python knows codecs that make no text (hex, zlib), that raise always (undefined), or that cannot replace (idna).
        b"a\xff".decode(name, "replace")
    except (LookupError, ValueError, AssertionError):
        return "utf-8"
    return name


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
    return content.decode(safe_charset(_declared(response)), "replace")


def make_text_safe(response: httpx.Response) -> None:
    """Let ``response.text`` decode with a charset that works, whatever the server claims."""
    charset = safe_charset(_declared(response))
    try:
        # Read in steps, as httpx does, UTF-16 and UTF-32 insist on a byte-order mark.
        codecs.getincrementaldecoder(charset)("replace").decode(response.content[:64])
    except (LookupError, ValueError, AssertionError):
        charset = "utf-8"
    response.encoding = charset


def _declared(response: httpx.Response) -> str | None:
    try:
        return response.charset_encoding
    except (LookupError, ValueError, TypeError):  # a content type that the standard library cannot read
        return None

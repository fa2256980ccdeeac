"""Texts of a content item as an LMS takes them: demanded, and cut to what it has room for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError

if TYPE_CHECKING:
    from coursewire.model.content import ContentItem


def require_text(item: ContentItem, field: str) -> str:
    """A field that the LMS demands, as text.

    Raises:
        NotExportableError: The item lacks it, or it is blank: the item waits with this field as the reason.
    """
    value = item.get(field)
    text = "" if value is None else str(value)
    if not text.strip():
        raise NotExportableError(field, "it is missing or empty", next_step="Fill it at the source.")
    return text


def truncate(text: str, limit: int) -> str:
    """The text where it has at most ``limit`` characters; else its beginning, up to a word, with ``…`` at the end."""
    if len(text) <= limit:
        return text
    begun = text[: limit - 1]
    words, _, _rest = begun.rpartition(" ")
    # Some languages write without spaces: there the cut falls between two characters.
    return (words if len(words) > limit // 2 else begun).rstrip() + "…"


def digest(text: str, length: int) -> str:
    """The first digits of a text's SHA-256: the same in every process, and not a secret."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def require_length(text: str, limit: int, field: str) -> str:
    """A text that must not be cut, such as a key or an address; itself.

    Raises:
        NotExportableError: It has more than ``limit`` characters: the item waits with this field as the reason.
    """
    if len(text) > limit:
        raise NotExportableError(field, f"the LMS takes {limit} characters, it has {len(text)}")
    return text

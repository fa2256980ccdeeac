"""Texts of a content item as an LMS takes them: required, and cut to the length that it has room for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError

if TYPE_CHECKING:
    from coursewire.model.content import ContentItem


def require_text(item: ContentItem, field: str) -> str:
    """Return a field that the LMS requires, as text.

    Args:
        item: The content item.
        field: Name of the field at the source, such as ``"title"``.

    Raises:
        NotExportableError: The field is missing or blank: the item waits with the reason ``not-exportable``.

    Example:
        >>> item = cw.ContentItem(content_type="course", key="KNOTS", title="Knots and bends")
        >>> cw.require_text(item, "title")
        'Knots and bends'
        >>> try:
        ...     cw.require_text(item, "enrollment_url")
        ... except cw.NotExportableError as error:
        ...     print(error)
        field 'enrollment_url' cannot be sent: it is missing or empty. Fill it at the source.
    """
    value = item.get(field)
    text = "" if value is None else str(value)
    if not text.strip():
        raise NotExportableError(field, "it is missing or empty", next_step="Fill it at the source.")
    return text


def truncate(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` characters: the text itself, or its beginning up to a word, with ``…`` at the end.

    Args:
        text: The text, of any length.
        limit: Characters that the LMS has room for.

    Example:
        >>> cw.truncate("Knots, bends, hitches and splices", 20)
        'Knots, bends,…'
        >>> cw.truncate("Knots", 20)
        'Knots'
    """
    if len(text) <= limit:
        return text
    begun = text[: limit - 1]
    words, _, _rest = begun.rpartition(" ")
    # Some languages write without spaces: there the cut falls between two characters.
    return (words if len(words) > limit // 2 else begun).rstrip() + "…"


def digest(text: str, length: int) -> str:
    """Return the first digits of a text's SHA-256, which are the same in every process; they are no secret.

    Args:
        text: The text, such as a client id that must not be written down.
        length: Number of hexadecimal digits, 1 to 64.

    Example:
        >>> cw.digest("client-7", 16)
        'd2a753150e076f9b'
    """
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def require_length(text: str, limit: int, field: str) -> str:
    """Return a text that must not be cut, such as a key or an address, unchanged.

    Args:
        text: The text, such as a key.
        limit: Characters that the LMS has room for.
        field: Name of the field, for the message.

    Raises:
        NotExportableError: The text is longer: the item waits with the reason ``not-exportable``.

    Example:
        >>> cw.require_length("RiverU+KNOTS", 50, "key")
        'RiverU+KNOTS'
    """
    if len(text) > limit:
        raise NotExportableError(field, f"the LMS takes {limit} characters, it has {len(text)}")
    return text

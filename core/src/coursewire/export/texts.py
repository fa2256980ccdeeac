"""Texts that an LMS demands, or has only so much room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError

if TYPE_CHECKING:
    from coursewire.model.content import ContentItem


def required(item: ContentItem, field: str) -> str:
    """A field as text.

    Raises:
        NotExportableError: It is missing or empty.
    """
    value = item.get(field)
    if not value:
        raise NotExportableError(field, "it is missing or empty", next_step="Fill it at the source.")
    return str(value)


def short_enough(key: str, longest: int, field: str = "key") -> str:
    """A key, which must not be cut.

    Raises:
        NotExportableError: It has more than ``longest`` characters.
    """
    if len(key) > longest:
        raise NotExportableError(field, f"the LMS takes {longest} characters, it has {len(key)}")
    return key


def cut(text: str, longest: int) -> str:
    """The text, cut between two words with ``…`` where it has more than ``longest`` characters."""
    if len(text) <= longest:
        return text
    begun = text[: longest - 1]
    words, _, _rest = begun.rpartition(" ")
    # Some languages write without spaces: there the cut falls between two characters.
    return (words if len(words) > longest // 2 else begun).rstrip() + "…"

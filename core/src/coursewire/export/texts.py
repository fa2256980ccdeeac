"""Texts that an LMS has only so much room for."""

from __future__ import annotations


def cut(text: str, longest: int) -> str:
    """The text, cut between two words with ``…`` where it has more than ``longest`` characters."""
    if len(text) <= longest:
        return text
    begun = text[: longest - 1]
    words, _, _rest = begun.rpartition(" ")
    # Some languages write without spaces: there the cut falls between two characters.
    return (words if len(words) > longest // 2 else begun).rstrip() + "…"

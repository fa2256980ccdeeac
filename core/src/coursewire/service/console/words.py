"""The colours of states and results in the console."""

from __future__ import annotations

from coursewire.model.meanings import Meaning, meaning_of

_COLOURS = {Meaning.GOOD: "good", Meaning.WAITING: "wait", Meaning.ATTENTION: "left", Meaning.BAD: "bad"}
"""Names of classes in the style sheet."""


def colour_of(word: str) -> str:
    """Return the colour of a state or a result; "" for a word that has none, such as a person's note."""
    meaning = meaning_of(word)
    return _COLOURS[meaning] if meaning else ""

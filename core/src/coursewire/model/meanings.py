"""The meaning of the words for states and results, which decides their colour wherever they stand."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Meaning(StrEnum):
    """The meaning of a state to a reader."""

    GOOD = "good"
    """It is as it should be."""
    WAITING = "waiting"
    """It goes on by itself."""
    ATTENTION = "attention"
    """It is left for a reason that is worth a look."""
    BAD = "bad"
    """It does not go on until a person acts."""


MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        # Records
        "planned": Meaning.WAITING,
        "sending": Meaning.WAITING,
        "offered": Meaning.WAITING,
        "confirmed": Meaning.GOOD,
        "retired": Meaning.GOOD,
        "rejected": Meaning.BAD,
        "blocked": Meaning.BAD,
        "in doubt": Meaning.BAD,
        # Results
        "accepted": Meaning.GOOD,
        "already so": Meaning.GOOD,
        "try later": Meaning.WAITING,
        "throttled": Meaning.WAITING,
        "blocked at the LMS": Meaning.BAD,
        "credentials broken": Meaning.BAD,
        # Jobs, and in part what is installed
        "waiting": Meaning.WAITING,
        "running": Meaning.WAITING,
        "finished": Meaning.GOOD,
        "stopped": Meaning.ATTENTION,
        "abandoned": Meaning.BAD,
        "failed": Meaning.BAD,
        "loaded": Meaning.GOOD,
        "skipped": Meaning.ATTENTION,
        # Configurations
        "active": Meaning.GOOD,
        "live": Meaning.GOOD,
        "draft": Meaning.ATTENTION,
        "needs reconnect": Meaning.BAD,
        "credentials refused": Meaning.BAD,
        "invalid": Meaning.BAD,
        # What a plan does with an item
        "create": Meaning.GOOD,
        "update": Meaning.WAITING,
        "retire": Meaning.ATTENTION,
        "unchanged": Meaning.GOOD,
    }
)
"""Every word for a state of a record, a job, a configuration or a plugin, for a result, and for an operation."""


def meaning_of(word: str) -> Meaning | None:
    """Return the meaning of a word for a state; None for any other text.

    Args:
        word: The word, or the word with more about it after a colon, such as ``"draft: token is missing"``.

    Example:
        >>> meaning_of("draft: token is missing")
        <Meaning.ATTENTION: 'attention'>
    """
    return MEANINGS.get(word.partition(":")[0])

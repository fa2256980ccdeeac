"""Suggesting the name that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Build the end of an error message about an unknown name.

    Returns:
        ``"did you mean 'secret_key'?"``, or the list of what there is when nothing comes near.
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"

"""Plain data: the only form in which payloads travel, are kept and are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEAVES = frozenset({str, int, bool, type(None), float})


_INFINITY = float("inf")


def find_non_json(value: Any) -> str | None:
    """Find what JSON cannot carry as it is: a date, a tuple, an enum, a key that is no text, a NaN.

    Returns:
        Where it is and what it is, such as ``schedule[0].start is a datetime``; None when all is plain.
    """
    path = _foreign_path(value)
    return None if path is None else "".join(path).lstrip(".")


def _foreign_path(value: Any) -> list[str] | None:
    # Called for every payload: exact types first, and no path is built before something is wrong.
    pairs: Iterable[tuple[Any, Any]]
    if type(value) is dict:
        pairs = value.items()
    elif type(value) is list:
        pairs = enumerate(value)
    else:
        return [f" is {a_kind(value)}"]
    for key, part in pairs:
        if type(value) is dict and type(key) is not str:
            return [f" has {a_kind(key)} for a key"]
        kind = type(part)
        if kind in _LEAVES:
            if kind is float and not -_INFINITY < part < _INFINITY:
                return [_step(key), " is not a finite number"]
            continue
        inner = _foreign_path(part)
        if inner is not None:
            return [_step(key), *inner]
    return None


def _step(key: str | int) -> str:
    return f".{key}" if isinstance(key, str) else f"[{key}]"


def a_kind(value: object) -> str:
    """Name the type of a value for a message: ``a list``, ``an int``, ``None``."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"

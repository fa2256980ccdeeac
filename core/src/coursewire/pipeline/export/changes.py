"""The fields at which two payloads differ, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST = 40
"""Paths named at the most; a payload in which everything changed need not be listed field by field."""


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the paths at which two payloads differ, such as ``schedule[0].endDate``, in the order of the keys."""
    paths: list[str] = []
    for path in _differences(before, after, ""):
        paths.append(path)
        if len(paths) == MOST:
            break
    return paths


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else str(name)
            if name in before and name in after:
                yield from _differences(before[name], after[name], inner)
            else:
                yield inner
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{path}[{place}]")
    elif before != after:
        yield path or "(everything)"

"""The field of the source because of which an exporter fails, found by trying the export without each field.

A source may hold null in a list of objects, a number where a text is due, or a date that no calendar has. A channel
that stumbles over it is not at fault, and people need the name of the field, not a line of the plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from coursewire.plugins.plain_data import a_kind

Facts = TypeVar("Facts", bound=BaseModel)

MOST_ATTEMPTS = 400
"""Exports that are tried for one item at most. An item has some thirty fields; the rest is for long lists in one."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class WrongField:
    """A value of the source without which the export succeeds.

    Attributes:
        path: Its place, such as ``owners[0].name``.
        kind: The kind of the value, such as ``a list``; the value itself may be a learner's.
    """

    path: str
    kind: str


def find_wrong_field(
    facts: Facts, export: Callable[[Facts], object], failure: Exception
) -> WrongField | None:
    """Return the smallest part of an item or outcome without which its export succeeds; None when no single part helps.

    Args:
        facts: The content item or outcome whose export failed.
        export: Exports it, and raises when that fails in whichever way.
        failure: The failure. A text in a field that the model declares as text is of the right kind: it is at fault only
            where the failure is about a value, such as an address that cannot be split.

    Example:
        >>> from coursewire.model.content import ContentItem
        >>> item = ContentItem(content_type="course", key="KNOTS", owners=[{"name": "River"}, None])
        >>> find_wrong_field(item, lambda item: [owner["name"] for owner in item.get("owners", [])], TypeError())
        WrongField(path='owners[1]', kind='None')
    """
    return _Search(facts, export, failure).find()


class _Search:
    def __init__(self, facts: Facts, export: Callable[[Facts], object], failure: Exception) -> None:
        self._type = type(facts)
        self._data = facts.model_dump(exclude_unset=True)
        self._export: Callable[[Any], object] = export
        self._values_too = isinstance(failure, ValueError) and not isinstance(failure, UnicodeError)
        self._attempts = 0

    def find(self) -> WrongField | None:
        """Return the part at fault: a field, then the part inside it, as deep as a single part helps."""
        found: Path | None = None
        inside: Path | None = ()
        while inside is not None:
            found, inside = inside, self._first_that_helps(inside)
        if not found:
            return None
        return WrongField(_written(found), a_kind(_value_at(self._data, found)))

    def _first_that_helps(self, path: Path) -> Path | None:
        for step in _steps(_value_at(self._data, path)):
            part = (*path, step)
            if self._is_candidate(part) and self._succeeds_without(part):
                return part
        return None

    def _is_candidate(self, path: Path) -> bool:
        declared = len(path) == 1 and path[0] in self._type.model_fields
        return self._values_too or not (declared and isinstance(_value_at(self._data, path), str))

    def _succeeds_without(self, path: Path) -> bool:
        self._attempts += 1
        if self._attempts > MOST_ATTEMPTS:
            return False
        for changed in (_without(self._data, path), _without(self._data, path, put_none=True)):
            try:
                self._export(self._type.model_validate(changed))
            except ValidationError:
                continue  # The field is one that the model demands: None may do instead.
            except Exception:  # noqa: BLE001 - another part may help
                return False
            return True
        return False


def _steps(value: Any) -> Iterator[str | int]:
    if isinstance(value, dict):
        yield from value
    elif isinstance(value, list | tuple):
        yield from range(len(value))


def _value_at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _without(data: Any, path: Path, *, put_none: bool = False) -> Any:
    """Return a copy of plain data without one part, or with None in its place; the data itself stays as it is."""
    step, rest = path[0], path[1:]
    copy: Any = dict(data) if isinstance(data, dict) else list(data)
    if rest:
        copy[step] = _without(data[step], rest, put_none=put_none)
    elif put_none:
        copy[step] = None
    else:
        del copy[step]
    return copy


def _written(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")

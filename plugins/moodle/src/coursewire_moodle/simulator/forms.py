"""Forms as a simulated Moodle reads them: PHP's brackets, and parameters that are checked before anything is done."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

JsonObject = dict[str, Any]
Spec = dict[str, Any]
"""Names of parameters to what they are: a converter, a list of one kind, or an object; ``!`` marks required ones."""
Function = tuple[Spec, Callable[[JsonObject], Any]]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LIKE_A_TAG = re.compile(r"<(?!\s)")
"""PHP takes any ``<`` for the beginning of a tag unless a blank follows, and removes it to the end of the text."""


class MoodleError(Exception):
    """An error that Moodle answers with HTTP 200 in place of a result; without a code it is PHP's own."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(code)


class Printed(NamedTuple):
    """An answer that is not what the function returns alone, because something was printed."""

    text: str


def as_php(fields: list[tuple[str, str]]) -> JsonObject:
    """Return a form as nested objects: ``a[0][b]=c`` becomes ``{"a": {"0": {"b": "c"}}}``."""
    root: JsonObject = {}
    for name, value in fields:
        head, _, rest = name.partition("[")
        path = [head, *re.findall(r"\[([^\]]*)\]", f"[{rest}")]
        node = root
        for part in path[:-1]:
            node = node.setdefault(part or str(len(node)), {})
        node[path[-1] or str(len(node))] = value
    return root


def checked(spec: Spec, given: Any) -> JsonObject:
    """Return the parameters in their types.

    Raises:
        MoodleError: One is unknown, missing or of a wrong type; Moodle does not say which.
    """
    try:
        return _object(spec, given)
    except (ValueError, AttributeError) as error:
        raise MoodleError("invalidparameter", "Invalid parameter value detected") from error


def _object(spec: Spec, given: Any) -> JsonObject:
    kinds = {name.rstrip("!"): kind for name, kind in spec.items()}
    required = {name[:-1] for name in spec if name.endswith("!")}
    if not required <= given.keys() <= kinds.keys():
        raise ValueError("missing or unknown")
    return {name: _value(kinds[name], value) for name, value in given.items()}


def _value(kind: Any, value: Any) -> Any:
    if isinstance(kind, list):
        if not value:
            raise ValueError("an empty list cannot be sent")
        return [_value(kind[0], each) for each in value.values()]
    return _object(kind, value) if isinstance(kind, dict) else kind(value)


def whole(value: str) -> int:
    """Return an integer, as PHP's PARAM_INT."""
    if not re.fullmatch(r"-?\d{1,18}", value):
        raise ValueError(value)
    return int(value)


def number(value: str) -> float:
    """Return a decimal number."""
    if not _NUMBER.fullmatch(value):
        raise ValueError(value)
    return float(value)


def flag(value: str) -> bool:
    """Return a truth value that is sent as 0 or 1."""
    if value not in ("0", "1"):
        raise ValueError(value)
    return value == "1"


def name(value: str) -> str:
    """Return a name, in which nothing looks like a tag."""
    if _LIKE_A_TAG.search(text(value)):
        raise ValueError(value)
    return value


def text(value: str) -> str:
    """Return any text."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("no text")
    return value

"""Refusals of the simulated Learn, and its strict reading of requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]


class RefusedError(Exception):
    """An answer that ends the call: status, body and headers."""

    def __init__(self, status: int, body: JsonObject, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers)


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
    """An error in the shape that Learn gives."""
    return RefusedError(status, {"status": status, "message": message}, headers or {})


def missing(what: str) -> RefusedError:
    """Return the answer about an id that Learn does not know, or a thing that the caller may not see."""
    return refusal(404, f"The specified {what} was not found")


def checked(body: JsonObject, fields: Mapping[str, Any], longest: Mapping[str, int]) -> JsonObject:
    """The fields of a body, refused when one is unknown, of a wrong type, not among its values or too long.

    Args:
        body: What came.
        fields: Name to a type (float for any number), to a tuple of values, or for an object to its own fields.
        longest: Name to the most characters.
    """
    for name, value in body.items():
        due = fields.get(name)
        if due is None:
            raise refusal(400, f"unknown field {name!r}")
        if isinstance(due, dict):
            if not isinstance(value, dict):
                raise refusal(400, f"{name} must be an object")
            checked(value, due, longest)
        elif isinstance(due, tuple):
            if value not in due:
                raise refusal(400, f"{name} must be one of {', '.join(due)}")
        elif not isinstance(value, (int, float) if due is float else due) or (
            isinstance(value, bool) and due is not bool
        ):
            raise refusal(400, f"{name} has a wrong type")
        elif isinstance(value, str) and len(value) > longest.get(name, len(value)):
            raise refusal(400, f"{name} has more than {longest[name]} characters")
    return dict(body)

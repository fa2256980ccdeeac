"""Refusals of the simulated Canvas."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]


class RefusedError(Exception):
    """The answer to a request that Canvas does not carry out."""

    def __init__(self, status: int, body: JsonObject, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers


def message(status: int, text: str) -> RefusedError:
    """An answer with one sentence."""
    return RefusedError(status, {"errors": [{"message": text}]})


def invalid(field: str, kind: str, text: str) -> RefusedError:
    """Canvas's 400 about one field."""
    return RefusedError(400, {"errors": {field: [{"attribute": field, "type": kind, "message": text}]}})


def not_found() -> RefusedError:
    """Canvas's 404."""
    return message(404, "The specified resource does not exist.")


def unauthorized() -> RefusedError:
    """Canvas's answer to a user who lacks a right: a 401 without ``WWW-Authenticate``."""
    return message(401, "user not authorized to perform that action")

"""Pages by key: a page says where the next one begins, and stays right while rows come and go."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel, Field

from coursewire.service.problems import Problem

T = TypeVar("T")

API = "/api/v1"
"""The path of the REST API; its number goes up when a promise of the API changes."""

MOST = 500

Limit = Annotated[int, Query(ge=1, le=MOST, description="Items a page.")]
After = Annotated[
    str | None,
    Query(max_length=1000, description="`next` of the page before; leave it out for the first page."),
]


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(description="Give it as `after` to go on; null on the last page.")


def cursor_of(*keys: Any) -> str:
    """Return the keys of a page's last row, as text that callers hand back unread."""
    return base64.urlsafe_b64encode(orjson.dumps(keys)).rstrip(b"=").decode()


def keys_of(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """Read a cursor back; None for none.

    Raises:
        Problem: 422, it is not one that a page of this list gave.
    """
    if cursor is None:
        return None
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except ValueError:
        keys = None
    if (
        not isinstance(keys, list)
        or len(keys) != len(kinds)
        or not all(type(key) is kind for key, kind in zip(keys, kinds, strict=True))
    ):
        raise Problem(
            422, "the place to go on from is not one of this list", "Take `next` as a page gave it."
        )
    return tuple(keys)

"""Forms as PHP reads them: lists and objects stand in the names of the fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx


def bracketed(data: Mapping[str, Any]) -> dict[str, str]:
    """Return nested data as the fields of a form.

    ``bracketed({"courses": [{"id": 5}]})`` is ``{"courses[0][id]": "5"}``.

    Args:
        data: Objects, lists and plain values. An empty list or object leaves no field.
    """
    fields: dict[str, str] = {}
    for name, value in data.items():
        if not isinstance(value, Mapping | list | tuple):
            fields[name] = str(value)
            continue
        held = value.items() if isinstance(value, Mapping) else enumerate(value)
        fields |= bracketed({f"{name}[{key}]": each for key, each in held})
    return fields


def with_field(request: httpx.Request, name: str, value: str) -> httpx.Request:
    """Return the request of a form with one more field in front, for a token that must not stand in a URL."""
    content = urlencode({name: value}).encode() + b"&" + request.content
    headers = {**request.headers, "content-length": str(len(content))}
    return httpx.Request(
        request.method, request.url, headers=headers, content=content, extensions=request.extensions
    )

"""Forms as PHP and Rails read them: lists and objects in the names of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx


def bracketed(data: Mapping[str, Any]) -> dict[str, str]:
    """Nested data as the fields of a form: ``{"courses": [{"id": 5}]}`` is ``courses[0][id]=5``.

    Args:
        data: Objects, lists and plain values; of an empty list or object nothing is left.
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
    """The same request of a form, with one more field, for a token that must not stand in a URL."""
    content = urlencode({name: value}).encode() + b"&" + request.content
    headers, extensions = {**request.headers, "content-length": str(len(content))}, request.extensions
    return httpx.Request(request.method, request.url, headers=headers, content=content, extensions=extensions)

"""Bodies of answers as plain data, bounded by what they become."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import httpx


MOST_VALUES = 500_000
"""Most values that one answer may hold: each costs up to 200 bytes of memory, however few it costs on the wire."""

MOST_LEVELS = 100
"""Deepest nesting of an answer: whatever reads it may call itself for each level."""


def decode_json(content: bytes) -> Any:
    r"""Return JSON as plain data, whichever of Unicode's encodings it comes in.

    RFC 8259 asks for UTF-8 without a byte-order mark; some servers write one, or UTF-16, and both can be told by the
    first bytes.

    Args:
        content: The bytes of a body.

    Raises:
        ValueError: The bytes are no JSON, would become more than :data:`MOST_VALUES` values, or are nested deeper than
            :data:`MOST_LEVELS`.

    Example:
        >>> decode_json(b'\xef\xbb\xbf{"id": 7}')
        {'id': 7}
    """
    if sum(content.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES:
        raise ValueError(f"the JSON may become more than {MOST_VALUES} values")
    try:
        data = orjson.loads(content)
    except ValueError:
        encoding = json.detect_encoding(content)
        if encoding == "utf-8":
            raise
        data = orjson.loads(content.decode(encoding))
    if content.count(b"[") + content.count(b"{") > MOST_LEVELS and _is_too_deep(data):
        raise ValueError(f"the JSON is nested deeper than {MOST_LEVELS} levels")
    return data


def decoded(response: httpx.Response) -> Any:
    """Return the body of an answer as plain data; None where it is no JSON that can be read."""
    try:
        return decode_json(response.content)
    except ValueError:
        return None


def _is_too_deep(data: Any) -> bool:
    level = [data]
    for _ in range(MOST_LEVELS + 1):
        level = [
            value
            for each in level
            if isinstance(each, dict | list)
            for value in (each.values() if isinstance(each, dict) else each)
            if isinstance(value, dict | list)
        ]
        if not level:
            return False
    return True

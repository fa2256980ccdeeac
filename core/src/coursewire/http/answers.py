"""Bodies of answers as plain data, bounded by what they become."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import httpx


def decode_json(content: bytes) -> Any:
    r"""Return JSON as plain data, whichever of Unicode's encodings it comes in.

    RFC 8259 asks for UTF-8 without a byte-order mark; some servers write one, or UTF-16, and both can be told by the
    first bytes.

    Args:
        content: The bytes of a body.

    Raises:
        ValueError: The bytes are no JSON, or would become more than :data:`MOST_VALUES` values.

    Example:
        >>> decode_json(b'\xef\xbb\xbf{"id": 7}')
        {'id': 7}
    """
    if too_many(content):
        raise ValueError(f"the JSON may become more than {MOST_VALUES} values")
    try:
        return orjson.loads(content)
    except ValueError:
        encoding = json.detect_encoding(content)
        if encoding == "utf-8":
            raise
        return orjson.loads(content.decode(encoding))


MOST_VALUES = 2_000_000
"""Most values that one answer may hold: each costs some 60 bytes of memory, whatever it costs on the wire."""


def too_many(content: bytes) -> bool:
    """Tell whether JSON may become more than :data:`MOST_VALUES` values, by counting what separates them."""
    return sum(content.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES


def decoded(response: httpx.Response) -> Any:
    """Return the body of an answer as plain data; None where it is no JSON."""
    try:
        return decode_json(response.content)
    except ValueError:
        return None

"""What stands in an answer: plain data, the words of an error, an object, nothing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import httpx

    from coursewire.model.payload import JsonObject

_ERROR_FIELDS = ("error", "errors", "errorMessage")
_ERROR_FIELD = re.compile(r"error|exception|fault", re.I)


def decode_json(content: bytes) -> Any:
    """Return JSON as plain data, whichever of Unicode's encodings it comes in.

    RFC 8259 asks for UTF-8 without a byte-order mark; some servers write one, or UTF-16, and both can be told by the
    first bytes.

    Args:
        content: The bytes of a body.

    Raises:
        ValueError: The bytes are no JSON.

    Example:
        >>> decode_json(b'\xef\xbb\xbf{"id": 7}')
        {'id': 7}
    """
    try:
        return orjson.loads(content)
    except ValueError:
        encoding = json.detect_encoding(content)
        if encoding == "utf-8":
            raise
        return orjson.loads(content.decode(encoding))


def read_json(response: httpx.Response) -> Any:
    """Return the body as plain data; None where it is HTML, XML or nothing."""
    try:
        return decode_json(response.content)
    except ValueError:
        return None


def read_object(response: httpx.Response) -> JsonObject:
    """The body where it is a JSON object; an empty one where it is anything else."""
    body = read_json(response)
    return body if isinstance(body, dict) else {}


def rows_by(response: httpx.Response, member: str, by: str) -> dict[str, JsonObject]:
    """What a bulk call says of each item, by a key of ours, in whatever order it answers.

    Args:
        response: The answer.
        member: Name under which it has a list of objects.
        by: Name of the key in each of them.

    Returns:
        Key to object. What is no object with such a text is left out: nothing is said about it; of two with the
        same key the last one counts.
    """
    rows = read_object(response).get(member)
    objects = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {row[by]: row for row in objects if isinstance(row.get(by), str)}


def dig(data: Any, *names: str) -> Any:
    """What stands below these names, one in the other; None where there is nothing."""
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def dig_object(data: Any, *names: str) -> JsonObject:
    """The JSON object below these names, such as the attributes of a JSON:API resource; else an empty one."""
    found = dig(data, *names)
    return found if isinstance(found, dict) else {}


def is_missing(response: httpx.Response, *members: str) -> bool:
    """Tell an LMS's own 404 or 410 from the page of a proxy, which proves nothing.

    Args:
        response: The answer.
        *members: What this LMS's own answer has; without any, every JSON object and an empty body will do.
    """
    if response.status_code not in (404, 410):
        return False
    body = read_json(response)
    if isinstance(body, dict):
        return all(member in body for member in members)
    return not members and not response.content.strip()


def is_done(response: httpx.Response) -> bool:
    """Tell an answer that says yes: plain data without an error in it, or a success that has no body.

    For an LMS that does not name the item in its answer; otherwise see
    :func:`~coursewire.toolkit.results.result_from_echo`.
    """
    if not response.is_success:
        return False
    if not response.content.strip():
        return response.status_code != 200  # an empty 200 is what a proxy says as well
    body = read_json(response)
    return isinstance(body, dict | list) and not error_text(body, deep=True)


def error_text(body: Any, *, deep: bool = False) -> str:
    """The words of the first error in plain data, whichever shape it has; "" where there is none.

    Known are ``{"error": {"code", "message": "text"}}``, the same with ``"message": {"lang", "value"}`` (OData),
    ``{"error": "text"}``, ``{"errors": [{"title", "detail"}]}`` (JSON:API), and ``{"status": 400, "message"}``, from
    400 on. Of another shape it is the JSON.

    Args:
        body: The data.
        deep: Look for an error wherever it stands, also in lists, and by names such as ``exception``. Otherwise
            only members of ``body`` count: an error further down is about one of several items.
    """
    if not deep:
        return _text_of(body) if isinstance(body, dict) else ""
    if isinstance(body, dict):
        words = _text_of(body)
        if words or any(value and _ERROR_FIELD.match(name) for name, value in body.items()):
            return words or str(body.get("message") or body)
        body = list(body.values())
    texts = (error_text(each, deep=True) for each in body) if isinstance(body, list) else ()
    return next(filter(None, texts), "")


def _text_of(body: JsonObject) -> str:
    error = next(filter(None, map(body.get, _ERROR_FIELDS)), "")
    status = str(body.get("status", ""))
    if not error and status.isdecimal() and int(status) >= 400:
        return _titled(body) or f"status {status}"
    if isinstance(error, list) and all(isinstance(each, dict) for each in error):
        return "; ".join(filter(None, map(_titled, error))) or json.dumps(error)
    if not isinstance(error, dict):
        return error if isinstance(error, str) else json.dumps(error)
    message = error.get("message") or error.get("description")
    text = message.get("value") if isinstance(message, dict) else message
    return ": ".join(str(part) for part in (error.get("code"), text) if part) or json.dumps(error)


def _titled(error: JsonObject) -> str:
    return ": ".join(str(error[name]) for name in ("title", "detail", "message") if error.get(name))

"""Reading the body of an LMS's answer: plain data, members of objects, the text of an error."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from coursewire.http.answers import decoded

if TYPE_CHECKING:
    import httpx

    from coursewire.model.payload import JsonObject

_ERROR_FIELDS = ("error", "errors", "errorMessage")
_ERROR_FIELD = re.compile(r"error|exception|fault", re.I)


def read_json(response: httpx.Response) -> Any:
    """Return the body as plain data; None where it is HTML, XML or empty.

    Args:
        response: The LMS's answer, whatever its status.

    Example:
        >>> import httpx
        >>> cw.read_json(httpx.Response(200, text="[1, 2]"))
        [1, 2]
        >>> cw.read_json(httpx.Response(502, text="<h1>Bad gateway</h1>")) is None
        True
    """
    return decoded(response)


def read_object(response: httpx.Response) -> JsonObject:
    """Return the body where it is a JSON object; an empty object where it is anything else.

    Args:
        response: The LMS's answer, whatever its status.

    Example:
        >>> import httpx
        >>> cw.read_object(httpx.Response(201, json={"id": 17}))
        {'id': 17}
        >>> cw.read_object(httpx.Response(200, text="<h1>Please log in</h1>"))
        {}
    """
    body = read_json(response)
    return body if isinstance(body, dict) else {}


def rows_by(response: httpx.Response, member: str, by: str) -> dict[str, JsonObject]:
    """Return the rows of a bulk answer by our key, whichever order the LMS answers in.

    Args:
        response: The LMS's answer, whose body is a JSON object.
        member: Name of the member that has the list of rows, such as ``"results"``.
        by: Name of the member of each row that has our key, such as ``"ref"``.

    Returns:
        Our key to the row. A row that is no object, or whose key is no text, is left out; of two rows with the same
        key the last one counts.

    Example:
        >>> import httpx
        >>> answer = httpx.Response(200, json={"results": [{"ref": "SAILS", "status": "stored"}, {"ref": 7}]})
        >>> cw.rows_by(answer, "results", by="ref")
        {'SAILS': {'ref': 'SAILS', 'status': 'stored'}}
    """
    rows = read_object(response).get(member)
    objects = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {row[by]: row for row in objects if isinstance(row.get(by), str)}


def dig(data: Any, *names: str) -> Any:
    """Return the value that stands below several names, each inside the one before; None where there is none.

    Args:
        data: Plain data, such as :func:`read_json` returns.
        *names: Names of members, from the outermost to the innermost.

    Example:
        >>> body = {"data": {"attributes": {"external-id": "KNOTS"}}}
        >>> cw.dig(body, "data", "attributes", "external-id")
        'KNOTS'
        >>> cw.dig(body, "data", "relationships", "skills") is None
        True
    """
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def dig_object(data: Any, *names: str) -> JsonObject:
    """Return the JSON object that stands below several names; an empty one where there is none.

    Args:
        data: Plain data, such as :func:`read_json` returns.
        *names: Names of members, from the outermost to the innermost.

    Example:
        >>> cw.dig_object({"data": {"attributes": {"title": "Knots"}}}, "data", "attributes")
        {'title': 'Knots'}
        >>> cw.dig_object({"data": []}, "data", "attributes")
        {}
    """
    found = dig(data, *names)
    return found if isinstance(found, dict) else {}


def is_missing(response: httpx.Response, *members: str) -> bool:
    """Tell an LMS's own 404 or 410 from the page of a proxy or of another site, which proves nothing.

    Args:
        response: The LMS's answer, whatever its status.
        *members: Names of members that the LMS's own answer has. Without any, every JSON object and an empty body count
            as the LMS's own.

    Returns:
        True where the LMS itself says that the thing asked for is not there.

    Example:
        >>> import httpx
        >>> cw.is_missing(httpx.Response(404, json={"error": "no such course"}), "error")
        True
        >>> cw.is_missing(httpx.Response(404, text="<h1>nginx</h1>"), "error")
        False
    """
    if response.status_code not in (404, 410):
        return False
    body = read_json(response)
    if isinstance(body, dict):
        return all(member in body for member in members)
    return not members and not response.content.strip()


def is_done(response: httpx.Response) -> bool:
    """Tell whether an answer says yes without naming the item: a success without an error anywhere in it.

    For an LMS whose answer repeats the item, use :func:`~coursewire.toolkit.results.result_from_echo` instead.

    Args:
        response: The LMS's answer, whatever its status.

    Returns:
        True for a 2xx with JSON that holds no error, and for a 2xx other than 200 that has no body. An empty 200 proves
        nothing, because proxies give it as well.

    Example:
        >>> import httpx
        >>> cw.is_done(httpx.Response(204)), cw.is_done(httpx.Response(200, json={"saved": True}))
        (True, True)
        >>> cw.is_done(httpx.Response(200)), cw.is_done(httpx.Response(200, json={"error": "full"}))
        (False, False)
    """
    if not response.is_success:
        return False
    if not response.content.strip():
        return response.status_code != 200  # an empty 200 is what a proxy says as well
    body = read_json(response)
    return isinstance(body, dict | list) and not error_text(body, deep=True)


def error_text(body: Any, *, deep: bool = False) -> str:
    """Return the text of the first error in plain data, whichever common shape it has; "" where there is none.

    Known shapes are ``{"error": {"code", "message": "text"}}``, the same with ``"message": {"lang", "value"}`` (OData),
    ``{"error": "text"}``, ``{"errors": [{"title", "detail"}]}`` (JSON:API), and ``{"status": 400, "message"}`` from 400
    on. Of an error in another shape the JSON is returned.

    Args:
        body: Plain data, such as :func:`read_json` returns.
        deep: True to look for an error at any depth, in lists too, and by names such as ``exception``. False looks at
            the members of ``body`` only, because an error further down is about one of several items.

    Example:
        >>> cw.error_text({"errors": [{"title": "Invalid", "detail": "title is blank"}]})
        'Invalid: title is blank'
        >>> rows = {"results": [{"id": 7, "error": "no such learner"}]}
        >>> cw.error_text(rows), cw.error_text(rows, deep=True)
        ('', 'no such learner')
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

"""Replies of Moodle as plain data, whether they come in JSON or in XML."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.parsers.expat import ExpatError

import httpx
import xmltodict

import coursewire as cw

_NAMED_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]*;")


class Reply(NamedTuple):
    """The data that a function returned, and what PHP or Moodle printed before it.

    Attributes:
        data: Plain data: an object, a list, a number, a text, or None.
        noise: Lines before the data; "" as a rule.
    """

    data: Any
    noise: str = ""

    def rows(self, member: str = "") -> list[cw.JsonObject]:
        """Return the list that the data is, or that stands in a member of it; an empty list where there is none."""
        rows = cw.dig(self.data, member) if member else self.data
        return rows if isinstance(rows, list) else []


def read_reply(content: bytes) -> Reply | None:
    """Read a reply, in whichever of the two formats it is written; None where it is in neither."""
    content = content.strip()
    try:
        return read_xml(content) if content.startswith(b"<?xml") else read_json(content)
    except RecursionError:  # nested deeper than any reply of Moodle
        return None


def read_json(content: bytes) -> Reply | None:
    """Read a reply in JSON; None where there is no JSON.

    Where PHP prints a warning, or Moodle that an activity is missing, the data is the last line and the lines before
    it are the noise.
    """
    noise, _, last = content.strip().rpartition(b"\n")
    for before, text in ((b"", content), (noise, last)):
        try:
            return Reply(json.loads(text), before.decode("utf-8", "replace").strip())
        except (ValueError, RecursionError):
            continue
    return None


def read_xml(content: bytes) -> Reply | None:
    """Read a reply in Moodle's XML; None where it is no such XML.

    ``<RESPONSE><MULTIPLE><SINGLE><KEY name="id"><VALUE>8</VALUE></KEY></SINGLE></MULTIPLE></RESPONSE>`` is
    ``[{"id": "8"}]``. All values are texts. An error becomes an object with ``exception``, ``errorcode`` and
    ``message``, as in JSON.
    """
    # Moodle escapes with PHP's htmlentities, whose names of entities XML does not know.
    text = _NAMED_ENTITY.sub(
        lambda found: html.escape(html.unescape(found[0])), content.decode("utf-8", "replace")
    )
    try:
        root = xmltodict.parse(text, force_list=("SINGLE", "KEY", "VALUE"))
    except ExpatError:
        return None
    if "EXCEPTION" in root:
        error = root["EXCEPTION"] or {}
        members = {name.lower().lstrip("@"): value for name, value in error.items()}
        return Reply({"exception": members.get("class", ""), **members})
    return Reply(_plain(root["RESPONSE"] or {})) if "RESPONSE" in root else None


def _plain(node: Mapping[str, Any]) -> Any:
    """Return the data in an element whose children are ``MULTIPLE``, ``SINGLE`` or ``VALUE``."""
    if "MULTIPLE" in node:
        held = node["MULTIPLE"] or {}
        return [_plain({kind: [each]}) for kind in ("SINGLE", "VALUE") for each in held.get(kind, ())]
    if "SINGLE" in node:
        members = (node["SINGLE"][0] or {}).get("KEY", ())
        return {member["@name"]: _plain(member) for member in members}
    if "VALUE" in node:
        value = node["VALUE"][0]  # an element with an attribute is <VALUE null="null"/>
        return None if isinstance(value, Mapping) else value or ""
    return None


def error_code(response: httpx.Response) -> str:
    """Return Moodle's code of an error; "" where the reply is no error or has no code."""
    reply = read_reply(response.content) if b"errorcode" in response.content[:1000].lower() else None
    return str(cw.dig(reply.data, "errorcode") or "") if reply is not None else ""

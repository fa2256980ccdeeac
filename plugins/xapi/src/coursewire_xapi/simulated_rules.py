"""The rules of a strict store for a statement (xAPI 1.0.3, part two), with a sentence for each fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

_IFIS = ("mbox", "mbox_sha1sum", "openid", "account")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_DURATION = re.compile(r"P(?!$)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?|P\d+W")
_STATEMENT = {"id", "actor", "verb", "object", "result", "context", "timestamp", "stored", "authority",
              "version", "attachments"}  # fmt: skip
_SHAPES: dict[str, set[str]] = {
    "actor": {"objectType", "name", *_IFIS},
    "verb": {"id", "display"},
    "definition": {"name", "description", "type", "moreInfo", "extensions"},
    "result": {"score", "success", "completion", "response", "duration", "extensions"},
    "score": {"scaled", "raw", "min", "max"},
    "context": {"registration", "instructor", "team", "contextActivities", "revision", "platform", "language",
                "statement", "extensions"},
    "contextActivities": {"parent", "grouping", "category", "other"},
}  # fmt: skip

Faults = Iterator[str]


def faults(statement: Any, now: datetime) -> list[str]:
    """Everything that is wrong with a statement; nothing of one that a store takes."""
    if not isinstance(statement, dict):
        return ["a statement must be an object"]
    return [
        *_nulls(statement),
        *_unknown("statement", statement, _STATEMENT),
        *(f"{name} is missing" for name in ("actor", "verb", "object") if name not in statement),
        *_each(statement, "id", _uuid),
        *_each(statement, "actor", _actor),
        *_each(statement, "verb", _verb),
        *_each(statement, "object", _object),
        *_each(statement, "result", _result),
        *_each(statement, "context", _context),
        *_each(statement, "timestamp", lambda at: _timestamp(at, now)),
        *(["version must be 1.0.x"] if not str(statement.get("version", "1.0.0")).startswith("1.0.") else []),
    ]


def _each(parent: dict[str, Any], name: str, check: Callable[[Any], Faults]) -> Faults:
    if parent.get(name) is not None:
        for fault in check(parent[name]):
            yield f"{name}: {fault}"


def _unknown(shape: str, value: dict[str, Any], known: set[str]) -> Faults:
    for name in value.keys() - known:
        yield f"{shape} has no property {name!r}"


def _object_of(shape: str, value: Any) -> Faults:
    if not isinstance(value, dict):
        yield "must be an object"
    else:
        yield from _unknown(shape, value, _SHAPES[shape])


def _nulls(value: Any, path: str = "") -> Faults:
    if value is None:
        yield f"{path} is null"
    elif isinstance(value, dict):
        for name, part in value.items():
            if name != "extensions":
                yield from _nulls(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _nulls(part, f"{path}[{place}]")


def _uuid(value: Any) -> Faults:
    try:
        UUID(value)
    except (ValueError, AttributeError, TypeError):
        yield "is no UUID"


def _iri(value: Any) -> Faults:
    if not isinstance(value, str) or not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+$", value):
        yield "is no IRI"


def _languages(value: Any) -> Faults:
    if not isinstance(value, dict):
        yield "must be a language map"
        return
    for tag, text in value.items():
        if not _LANGUAGE.fullmatch(tag):
            yield f"{tag!r} is no language tag"
        if not isinstance(text, str) or not text:
            yield f"the text of {tag!r} must be text"


def _actor(value: Any) -> Faults:
    yield from _object_of("actor", value)
    if not isinstance(value, dict):
        return
    if value.get("objectType", "Agent") != "Agent":
        yield "objectType must be Agent"
    given = [name for name in _IFIS if name in value]
    if len(given) != 1:
        yield f"must have exactly one of {', '.join(_IFIS)}"
    if "mbox" in value and not re.fullmatch(r"mailto:[^@\s]+@[^@\s]+", str(value["mbox"])):
        yield "mbox must be mailto: with an address"
    if "mbox_sha1sum" in value and not re.fullmatch(r"[0-9a-f]{40}", str(value["mbox_sha1sum"])):
        yield "mbox_sha1sum must be 40 hexadecimal digits"
    if "account" in value:
        account = value["account"]
        if not isinstance(account, dict) or account.keys() != {"homePage", "name"}:
            yield "account must have homePage and name, and nothing else"
            return
        if urlsplit(str(account["homePage"])).scheme not in ("http", "https"):
            yield "homePage is no address"
        if not isinstance(account["name"], str) or not account["name"]:
            yield "the account's name must be text"


def _verb(value: Any) -> Faults:
    yield from _object_of("verb", value)
    if isinstance(value, dict):
        if "id" not in value:
            yield "id is missing"
        yield from _each(value, "id", _iri)
        yield from _each(value, "display", _languages)


def _object(value: Any) -> Faults:
    if not isinstance(value, dict):
        yield "must be an object"
    elif value.get("objectType", "Activity") == "StatementRef":
        yield from _unknown("a reference", value, {"objectType", "id"})
        yield from _uuid(value.get("id"))
    else:
        yield from _activity(value)


def _activity(value: Any) -> Faults:
    if not isinstance(value, dict):
        yield "must be an object"
        return
    yield from _unknown("an activity", value, {"objectType", "id", "definition"})
    if value.get("objectType", "Activity") != "Activity":
        yield "objectType must be Activity"
    yield from _iri(value.get("id"))
    definition = value.get("definition")
    if definition is None:
        return
    yield from _object_of("definition", definition)
    if isinstance(definition, dict):
        yield from _each(definition, "name", _languages)
        yield from _each(definition, "description", _languages)
        yield from _each(definition, "type", _iri)
        yield from _each(definition, "moreInfo", _iri)
        yield from _each(definition, "extensions", _extensions)


def _extensions(value: Any) -> Faults:
    if not isinstance(value, dict):
        yield "must be an object"
        return
    for name in value:
        for fault in _iri(name):
            yield f"{name!r} {fault}"


def _result(value: Any) -> Faults:
    yield from _object_of("result", value)
    if not isinstance(value, dict):
        return
    for name in ("success", "completion"):
        if not isinstance(value.get(name, True), bool):
            yield f"{name} must be true or false"
    if not _DURATION.fullmatch(str(value.get("duration", "PT1S"))):
        yield "duration is none of ISO 8601"
    yield from _each(value, "score", _score)
    yield from _each(value, "extensions", _extensions)


def _score(value: Any) -> Faults:
    yield from _object_of("score", value)
    if not isinstance(value, dict):
        return
    for name, part in value.items():
        if isinstance(part, bool) or not isinstance(part, int | float):
            yield f"{name} must be a number"
            return
    if not -1 <= value.get("scaled", 0) <= 1:
        yield "scaled must be between -1 and 1"
    raw = value.get("raw")
    if raw is not None and not value.get("min", raw) <= raw <= value.get("max", raw):
        yield "raw must be between min and max"


def _context(value: Any) -> Faults:
    yield from _object_of("context", value)
    if not isinstance(value, dict):
        return
    yield from _each(value, "registration", _uuid)
    if not _LANGUAGE.fullmatch(str(value.get("language", "en"))):
        yield "language is no language tag"
    around = value.get("contextActivities")
    if around is None:
        return
    yield from _object_of("contextActivities", around)
    for each in around.values() if isinstance(around, dict) else ():
        for activity in each if isinstance(each, list) else [each]:
            yield from _activity(activity)


def _timestamp(value: Any, now: datetime) -> Faults:
    try:
        at = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        yield "is no time of ISO 8601"
        return
    if at.tzinfo is None:
        yield "has no zone"
    elif at > now + timedelta(minutes=5):
        yield "lies in the future"

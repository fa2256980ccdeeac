"""Replaying a cassette: which recorded request is meant, and what to say when none is."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson


class UnrecordedRequestError(AssertionError):
    """A replay met a request that is not in the cassette, or did not send one that is."""


def again(path: Path) -> str:
    """The command that records a cassette again."""
    return f"Record {path.name} with: pytest --record-cassettes TENANT.json (or: simulator)"


def bytes_of(body: Any) -> bytes:
    """A body of vcrpy, which may be text, as bytes."""
    return body.encode() if isinstance(body, str) else bytes(body)


def _parts(request: Any) -> dict[str, Any]:
    """The identity of a request: method, path, query and body, without the accidents of their form."""
    url = urlsplit(request.uri)
    return {
        "method": request.method,
        "path": url.path or "/",
        "query": sorted(parse_qsl(url.query, keep_blank_values=True)),
        "body": _content(bytes_of(request.body or b"")),
    }


def _content(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return body


def same(one: Any, other: Any) -> None:
    """Tell vcrpy, by not failing, that two requests are the same."""
    assert _parts(one) == _parts(other)


class Replaying(httpx.AsyncHTTPTransport):
    """Answers from the cassette; keeps what could not be answered, for a client that swallows errors."""

    def __init__(self, cassette: Any, path: Path) -> None:
        super().__init__()
        self._cassette = cassette
        self._path = path
        self._unknown: list[UnrecordedRequestError] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The recorded answer."""
        from vcr.errors import CannotOverwriteExistingCassetteException  # noqa: PLC0415 - only installed with coursewire[testing]

        try:
            return await super().handle_async_request(request)
        except CannotOverwriteExistingCassetteException as error:
            wanted = self._cassette.filter_request(error.failed_request)
            self._unknown.append(UnrecordedRequestError(_explain(wanted, self._cassette, self._path)))
        raise self._unknown[-1]

    def demand_known(self) -> None:
        """Fail if anything was sent that is not in the cassette."""
        if self._unknown:
            raise self._unknown[0]

    def demand_all_sent(self) -> None:
        """Fail if anything of the cassette was not sent."""
        left = [
            f"  {number}. {_line(request)}"
            for number, request in enumerate(self._cassette.requests, 1)
            if not self._cassette.play_counts[number - 1]
        ]
        if left:
            raise UnrecordedRequestError(
                "\n".join([f"{self._path.name} has requests that were not sent:", *left, again(self._path)])
            )


def _line(request: Any) -> str:
    url = urlsplit(request.uri)
    return f"{request.method} {url.path}{'?' if url.query else ''}{url.query}"


def _explain(request: Any, cassette: Any, path: Path) -> str:
    """Return a message that names the request that was sent, the recorded one nearest to it, and their differences."""
    lines = [f"{path.name} has no answer to", f"    {_line(request)}"]
    recorded = list(enumerate(cassette.requests, 1))
    sent = _parts(request)

    def nearness(each: tuple[int, Any]) -> float:
        parts = _parts(each[1])
        equal = sum(bool(parts[name] == sent[name]) for name in parts)
        return equal + difflib.SequenceMatcher(None, _line(each[1]), _line(request)).ratio()

    if recorded:
        number, nearest = max(recorded, key=nearness)
        parts = _parts(nearest)
        differing = [name for name in parts if parts[name] != sent[name]]
        lines += [
            f"The nearest of {len(recorded)} recorded requests is number {number}:",
            f"    {_line(nearest)}",
        ]
        if not differing:
            lines.append("It was answered already: the request was sent once too often.")
        for name in differing:
            lines += [f"It differs in {name}:", *_difference(parts[name], sent[name])]
    return "\n".join([*lines, again(path)])


def _difference(recorded: Any, sent: Any) -> list[str]:
    found = difflib.unified_diff(_readable(recorded), _readable(sent), "recorded", "sent", n=0, lineterm="")
    shown = [f"    {line:.200}" for line in found if not line.startswith(("---", "+++", "@@"))]
    return [*shown[:20], *(["    ..."] if len(shown) > 20 else [])]


def _readable(part: Any) -> list[str]:
    if isinstance(part, bytes):
        return part.decode("utf-8", "replace").splitlines()
    if isinstance(part, str):
        return [part]
    return json.dumps(part, indent=1, ensure_ascii=False, sort_keys=True).splitlines()

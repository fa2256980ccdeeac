"""Reading answers of Degreed's API v2, which are JSON:API documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursewire.client.words import read_json

if TYPE_CHECKING:
    import httpx

    from coursewire.model.payload import JsonObject


def read_data(response: httpx.Response) -> JsonObject:
    """The resource in an answer; empty where there is none, as in a proxy's page."""
    data = _member(response, "data")
    return data if isinstance(data, dict) else {}


def read_rows(response: httpx.Response) -> list[JsonObject] | None:
    """The resources of one page of a list; None where the answer is no such page."""
    rows = _member(response, "data")
    return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else None


def next_page(response: httpx.Response) -> str | None:
    """Where a list goes on: ``links.next``."""
    links = _member(response, "links")
    following = links.get("next") if isinstance(links, dict) else None
    return following if isinstance(following, str) and following else None


def attributes_of(row: JsonObject) -> JsonObject:
    """The attributes of a resource."""
    attributes = row.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _member(response: httpx.Response, name: str) -> Any:
    body = read_json(response)
    return body.get(name) if isinstance(body, dict) else None

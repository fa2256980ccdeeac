"""The destination of a configuration: the fields that decide where its credentials are sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import orjson

from coursewire.configurations.fields import FieldKind, describe
from coursewire.model.configuration import ChannelConfig

_DEFAULT_PORTS = {"http": 80, "https": 443}


def destination(model: type[ChannelConfig], fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the values that decide where credentials are sent, by field, in a form that can be compared.

    Two spellings of one address are the same: upper and lower case of the host, a slash at the end, and the port
    that the scheme has anyway.

    Args:
        model: The channel's configuration model.
        fields: Values of the plain fields that are filled in; the others have their defaults.
    """
    return {
        name: _comparable(fields.get(name, default), is_url=is_url)
        for name, default, is_url in _destination_fields(model)
    }


def digest_of_destination(config: ChannelConfig) -> str:
    """Return a digest of a validated configuration's destination, by which a token is bound to it."""
    model = type(config)
    values = {name: getattr(config, name) for name, _default, _is_url in _destination_fields(model)}
    text = orjson.dumps(destination(model, values), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


def hosts_of(config: ChannelConfig) -> frozenset[str]:
    """Return all hosts that requests of a validated configuration may go to, in lower case and without usual ports."""
    hosts = {urlsplit(config.lms_url).netloc, *config.allowed_hosts}
    return frozenset(host.lower().removesuffix(":443").removesuffix(":80") for host in hosts)


@cache
def _destination_fields(model: type[ChannelConfig]) -> tuple[tuple[str, Any, bool], ...]:
    """Return name, default, and whether it holds a URL, of each field that is a destination."""
    return tuple(
        (info.name, info.default, info.type.holds(FieldKind.URL))
        for info in describe(model)
        if info.destination
    )


def _comparable(value: Any, *, is_url: bool) -> str:
    text = "" if value is None else str(value).strip()
    if not is_url or not text:
        return text
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return text
    scheme = parts.scheme.lower()
    if port == _DEFAULT_PORTS.get(scheme):
        port = None
    user = f"{parts.username}@" if parts.username else ""
    where = f"{scheme}://{user}{(parts.hostname or '').lower()}{'' if port is None else f':{port}'}"
    return where + parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")

"""URLs that a request may go to: paths below the LMS's base URL, and allowed hosts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, unquote

import httpx

from coursewire.errors import ConfigurationError, ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from coursewire.model.configuration import ChannelConfig

_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_parsed = lru_cache(maxsize=512)(httpx.URL)
"""httpx's URLs are immutable, and most requests of a session go to the same few."""

_TEMPLATE_PART = re.compile(r"v\d+|[A-Za-z_.-]{1,40}")
_DEFAULT_PORT = {"http": 80, "https": 443}


class Targets:
    """The URLs that one configuration's requests may go to.

    Args:
        config: Configuration with ``lms_url`` and ``allowed_hosts``.
        insecure_urls: True to allow plain http even where the base URL has https.
    """

    def __init__(self, config: ChannelConfig, *, insecure_urls: bool) -> None:
        self._base_text = config.lms_url.rstrip("/")
        try:
            self.base = httpx.URL(self._base_text)
            _ = self.base.host  # decodes the name
        except (httpx.InvalidURL, ValueError) as error:
            raise ConfigurationError(
                "the address of the LMS is no URL",
                why=str(error),
                next_step="Correct it in the configuration.",
            ) from error
        self._hosts = frozenset(host.lower() for host in config.allowed_hosts)
        self._insecure_urls = insecure_urls

    def url(self, path: str, params: Mapping[str, Any] | list[tuple[str, str]] | None = None) -> httpx.URL:
        """Return the URL of a path, which is below the base URL, or an absolute URL with an allowed host.

        Raises:
            ContractError: The path leaves the base URL, or the host is not allowed.
        """
        if ".." in unquote(path.partition("?")[0]).split("/"):
            raise ContractError(
                "a channel asked for a path with '..' in it",
                next_step="Quote keys that become part of a path with urllib.parse.quote(key, safe='').",
            )
        if params:
            # Before parsing: merging a query into a parsed URL would parse it twice more.
            mark = "&" if "?" in path else "?"
            path = f"{path}{mark}{httpx.QueryParams(cast('Any', params))}"
        try:
            if _ABSOLUTE.match(path):
                url = _parsed(path)
                self.check(url)
            else:
                # As text: an absolute URL or "//host" in a path must not replace the host.
                url = _parsed(f"{self._base_text}/{path.lstrip('/')}" if path else self._base_text)
        except (httpx.InvalidURL, ValueError) as error:
            raise ContractError("a channel asked for a URL that is none", why=str(error)) from error
        return url

    def check(self, url: httpx.URL) -> None:
        """Check that an absolute URL leads to an allowed host.

        Raises:
            ContractError: The URL leads to another host, or is not https.
        """
        same = url.host.lower() == self.base.host.lower()
        if (
            not same
            and url.host.lower() not in self._hosts
            and url.netloc.decode().lower() not in self._hosts
        ):
            raise ContractError(
                f"a request to {url.host} was refused",
                why=f"the LMS of this configuration is at {self.base.host}",
                next_step="The channel can name further hosts in allowed_hosts.",
            )
        secure = url.scheme == "https" or (self._insecure_urls and url.scheme == "http")
        if not secure and not (same and url.scheme == self.base.scheme):
            raise ContractError(f"a request to {url.host} was refused", why=f"its scheme is {url.scheme!r}")


def same_place(origin: httpx.URL, target: httpx.URL) -> bool:
    """Return True if a redirect stays at scheme, host and port, or leads from http to https of the host."""
    if origin.host.lower() != target.host.lower():
        return False
    ports = (_port(origin), _port(target))
    if origin.scheme == target.scheme:
        return ports[0] == ports[1]
    return (origin.scheme, target.scheme) == ("http", "https") and ports == (80, 443)


def quoted_path(*parts: str) -> str:
    """Return a path of these parts, each quoted, so that a ``/``, ``?`` or ``%`` in a key stays within its part.

    Args:
        *parts: Names and keys from left to right, unquoted. A key that consists of dots alone cannot stand in a path: let
            the hook ``remote_key`` give such an item another one.

    Example:
        >>> cw.quoted_path("v1", "courses", "RiverU/KNOTS?")
        '/v1/courses/RiverU%2FKNOTS%3F'
    """
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def path_template(url: httpx.URL) -> str:
    """Return the path of a URL with everything that may be a key or a person replaced by ``{}``, for logs."""
    parts = url.raw_path.decode("ascii").split("?", 1)[0].split("/")
    return "/".join(part if not part or _TEMPLATE_PART.fullmatch(part) else "{}" for part in parts)


def _port(url: httpx.URL) -> int | None:
    return url.port or _DEFAULT_PORT.get(url.scheme)

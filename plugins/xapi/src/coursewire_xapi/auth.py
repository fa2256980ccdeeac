"""Authentication at a Learning Record Store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from pydantic import SecretStr


class BasicAuth(httpx.Auth):
    """Authenticate with user name and password (RFC 7617), and with headers that the store wants with every request.

    Args:
        user: The user name; it has no colon.
        password: The password, from a secret field of the configuration.
        headers: Further headers by name, such as ``{"X-Experience-API-Version": "2.0.0"}``; none by default.
    """

    def __init__(self, user: str, password: SecretStr, headers: Mapping[str, str] | None = None) -> None:
        self._user = user
        self._password = password
        self._headers = dict(headers or {})

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Put user name, password and headers on the request."""
        request.headers.update(self._headers)
        yield from httpx.BasicAuth(self._user, self._password.get_secret_value()).auth_flow(request)

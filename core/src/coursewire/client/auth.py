"""Authentication with stored tokens: what channels subclass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from coursewire.model.session import Token

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from coursewire.model.session import Tokens

CREDENTIAL = "coursewire.credential"
"""Request extension that marks a call whose bodies are never logged and whose redirects are never followed."""


class TokenAuth(httpx.Auth):
    """Bearer authentication with a token that is fetched when needed, stored, and renewed once after a 401.

    A channel says how to ask (:meth:`token_request`) and, if its answer differs from OAuth 2, how to read
    (:meth:`read_token`).
    """

    requires_response_body = True

    def __init__(self, tokens: Tokens, *, subject: str = "service") -> None:
        self.tokens = tokens
        self.subject = subject

    def token_request(self, current: Token | None) -> httpx.Request:
        """Build the request that asks for a token; its URL is absolute."""
        raise NotImplementedError

    def read_token(self, response: httpx.Response) -> Token:
        """Read the answer of :meth:`token_request`, as strictly as any input."""
        raise NotImplementedError

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yield the request with its token; renew once when the LMS refuses it."""
        token = await self.tokens.fetch(self.subject, self._obtain)
        self.apply(request, token)
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = await self.tokens.fetch(self.subject, self._obtain, rejected=token.value)
            self.apply(request, token)
            yield request

    def apply(self, request: httpx.Request, token: Token) -> None:
        """Put the token on a request: a bearer header, unless the channel says otherwise."""
        request.headers["Authorization"] = f"Bearer {token.value}"

    async def _obtain(self, current: Token | None) -> Token:
        return self.read_token(await self.tokens.send(self.token_request(current)))

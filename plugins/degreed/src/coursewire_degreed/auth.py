"""Tokens of Degreed: one for each set of scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.client.auth import TokenAuth, read_oauth_token

if TYPE_CHECKING:
    import httpx

    from coursewire.model.session import Token, Tokens


class DegreedAuth(TokenAuth):
    """Bearer tokens with certain scopes, and no others: a token is never used beyond what it was asked for."""

    def __init__(self, tokens: Tokens, *scopes: str) -> None:
        super().__init__(tokens, subject=f"service {' '.join(scopes)}")
        self.scopes = scopes

    def read_token(self, response: httpx.Response) -> Token:
        """Read an OAuth 2 answer."""
        return read_oauth_token(response, self.tokens.clock)

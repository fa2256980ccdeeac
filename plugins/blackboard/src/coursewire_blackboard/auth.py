"""Three-legged OAuth 2 with Learn: the grant, and the one refresh token that is valid at a time.

Source: developer documentation, "Three-Legged OAuth"; RFC 6749 and 7636.
"""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING, cast

import httpx

from coursewire.client.answers import read_object
from coursewire.client.auth import TokenAuth, read_oauth_token
from coursewire.errors import CredentialsError
from coursewire.model.inbound import CodeGrant

if TYPE_CHECKING:
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.instant import Clock
    from coursewire.model.session import Token, Tokens
    from coursewire_blackboard.config import BlackboardConfig

OAUTH = "/learn/api/public/v1/oauth2"
SCOPES = ("read", "write", "delete", "offline")
"""``offline`` is what brings a refresh token. Without the others a token is given whose calls fail."""

log = logging.getLogger(__name__)


class BlackboardAuth(TokenAuth):
    """Access tokens of one hour. Every refresh brings a new refresh token and ends the one before it."""

    def __init__(self, config: BlackboardConfig, tokens: Tokens) -> None:
        super().__init__(tokens)
        self.config = config

    def token_request(self, current: Token | None) -> httpx.Request:
        """Ask with the newest refresh token: that of the last answer, or the granted one."""
        newest = current.refresh_token if current else None
        form = {
            "grant_type": "refresh_token",
            "refresh_token": newest or self.config.refresh_token.get_secret_value(),
        }
        return _request(self.config, form)

    def read_token(self, response: httpx.Response) -> Token:
        """Read the answer. Without a new refresh token the old one is kept, and tried the next time."""
        body = read_object(response)
        if "refresh_token" in body and not str(body["refresh_token"] or "").strip():
            log.error("Learn gave a blank refresh token; the next renewal may need an administrator's grant")
            response = httpx.Response(
                response.status_code, json={name: body[name] for name in body if name != "refresh_token"}
            )
        return read_token(response, self.tokens.clock)


def read_token(response: httpx.Response, clock: Clock) -> Token:
    """Read an answer of Learn's token endpoint.

    Raises:
        CredentialsError: It is no token, or one that may not do what is needed.
    """
    token = read_oauth_token(response, clock)
    scope = read_object(response).get("scope")
    granted = scope.split() if isinstance(scope, str) else ["*"]
    lacking = [] if "*" in granted else [name for name in ("read", "write") if name not in granted]
    if lacking:
        raise CredentialsError(
            "the grant is too narrow",
            why=f"Learn granted {scope!r:.100}, and not {' and '.join(lacking)}",
            next_step="Allow the application these rights in Learn's REST API integration, then connect again.",
        )
    return token


def _request(config: BlackboardConfig, form: dict[str, str]) -> httpx.Request:
    pair = f"{config.client_id.get_secret_value()}:{config.client_secret.get_secret_value()}"
    basic = base64.b64encode(pair.encode()).decode("ascii")
    url = f"{config.lms_url}{OAUTH}/token"
    return httpx.Request("POST", url, data=form, headers={"Authorization": f"Basic {basic}"})


def _authorize_url(config: ChannelConfig, redirect_uri: str, state: str) -> str:
    asked = {
        "redirect_uri": redirect_uri,
        "scope": " ".join(SCOPES),
        "response_type": "code",
        "client_id": cast("BlackboardConfig", config).client_id.get_secret_value(),
        "state": state,
    }
    return str(httpx.URL(f"{config.lms_url}{OAUTH}/authorizationcode", params=asked))


def _token_request(config: ChannelConfig, code: str, redirect_uri: str) -> httpx.Request:
    form = {"grant_type": "authorization_code", "redirect_uri": redirect_uri, "code": code}
    return _request(cast("BlackboardConfig", config), form)


GRANT = CodeGrant(
    fields=("refresh_token",),
    authorize_url=_authorize_url,
    token_request=_token_request,
    read_token=read_token,
    pkce=True,
)

"""Three-legged OAuth 2: an application that an administrator of the LMS grants access to, once.

Sources: RFC 6749 (4.1 the grant, 6 refreshing), RFC 7636 (PKCE).
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr

from coursewire.errors import CredentialsError
from coursewire.model.inbound import CodeGrant
from coursewire.toolkit.auth import TokenAuth, read_oauth_token
from coursewire.toolkit.responses import read_object

if TYPE_CHECKING:
    from coursewire.errors import SendError
    from coursewire.model.instant import Clock
    from coursewire.model.session import Token, Tokens

log = logging.getLogger("coursewire.http")


def _no_scope(_config: Any) -> str:
    return ""


def _no_permission_error(_response: httpx.Response) -> SendError | None:
    return None


@dataclass(frozen=True, slots=True)
class OAuthApplication:
    """An application that is registered at the LMS, and that an administrator of the LMS grants access to.

    The model of the channel's configuration has the fields ``client_id``, ``client_secret`` and ``refresh_token``::

        OAUTH = cw.OAuthApplication("/oauth2/authorize", "/oauth2/token", scope=lambda config: "read write")


        @cw.hookimpl
        def authenticate(config: AcmeConfig, tokens: cw.Tokens) -> httpx.Auth:
            return OAUTH.auth(config, tokens)


        @cw.hookimpl
        def oauth_application() -> cw.CodeGrant:
            return OAUTH.grant()

    Attributes:
        authorize_path: Path of the LMS's page on which access is granted.
        token_path: Path of the LMS's token endpoint.
        scope: Function of the configuration that returns the scopes to ask for, with spaces between them; "" asks
            for none in particular.
        needed: Scopes without which a token is of no use. They are looked for where the LMS says what it granted.
        basic: True where id and secret travel in a header (RFC 6749, 2.3.1), False where they travel in the form.
        pkce: True where the LMS supports RFC 7636.
        permission_error: Function of an answer with status 401 that returns the error to raise where the token is
            good and its user lacks a right; None where the answer is about the token, which is then renewed. Every
            401 is about the token unless this says otherwise.
    """

    authorize_path: str
    token_path: str
    scope: Callable[[Any], str] = _no_scope
    needed: tuple[str, ...] = ()
    basic: bool = False
    pkce: bool = False
    permission_error: Callable[[httpx.Response], SendError | None] = _no_permission_error

    def grant(self) -> CodeGrant:
        """Return the grant of this application, for the hook ``oauth_application``."""
        return CodeGrant(
            ("refresh_token",), self._authorize_url, self._exchange, self._granted, pkce=self.pkce
        )

    def auth(self, config: Any, tokens: Tokens) -> httpx.Auth:
        """Return the authentication of a configuration, for the hook ``authenticate``.

        Each access token is asked for with the newest refresh token, stored, and renewed before it ends.
        """
        return _GrantedAuth(self, config, tokens)

    def token_request(self, config: Any, form: dict[str, str]) -> httpx.Request:
        """Return a request to the token endpoint."""
        client_id, secret = _plain(config.client_id), _plain(config.client_secret)
        headers = {}
        if self.basic:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode(
                "ascii"
            )
        else:
            form = {**form, "client_id": client_id, "client_secret": secret}
        return httpx.Request(
            "POST", f"{config.lms_url}/{self.token_path.lstrip('/')}", data=form, headers=headers
        )

    def read_token(self, response: httpx.Response, clock: Clock) -> Token:
        """Read an answer of the token endpoint.

        Raises:
            CredentialsError: It is no token, or one that may not do what is needed.
        """
        token = read_oauth_token(response, clock)
        scope = read_object(response).get("scope")
        # RFC 6749, 5.1: without a scope, the one that was asked for is granted.
        granted = scope.split() if isinstance(scope, str) else ["*"]
        lacking = [] if "*" in granted else [name for name in self.needed if name not in granted]
        if lacking:
            raise CredentialsError(
                "the grant is too narrow",
                why=f"the LMS granted {scope!r:.100}, and not {' and '.join(lacking)}",
                next_step="Allow the application these scopes in the LMS, then connect again.",
            )
        return token

    def _granted(self, response: httpx.Response, clock: Clock) -> Token:
        body = read_object(response)
        if "refresh_token" in body and body["refresh_token"] is not None and not _text(body["refresh_token"]):
            raise CredentialsError(
                f"the LMS answered {response.status_code} to the request for a token, but gave none",
                why="refresh_token is blank or not text",
                next_step="Check the scopes that the application may ask for, then start again.",
                http_status=response.status_code,
            )
        return self.read_token(response, clock)

    def _authorize_url(self, config: Any, redirect_uri: str, state: str) -> str:
        scope = self.scope(config)
        asked = {
            "redirect_uri": redirect_uri,
            **({"scope": scope} if scope else {}),
            "response_type": "code",
            "client_id": _plain(config.client_id),
            "state": state,
        }
        return f"{config.lms_url}/{self.authorize_path.lstrip('/')}?{urlencode(asked)}"

    def _exchange(self, config: Any, code: str, redirect_uri: str) -> httpx.Request:
        form = {"grant_type": "authorization_code", "redirect_uri": redirect_uri, "code": code}
        return self.token_request(config, form)


class _GrantedAuth(TokenAuth):
    def __init__(self, application: OAuthApplication, config: Any, tokens: Tokens) -> None:
        super().__init__(tokens)
        self.application = application
        self.config = config

    def token_request(self, current: Token | None) -> httpx.Request:
        newest = current.refresh_token if current else None
        form = {"grant_type": "refresh_token", "refresh_token": newest or _plain(self.config.refresh_token)}
        return self.application.token_request(self.config, form)

    def is_over(self, response: httpx.Response) -> bool:
        """Tell whether an answer says that the token is not accepted.

        Raises:
            SendError: The token is accepted, and its user lacks a right.
        """
        if not super().is_over(response):
            return False
        error = self.application.permission_error(response)
        if error is not None:
            raise error
        return True

    def read_token(self, response: httpx.Response) -> Token:
        """Without a new refresh token the old one is kept (RFC 6749, 6), also where the new one is blank."""
        body = read_object(response)
        if "refresh_token" in body and not _text(body["refresh_token"]):
            log.error("the LMS gave a blank refresh token; the next renewal may need another grant of access")
        return self.application.read_token(response, self.tokens.clock)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value

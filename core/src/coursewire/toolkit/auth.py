"""Authentication at an LMS: with a password, with a token that a person gives, with tokens that core asks for and stores.

The hook ``authenticate`` returns one of these.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from coursewire.errors import UnreachableError
from coursewire.http.answers import decoded
from coursewire.http.token_answers import LATER, fault_of, is_sendable
from coursewire.model.session import Token

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from pydantic import SecretStr

    from coursewire.model.instant import Clock
    from coursewire.model.session import Tokens

LONGEST_LIFETIME_S = 366 * 86_400.0
"""Seconds that a token may live at most: one that claims more than a year is asked for again after a year."""

NO_END = -1.0
"""The number that servers write, beside 0, for a token without an end."""

ASSUMED_LIFETIME_S = 300.0
"""Life in seconds of a token whose answer tells none: short, as it costs one call more, and no run."""


class BearerAuth(httpx.Auth):
    """Authenticate with a token that a person took from the LMS and that nothing renews (RFC 6750).

    Where the LMS refuses it, the configuration says so, and later runs try it again with growing pauses.

    Args:
        token: The access token, from a secret field of the configuration.

    Example:
        ::

            @cw.hookimpl
            def authenticate(config):
                return cw.BearerAuth(config.acme_token)
    """

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Put the token on the request."""
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        yield request


class TokenAuth(httpx.Auth):
    """Authenticate with a token that core asks for when it is needed, stores encrypted, and renews once after a 401.

    A channel writes a subclass with :meth:`token_request` and :meth:`read_token`. Where the token endpoint is OAuth 2's,
    :class:`FormAuth` and :class:`OAuthToken` are shorter.

    Args:
        tokens: The token store that the hook ``authenticate`` is given.
        subject: Name of whom the token speaks for: ``"service"``, or a learner's id at the LMS. Tokens of different subjects
            are kept apart.
        passing: True for one of very many tokens, such as one for each learner: it is kept during this run only.
        given: A token that a person took from the LMS; "" for none. With one, no other is asked for or renewed.

    Example:
        A token endpoint that takes JSON::

            class AcmeAuth(cw.TokenAuth):
                def __init__(self, config, tokens):
                    super().__init__(tokens)
                    self.config = config

                def token_request(self, current):
                    body = {"key": self.config.acme_key, "secret": self.config.acme_secret.get_secret_value()}
                    return httpx.Request("POST", f"{self.config.lms_url}/token", json=body)

                def read_token(self, response):
                    return cw.read_oauth_token(response, self.tokens.clock)
    """

    requires_response_body = True

    def __init__(
        self, tokens: Tokens, *, subject: str = "service", passing: bool = False, given: str = ""
    ) -> None:
        self.tokens = tokens
        self.subject = subject
        self.passing = passing
        self._given = Token(given, datetime.max.replace(tzinfo=UTC)) if given else None

    def token_request(self, current: Token | None) -> httpx.Request:
        """Return the request that asks for a token; its URL is absolute.

        Args:
            current: The token that the new one replaces, for its refresh token; None where there is none.
        """
        raise NotImplementedError

    def read_token(self, response: httpx.Response) -> Token:
        """Return the token in the answer to :meth:`token_request`, read as strictly as any input.

        Args:
            response: The answer of the token endpoint, with a 2xx status.

        Raises:
            CredentialsError: The answer refuses the credentials.
            UnreachableError: The answer holds no usable token, and says nothing about the credentials.
        """
        raise NotImplementedError

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yield the request with its token; renew once when the LMS refuses it, unless a person gave it."""
        token = self._given or await self.tokens.fetch(self.subject, self._obtain, passing=self.passing)
        response = yield self.signed(request, token)
        if self.may_be_over(response):
            response = yield self.signed(request, token)
        if self.is_over(response) and not self._given:
            token = await self.tokens.fetch(
                self.subject, self._obtain, rejected=token.value, passing=self.passing
            )
            yield self.signed(request, token)

    def is_over(self, response: httpx.Response) -> bool:
        """Tell whether an answer says that the token is not accepted any more: by default, whether its status is 401.

        Args:
            response: The LMS's answer to a request with the token.
        """
        return response.status_code == httpx.codes.UNAUTHORIZED

    def may_be_over(self, response: httpx.Response) -> bool:
        """Tell whether the same request must be sent again to learn if the token is over: by default, never.

        It is for an LMS whose refusal of a token looks like another refusal, and that has done nothing in either case.

        Args:
            response: The LMS's answer to a request with the token.
        """
        return False

    def signed(self, request: httpx.Request, token: Token) -> httpx.Request:
        """Return the request with the token: by default, in its headers.

        Args:
            request: The request as the channel made it.
            token: The token to send.
        """
        self.apply(request, token)
        return request

    def apply(self, request: httpx.Request, token: Token) -> None:
        """Put the token into the headers of a request: by default, as a bearer token (RFC 6750).

        Args:
            request: The request as the channel made it.
            token: The token to send.
        """
        request.headers["Authorization"] = f"Bearer {token.value}"

    async def _obtain(self, current: Token | None) -> Token:
        return self.read_token(await self.tokens.send(self.token_request(current)))


class OAuthToken(TokenAuth):
    """Authenticate with an OAuth 2 token that is asked for with a request of the channel's own making.

    Args:
        tokens: The token store that the hook ``authenticate`` is given.
        request: Function of the current token, or None, that returns the request for a new one; its URL is absolute.
        subject: Name of whom the token speaks for; tokens of different subjects are kept apart.

    Example:
        A token endpoint that is asked with GET::

            @cw.hookimpl
            def authenticate(config, tokens):
                def ask(current):
                    return httpx.Request("GET", f"{config.lms_url}/token", params={"client": config.acme_client})

                return cw.OAuthToken(tokens, ask)
    """

    def __init__(
        self, tokens: Tokens, request: Callable[[Token | None], httpx.Request], *, subject: str = "service"
    ) -> None:
        super().__init__(tokens, subject=subject)
        self._request = request

    def token_request(self, current: Token | None) -> httpx.Request:
        """Return the request that the channel's function makes."""
        return self._request(current)

    def read_token(self, response: httpx.Response) -> Token:
        """Return the token in an OAuth 2 answer; see :func:`read_oauth_token`."""
        return read_oauth_token(response, self.tokens.clock)


class FormAuth(TokenAuth):
    """Authenticate with an OAuth 2 token that is asked for with a form (RFC 6749, 4.3 and 4.4).

    Args:
        tokens: The token store that the hook ``authenticate`` is given.
        url: Absolute URL of the token endpoint.
        form: Fields of the form, in the order in which they are sent.
        client: Id and secret of the client, where they are sent as HTTP Basic; None where the form has them.
        subject: Name of whom the token speaks for, such as its scopes; tokens of different subjects are kept apart.
        given: A token that a person took from the LMS; "" for none. With one, no other is asked for or renewed.

    Example:
        Client credentials, with id and secret in a header::

            @cw.hookimpl
            def authenticate(config, tokens):
                return cw.FormAuth(
                    tokens,
                    f"{config.lms_url}/oauth/token",
                    {"grant_type": "client_credentials", "scope": "courses"},
                    client=(config.client_id, config.client_secret.get_secret_value()),
                )
    """

    def __init__(
        self,
        tokens: Tokens,
        url: str,
        form: Mapping[str, str],
        *,
        client: tuple[str, str] | None = None,
        subject: str = "service",
        given: str = "",
    ) -> None:
        super().__init__(tokens, subject=subject, given=given)
        self._url = url
        self._form = form
        pair = ":".join(client).encode() if client else b""
        self._headers = {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"} if client else {}

    def token_request(self, current: Token | None) -> httpx.Request:
        """Return the request with the form."""
        return httpx.Request("POST", self._url, data=dict(self._form), headers=self._headers)

    def read_token(self, response: httpx.Response) -> Token:
        """Return the token in an OAuth 2 answer; see :func:`read_oauth_token`."""
        return read_oauth_token(response, self.tokens.clock)


def read_oauth_token(
    response: httpx.Response,
    clock: Clock,
    *,
    member: str = "access_token",
    body: Any = None,
    lifetime_s: float = ASSUMED_LIFETIME_S,
) -> Token:
    """Return the token in the answer of an OAuth 2 token endpoint (RFC 6749, 5.1).

    What the standard leaves optional may be absent, and what servers write oddly is read: a life that is absent, a text,
    0, -1 or no number, a ``token_type`` in any case, a byte-order mark. Whatever the life is, core asks for
    another token when the LMS refuses this one.

    Args:
        response: An answer with a 2xx status.
        clock: The clock of the token store; the life counts from its present instant.
        member: Name of the member that has the token.
        body: Plain data of the answer, where the channel has read it in a way of its own; None to read it as JSON.
        lifetime_s: Life in seconds that is assumed where the answer tells none.

    Raises:
        CredentialsError: The answer is an error about the credentials, whatever its status says.
        ThrottledError: The answer is an error that asks to slow down.
        UnreachableError: The answer is no token and says nothing about the credentials: a page of HTML, nothing at all, JSON
            that cannot be read, a token that no header can carry. The message names the field at fault and no value.

    Example:
        >>> import httpx
        >>> from datetime import UTC, datetime
        >>> answer = httpx.Response(200, json={"access_token": "made-up", "expires_in": 3600})
        >>> cw.read_oauth_token(answer, lambda: datetime(2026, 3, 1, 12, tzinfo=UTC)).expires_at.isoformat()
        '2026-03-01T13:00:00+00:00'
        >>> untold = httpx.Response(200, json={"access_token": "made-up"})
        >>> cw.read_oauth_token(untold, lambda: datetime(2026, 3, 1, 12, tzinfo=UTC)).expires_at.isoformat()
        '2026-03-01T12:05:00+00:00'
    """
    what = f"the LMS answered {response.status_code} to the request for a token, but gave none"
    if body is None:
        body = decoded(response)
    fault = fault_of(response, body, clock(), what=what)
    if fault is not None:
        raise fault
    if not isinstance(body, dict):
        raise _no_token(response, what, "the answer is not a JSON object")
    value = body.get(member)
    if not isinstance(value, str) or not value.strip():
        raise _no_token(response, what, f"{member} is missing or blank")
    if not is_sendable(value):
        raise _no_token(response, what, f"{member} has characters that no header can carry, or too many")
    refresh = body.get("refresh_token") or None
    if refresh is not None and not isinstance(refresh, str):
        raise _no_token(response, what, "refresh_token is not text")
    refresh = refresh if refresh and refresh.strip() else None
    life_s = _lifetime_s(body.get("expires_in"), lifetime_s)
    if life_s is None:
        raise _no_token(response, what, "expires_in says that the token is over already")
    return Token(value, clock() + timedelta(seconds=life_s), refresh_token=refresh)


def _lifetime_s(told: object, assumed_s: float) -> float | None:
    """Return the life in seconds, as a server wrote it: at most a year, and assumed where it makes no sense.

    With 0 and -1 servers say that a token has no end. Any other negative number is that of a token which is over: None.
    """
    if isinstance(told, bool) or not isinstance(told, int | float | str):
        return assumed_s
    try:
        seconds = float(told)
    except (ValueError, OverflowError):
        return assumed_s
    if seconds > 0:
        return min(seconds, LONGEST_LIFETIME_S)
    return None if seconds < 0 and seconds != NO_END else assumed_s


def _no_token(response: httpx.Response, what: str, why: str) -> UnreachableError:
    return UnreachableError(what, why=why, next_step=LATER, http_status=response.status_code)

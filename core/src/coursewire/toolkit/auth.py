"""Authentication: with a password, with a token that a person gives, and with those that core asks for and stores."""

from __future__ import annotations

import base64
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from coursewire.errors import CredentialsError
from coursewire.model.session import Token
from coursewire.toolkit.responses import decode_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from pydantic import SecretStr

    from coursewire.model.instant import Clock
    from coursewire.model.session import Tokens

LONGEST_LIFETIME_S = 366 * 86_400
"""A token that claims to live longer than a year is not believed."""

_CODE = re.compile(r"[\w.:/-]{1,60}")


class BearerAuth(httpx.Auth):
    """Bearer authentication with a token that a person took from the LMS and that nothing renews.

    Where the LMS refuses it, the configuration says that it needs reconnecting.
    """

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Put the token on the request."""
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        yield request


class BasicAuth(httpx.Auth):
    """User name and password (RFC 7617), and the headers that the LMS wants beside them with every request."""

    def __init__(self, user: str, password: SecretStr, headers: Mapping[str, str] | None = None) -> None:
        self._user = user
        self._password = password
        self._headers = dict(headers or {})

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Put both on the request."""
        request.headers.update(self._headers)
        yield from httpx.BasicAuth(self._user, self._password.get_secret_value()).auth_flow(request)


class TokenAuth(httpx.Auth):
    """Bearer authentication with a token that is fetched when needed, stored, and renewed once after a 401.

    A channel says how to ask (:meth:`token_request`) and, if its answer differs from OAuth 2, how to read
    (:meth:`read_token`).
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
        """Build the request that asks for a token; its URL is absolute."""
        raise NotImplementedError

    def read_token(self, response: httpx.Response) -> Token:
        """Read the answer of :meth:`token_request`, as strictly as any input."""
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
        """Whether an answer says that the token is not accepted: a 401, unless the channel says otherwise."""
        return response.status_code == httpx.codes.UNAUTHORIZED

    def may_be_over(self, response: httpx.Response) -> bool:
        """Whether only the same call again tells so, because nothing was done: never, unless the channel says so."""
        return False

    def signed(self, request: httpx.Request, token: Token) -> httpx.Request:
        """The request with a token: in a header, unless the channel says otherwise."""
        self.apply(request, token)
        return request

    def apply(self, request: httpx.Request, token: Token) -> None:
        """Put the token into the headers of a request: as a bearer's, unless the channel says otherwise."""
        request.headers["Authorization"] = f"Bearer {token.value}"

    async def _obtain(self, current: Token | None) -> Token:
        return self.read_token(await self.tokens.send(self.token_request(current)))


class OAuthToken(TokenAuth):
    """Bearer authentication with a token whose answer is OAuth 2's; only the request for it is the channel's.

    Args:
        tokens: Where it is kept.
        request: Builds the request that asks for a token, of the one it replaces; its URL is absolute.
        subject: Whom the token speaks for.
    """

    def __init__(
        self, tokens: Tokens, request: Callable[[Token | None], httpx.Request], *, subject: str = "service"
    ) -> None:
        super().__init__(tokens, subject=subject)
        self._request = request

    def token_request(self, current: Token | None) -> httpx.Request:
        """As the channel builds it."""
        return self._request(current)

    def read_token(self, response: httpx.Response) -> Token:
        """See :func:`read_oauth_token`."""
        return read_oauth_token(response, self.tokens.clock)


class FormAuth(TokenAuth):
    """OAuth 2 as most have it (RFC 6749, 4.3 and 4.4): a form goes in, a token comes out.

    Args:
        tokens: Where tokens are kept.
        url: The token endpoint.
        form: What is asked with, in this order.
        client: The client's id and secret, where they go as HTTP Basic and not in the form.
        subject: What tells this token from others of the configuration, such as its scopes.
        given: A token that a person took from the LMS, which nothing renews; then no other is asked for.
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
        """Ask with the form."""
        return httpx.Request("POST", self._url, data=dict(self._form), headers=self._headers)

    def read_token(self, response: httpx.Response) -> Token:
        """Read an OAuth 2 answer."""
        return read_oauth_token(response, self.tokens.clock)


def read_oauth_token(response: httpx.Response, clock: Clock) -> Token:
    """Read the answer of an OAuth 2 token endpoint (RFC 6749, 5.1), as strictly as any input.

    Args:
        response: An answer with a 2xx status.
        clock: The present instant; ``expires_in`` counts from it.

    Raises:
        CredentialsError: The answer is no token, whatever its status says. The message names the field at
            fault and no value.
    """
    try:
        body = decode_json(response.content)
    except ValueError:
        raise _no_token(response, "the answer is not JSON") from None
    if not isinstance(body, dict):
        raise _no_token(response, "the answer is not a JSON object")
    if body.get("error"):
        raise _no_token(response, f"it says error {_code(body['error'])}")
    value = body.get("access_token")
    if not isinstance(value, str) or not value.strip():
        raise _no_token(response, "access_token is missing or blank")
    lifetime = body.get("expires_in")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float):
        raise _no_token(response, "expires_in is not a number")
    if not math.isfinite(lifetime) or not 0 < lifetime <= LONGEST_LIFETIME_S:
        raise _no_token(response, f"expires_in is not between 0 and {LONGEST_LIFETIME_S} seconds")
    refresh = body.get("refresh_token")
    if refresh is not None and (not isinstance(refresh, str) or not refresh.strip()):
        raise _no_token(response, "refresh_token is blank or not text")
    return Token(value, clock() + timedelta(seconds=lifetime), refresh_token=refresh)


def _code(error: object) -> str:
    """An error code as it is; of anything longer nothing, since half a secret cannot be told from a word."""
    return repr(error) if isinstance(error, str) and _CODE.fullmatch(error) else "in words of its own"


def _no_token(response: httpx.Response, why: str) -> CredentialsError:
    return CredentialsError(
        f"the LMS answered {response.status_code} to the request for a token, but gave none",
        why=why,
        next_step="Check the credentials of this configuration and the address of the token endpoint.",
        http_status=response.status_code,
    )

"""Tokens of Moodle's web services, and how a request carries one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from urllib.parse import urlencode

import httpx

import coursewire as cw
from coursewire_moodle.answers import ACCESS, INVALID_TOKEN, LATER, WORDS, error_code, read
from coursewire_moodle.config import MoodleConfig

ASKED_AGAIN_AFTER = timedelta(days=1)
"""Moodle does not tell how long a token lasts. Asking again gives the same one until it is over."""


@cw.hookimpl
def authenticate(config: MoodleConfig, tokens: cw.Tokens) -> httpx.Auth:
    """A token in the form of each call."""
    return MoodleAuth(config, tokens)


class MoodleAuth(cw.TokenAuth):
    """The configured token, or the one that Moodle gives for user name and password."""

    def __init__(self, config: MoodleConfig, tokens: cw.Tokens) -> None:
        super().__init__(tokens)
        self.config = config

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yield the request with its token; with a new one when Moodle refuses the first.

        The first call after a token's end is refused as if a right were missing, and only the second one
        tells that the token is over; neither has done anything. A 401 is not Moodle's but a gateway's.
        """
        token = await self._token()
        response = yield _with_token(request, token)
        if response.status_code == httpx.codes.UNAUTHORIZED or error_code(response) == ACCESS:
            response = yield _with_token(request, token)
        if error_code(response) == INVALID_TOKEN and not self.config.token:
            yield _with_token(request, await self._token(rejected=token))

    async def _token(self, rejected: str | None = None) -> str:
        if self.config.token:
            return self.config.token.get_secret_value()
        return (await self.tokens.fetch(self.subject, self._obtain, rejected=rejected)).value

    def token_request(self, current: cw.Token | None) -> httpx.Request:
        """Ask for the account's token of the service."""
        form = {name: getattr(self.config, name).get_secret_value() for name in ("username", "password")}
        form["service"] = self.config.service_short_name
        return httpx.Request("POST", f"{self.config.lms_url}/login/token.php", data=form)

    def read_token(self, response: httpx.Response) -> cw.Token:
        """Read the token, or why there is none: Moodle says either with status 200."""
        answer = read(response)
        body = answer.data if answer and isinstance(answer.data, dict) else {}
        token, code = body.get("token"), str(body.get("errorcode") or "")
        if isinstance(token, str) and token.strip():
            return cw.Token(token, self.tokens.clock() + ASKED_AGAIN_AFTER)
        kind = cw.UnreachableError if code in LATER else cw.CredentialsError
        what, step = "Moodle gave no token for user name and password", WORDS["token_hints"].get(code, "")
        why = code or "the answer is not one that Moodle gives"
        raise kind(what, why=why, next_step=step, http_status=200)


def _with_token(request: httpx.Request, token: str) -> httpx.Request:
    content = urlencode({"wstoken": token}).encode() + b"&" + request.content
    headers, extensions = {**request.headers, "content-length": str(len(content))}, request.extensions
    return httpx.Request("POST", request.url, headers=headers, content=content, extensions=extensions)

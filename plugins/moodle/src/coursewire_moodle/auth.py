"""Tokens of Moodle's web services, and how a request carries one."""

from __future__ import annotations

from datetime import timedelta

import httpx

import coursewire as cw
from coursewire_moodle.answers import WORDS, error_code, read
from coursewire_moodle.config import MoodleConfig

ASKED_AGAIN_AFTER = timedelta(days=1)
"""Moodle does not tell how long a token lasts. Asking again gives the same one until it is over."""


@cw.hookimpl
def authenticate(config: MoodleConfig, tokens: cw.Tokens) -> httpx.Auth:
    """A token in the form of each call: the configured one, or the account's of the service."""
    form = {name: getattr(config, name).get_secret_value() for name in ("username", "password")}
    form["service"] = config.service_short_name
    url = f"{config.lms_url}/login/token.php"
    return MoodleAuth(tokens, url, form, given=config.token.get_secret_value())


class MoodleAuth(cw.FormAuth):
    """A token that Moodle takes in the form, and whose end it tells with status 200."""

    def signed(self, request: httpx.Request, token: cw.Token) -> httpx.Request:
        """The request with the token in its form."""
        return cw.with_field(request, "wstoken", token.value)

    def is_over(self, response: httpx.Response) -> bool:
        """What Moodle says of a token that it does not know."""
        return error_code(response) == "invalidtoken"

    def may_be_over(self, response: httpx.Response) -> bool:
        """The first call after a token's end is refused as if a right were missing; a 401 is a gateway's."""
        return response.status_code == httpx.codes.UNAUTHORIZED or error_code(response) == "accessexception"

    def read_token(self, response: httpx.Response) -> cw.Token:
        """Read the token, or why there is none: Moodle says either with status 200."""
        answer = read(response)
        body = answer.data if answer and isinstance(answer.data, dict) else {}
        token, code = body.get("token"), str(body.get("errorcode") or "")
        if isinstance(token, str) and token.strip():
            return cw.Token(token, self.tokens.clock() + ASKED_AGAIN_AFTER)
        what, why = (
            "Moodle gave no token for user name and password",
            "the answer is not one that Moodle gives",
        )
        raise cw.coded_error(WORDS["token_refusals"], code, what, code or why)

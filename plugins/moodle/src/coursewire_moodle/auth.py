"""The token of the web service: asked for at ``login/token.php``, carried in the form of each call."""

from __future__ import annotations

from datetime import timedelta

import httpx

import coursewire as cw
from coursewire_moodle.config import MoodleConfig
from coursewire_moodle.errors import error_of_token
from coursewire_moodle.forms import with_field
from coursewire_moodle.replies import error_code, read_json

TOKEN_PATH = "/login/token.php"
LIFETIME = timedelta(days=1)
"""Time after which a token is asked for again: Moodle does not tell how long one lasts."""


class MoodleAuth(cw.FormAuth):
    """A token in a field of each call's form, which Moodle refuses with HTTP 200 and a code."""

    def signed(self, request: httpx.Request, token: cw.Token) -> httpx.Request:
        """Return the call with the token in its form."""
        return with_field(request, "wstoken", token.value)

    def is_over(self, response: httpx.Response) -> bool:
        """Tell whether Moodle does not know the token."""
        return error_code(response) == "invalidtoken"

    def may_be_over(self, response: httpx.Response) -> bool:
        """Tell whether the same call again would tell more.

        The first call after the end of a token is refused as if a right were missing, and the next one with
        ``invalidtoken``. A 401 is a gateway's.
        """
        return response.status_code == 401 or error_code(response) == "accessexception"

    def read_token(self, response: httpx.Response) -> cw.Token:
        """Read the token.

        Raises:
            SendError: There is none; Moodle says so with status 200.
        """
        code = error_code(response)
        if code:
            raise error_of_token(code)
        reply = read_json(response.content)
        return cw.read_oauth_token(
            response,
            self.tokens.clock,
            member="token",
            body=None if reply is None else reply.data,
            lifetime_s=LIFETIME.total_seconds(),
        )


@cw.hookimpl
def authenticate(config: MoodleConfig, tokens: cw.Tokens) -> httpx.Auth:
    """Return the authentication with the configured token, or with the account's token for the service.

    Asking again gives the same token until it is over.
    """
    form = {
        "username": config.username.get_secret_value(),
        "password": config.password.get_secret_value(),
        "service": config.service_short_name,
    }
    return MoodleAuth(tokens, f"{config.lms_url}{TOKEN_PATH}", form, given=config.token.get_secret_value())

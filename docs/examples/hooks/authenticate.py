"""Once for each session, which is once a run and configuration, before the first request. What comes back is asked for
every request; it must not speak to the LMS yet. Tokens that run out come from `cw.TokenAuth`: it asks for one when it
is needed, stores it encrypted, shares it with all workers, and renews it once after a 401.

For OAuth 2 with a form (client credentials, password) nothing is to be subclassed:
`cw.FormAuth(tokens, f"{config.lms_url}/oauth/token", {"grant_type": "client_credentials", "client_id": ..., "client_secret": ...})`.
`cw.OAuthToken` is for an answer that is OAuth 2's and a request that is your own; `cw.OAuthApplication` for access that a person grants. The
example is for an LMS that has a way of its own. Calls for tokens count for no rate of `limits`."""

import httpx

import coursewire as cw


class LighthouseAuth(cw.TokenAuth):
    """Tokens of one hour, for the API token of the configuration."""

    def __init__(self, config, tokens: cw.Tokens) -> None:
        super().__init__(tokens)
        self.config = config

    def token_request(self, current: cw.Token | None) -> httpx.Request:
        """Ask for one; what is asked and answered here is never logged."""
        form = {"grant_type": "api_token", "api_token": self.config.lighthouse_token.get_secret_value()}
        return httpx.Request("POST", f"{self.config.lms_url}/oauth/token", data=form)

    def read_token(self, response: httpx.Response) -> cw.Token:
        """Lighthouse answers as OAuth 2 says."""
        return cw.read_oauth_token(response, self.tokens.clock)


@cw.hookimpl
def authenticate(config, tokens: cw.Tokens) -> httpx.Auth:
    """A token that was given once and for all needs no more than `cw.BearerAuth(config.lighthouse_token)`."""
    return LighthouseAuth(config, tokens)

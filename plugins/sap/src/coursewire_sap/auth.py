"""The two ways to a token: the Learning token server, and a SAML assertion that we sign ourselves."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

import httpx
import orjson

import coursewire as cw
from coursewire_sap.config import AuthType, SapConfig

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:saml2-bearer"


@cw.hookimpl
def authenticate(config: SapConfig, tokens: cw.Tokens) -> httpx.Auth:
    """Return the authentication that the configuration names, for the service user."""
    return sap_auth(config, tokens)


def sap_auth(config: SapConfig, tokens: cw.Tokens, learner: str | None = None) -> cw.TokenAuth:
    """Return the authentication that the configuration names.

    Args:
        config: The configuration.
        tokens: The stored tokens of the configuration.
        learner: The SAP id of the learner for whom requests speak; None for the service user.
    """
    flow = SignedAssertionAuth if config.auth_type is AuthType.SELF_SIGNED else LearningTokenAuth
    return flow(config, tokens, learner)


class _SapTokenAuth(cw.TokenAuth):
    def __init__(self, config: SapConfig, tokens: cw.Tokens, learner: str | None = None) -> None:
        super().__init__(tokens, subject=learner or "service", passing=learner is not None)
        self.config = config
        self.learner = learner

    def read_token(self, response: httpx.Response) -> cw.Token:
        return cw.read_oauth_token(response, self.tokens.clock)


class LearningTokenAuth(_SapTokenAuth):
    """Client id and secret at the Learning token server: HTTP Basic, and a JSON body whose scope is an object.

    Unlike OAuth 2 elsewhere. SAP retires this server: see the README.
    """

    def token_request(self, current: cw.Token | None) -> httpx.Request:
        """Build the request for a token of the service user, or of a learner, who is never an administrator."""
        config = self.config
        pair = f"{config.key.get_secret_value()}:{config.secret.get_secret_value()}"
        body = {
            "grant_type": "client_credentials",
            "scope": {
                "userId": config.sapsf_user_id if self.learner is None else self.learner,
                "companyId": config.sapsf_company_id,
                "userType": config.user_type if self.learner is None else "user",
                "resourceType": "learning_public_api",
            },
        }
        return httpx.Request(
            "POST",
            config.token_url,
            headers={
                "Authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}",
                "Content-Type": "application/json",
            },
            content=orjson.dumps(body),
        )


class SignedAssertionAuth(_SapTokenAuth):
    """A SAML 2.0 bearer assertion, signed with the customer's key, at the platform's token endpoint."""

    def token_request(self, current: cw.Token | None) -> httpx.Request:
        """Build the request: four form fields and no ``Authorization`` header."""
        from coursewire_sap.assertion import build_assertion  # noqa: PLC0415 - its libraries take 0.3 s

        assertion = build_assertion(self.config, self.tokens.clock(), self.learner)
        form = {
            "client_id": self.config.key.get_secret_value(),
            "company_id": self.config.sapsf_company_id,
            "grant_type": GRANT_TYPE,
            "assertion": base64.b64encode(assertion).decode("ascii"),
        }
        return httpx.Request(
            "POST",
            self.config.token_url,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode("ascii"),
        )

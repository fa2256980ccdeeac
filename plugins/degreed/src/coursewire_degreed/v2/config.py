"""Settings of one customer's Degreed, for its API v2, and the authentication that follows from them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, cast
from urllib.parse import urlsplit

import httpx
from pydantic import Field

import coursewire as cw

RATE = cw.Rate(calls=200, seconds=60, negotiable=True, setting="calls_per_minute")
"""https://developer.degreed.com/docs/rate-limiting: 70 until June 2026, more on request."""

CONTENT_SCOPES = ("content:read", "content:write")
COMPLETION_SCOPES = ("completions:write", "completions:read")


class Degreed2Config(cw.ChannelConfig):
    """Settings of one customer's Degreed: its address and the API key. Secrets are taken byte for byte."""

    code: ClassVar[str] = "DEGREED2"

    client_id: Annotated[cw.Secret, cw.Filled]
    """Id of the API key."""
    client_secret: Annotated[cw.Secret, cw.Filled]
    """Secret of the API key."""
    degreed_base_url: Annotated[cw.LmsUrl, cw.Filled]
    """Host of the API, such as https://api.degreed.com; for Europe https://api.eu.degreed.com, for Canada
    https://api.ca.degreed.com."""
    degreed_token_fetch_base_url: cw.OptionalUrl = None
    """Host that gives tokens, such as https://degreed.com, https://eu.degreed.com or https://ca.degreed.com; empty
    for the host of the API."""
    retire_strategy: Literal[cw.RetireStrategy.DEACTIVATE, cw.RetireStrategy.DELETE] = (
        cw.RetireStrategy.DEACTIVATE
    )
    """``deactivate`` marks a retired course as obsolete and can be undone; ``delete`` removes it from Degreed."""
    learner_id: Literal[cw.LearnerId.EMAIL, cw.LearnerId.EMPLOYEE_ID] = cw.LearnerId.EMAIL
    """The field by which Degreed knows learners: ``email`` or ``employee_id``."""
    calls_per_minute: int = Field(default=RATE.calls, gt=0)
    """Calls a minute that Degreed allows the API key; more only where Degreed agreed to it."""

    @property
    def token_url(self) -> str:
        """Return the address of the token endpoint."""
        return f"{self.degreed_token_fetch_base_url or self.degreed_base_url}/oauth/token"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Return the host that gives tokens; core refuses every other one beside that of the API."""
        return frozenset({urlsplit(self.token_url).netloc.lower()})

    @property
    def limit_scope(self) -> str:
        """Return the name that Degreed's limit counts by: the API key at its host, as a digest, since the id is half of a
        credential.
        """
        return f"{super().limit_scope} {cw.digest(self.client_id.get_secret_value(), 16)}"

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes that sending needs, and no others."""
        return CONTENT_SCOPES + (() if self.disable_learner_data_transmissions else COMPLETION_SCOPES)


def config_of(session: cw.Session) -> Degreed2Config:
    """Return the configuration that a session was opened for."""
    return cast("Degreed2Config", session.config)


def scoped(config: Degreed2Config, tokens: cw.Tokens, *scopes: str) -> cw.FormAuth:
    """Return the client credentials grant (RFC 6749, 4.4) for scopes, which have commas between them, unlike elsewhere.

    Args:
        config: The configuration, which has the API key.
        tokens: The stored tokens of the configuration; each set of scopes has its own.
        *scopes: The scopes, such as ``content:read``.
    """
    form = {
        "grant_type": "client_credentials",
        "scope": ",".join(scopes),
        "client_id": config.client_id.get_secret_value(),
        "client_secret": config.client_secret.get_secret_value(),
    }
    return cw.FormAuth(tokens, config.token_url, form, subject=f"service {' '.join(scopes)}")


@cw.hookimpl
def authenticate(config: Degreed2Config, tokens: cw.Tokens) -> httpx.Auth:
    """Return an authentication whose token has the scopes that sending needs."""
    return scoped(config, tokens, *config.scopes)

"""Settings of one customer's Degreed, for its API v2."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

import coursewire as cw
from coursewire_degreed.settings import DegreedConfig

CALLS_A_MINUTE = 200
"""https://developer.degreed.com/docs/rate-limiting: 70 until June 2026, more on request."""

CONTENT_SCOPES = ("content:read", "content:write")
COMPLETION_SCOPES = ("completions:write", "completions:read")


class Degreed2Config(DegreedConfig):
    """Which Degreed, and the API key that opens it. Secrets are taken byte for byte."""

    code: ClassVar[str] = "DEGREED2"

    client_id: Annotated[cw.Secret, cw.Filled]
    """Id of the API key."""
    client_secret: Annotated[cw.Secret, cw.Filled]
    """Secret of the API key."""
    degreed_base_url: Annotated[cw.LmsUrl, cw.Filled]
    """Host of the API, such as https://api.degreed.com; for Europe https://api.eu.degreed.com, for Canada
    https://api.ca.degreed.com."""
    degreed_token_fetch_base_url: cw.LmsUrl | None = None
    """Host that gives tokens, such as https://degreed.com, https://eu.degreed.com or https://ca.degreed.com; empty
    for the host of the API."""
    retire_strategy: Literal[cw.RetireStrategy.DEACTIVATE, cw.RetireStrategy.DELETE] = (
        cw.RetireStrategy.DEACTIVATE
    )
    """``deactivate`` marks a retired course as obsolete and can be undone; ``delete`` removes it from Degreed."""
    calls_per_minute: int = Field(default=CALLS_A_MINUTE, gt=0)
    """Calls a minute that Degreed allows the API key; more only where Degreed agreed to it."""

    @field_validator("degreed_token_fetch_base_url", mode="before")
    @classmethod
    def _blank_is_none(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @property
    def lms_url(self) -> str:
        """Host of the API."""
        return self.degreed_base_url

    @property
    def token_url(self) -> str:
        """Where tokens come from."""
        return f"{self.degreed_token_fetch_base_url or self.degreed_base_url}/oauth/token"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The host that gives tokens."""
        return frozenset({urlsplit(self.token_url).netloc.lower()})

    @property
    def api_key(self) -> str:
        """Id of the API key."""
        return self.client_id.get_secret_value()

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that sending needs, and no others."""
        return (
            CONTENT_SCOPES if self.disable_learner_data_transmissions else CONTENT_SCOPES + COMPLETION_SCOPES
        )

"""Settings of one customer's Degreed, for its API v1."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BeforeValidator, Field, StringConstraints

import coursewire as cw

CALLS_A_MINUTE = 70
"""Degreed's limit in the years when it offered its API v1."""


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class DegreedV1Config(cw.ChannelConfig):
    """Settings of one customer's Degreed: its address, the API client and the account. Secrets are taken byte for byte."""

    code: ClassVar[str] = "DEGREED"

    key: Annotated[cw.Secret, cw.Filled]
    """Id of the API client."""
    secret: Annotated[cw.Secret, cw.Filled]
    """Secret of the API client."""
    degreed_company_id: Annotated[cw.Text, cw.Filled, cw.Destination()]
    """Code of the organisation at Degreed."""
    degreed_base_url: Annotated[cw.LmsUrl, cw.Filled]
    """Address of Degreed, such as https://degreed.com; of its test system https://betatest.degreed.com."""
    degreed_user_id: Annotated[cw.Secret, cw.Filled, BeforeValidator(_number_as_text)]
    """Degreed account that the client acts for."""
    degreed_user_password: Annotated[cw.Secret, cw.Filled]
    """Password of that account."""
    provider_id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), cw.Filled] = "EDX"
    """Code that Degreed gave to the provider of the courses."""
    learner_id: Literal[cw.LearnerId.EMAIL, cw.LearnerId.EMPLOYEE_ID] = cw.LearnerId.EMAIL
    """The field by which Degreed knows learners: ``email`` or ``employee_id``."""
    calls_per_minute: int = Field(default=CALLS_A_MINUTE, gt=0)
    """Calls a minute that Degreed allows the API client; more only where Degreed agreed to it."""

    oauth_api_path: cw.ApiPath = "oauth/token"
    """Path of the token endpoint."""
    course_api_path: cw.ApiPath = "api/v1/provider/content/course"
    """Path of courses."""
    completion_status_api_path: cw.ApiPath = "api/v1/provider/completion/course"
    """Path of completions."""

    @property
    def token_url(self) -> str:
        """Return the address of the token endpoint."""
        return f"{self.degreed_base_url}/{self.oauth_api_path.lstrip('/')}"

    @property
    def limit_scope(self) -> str:
        """Return the name that Degreed's limit counts by: the API client at its host, as a digest, since the id is half
        of a credential.
        """
        return f"{super().limit_scope} {cw.digest(self.key.get_secret_value(), 16)}"


def config_of(session: cw.Session) -> DegreedV1Config:
    """Return the configuration that a session was opened for."""
    return cast("DegreedV1Config", session.config)

"""Two channels of this folder's own, a store on SQLite on disk, and a clock that tests turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Literal

import pytest
import sqlalchemy as sa
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from coursewire.configurations.secrets import SecretBox, new_key
from coursewire.configurations.store import Configurations
from coursewire.model.channel import Channel
from coursewire.model.configuration import ChannelConfig, LmsUrl

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
OTHER_CUSTOMER = "2fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e2222"


class Scale(StrEnum):
    PERCENT = "percent"
    POINTS = "points"


class AcmeConfig(ChannelConfig):
    """An LMS with a plain key and secret."""

    code: ClassVar[str] = "ACME"

    acme_base_url: LmsUrl
    """Address of the
    Acme site."""
    client_id: str = Field(max_length=20)
    """Application id."""
    client_secret: SecretStr
    """Application secret."""
    scale: Scale = Scale.PERCENT
    rounding: Literal["up", "down"] = "down"
    minutes: int = Field(default=30, gt=0)
    token_url: LmsUrl | None = None
    extra: dict[str, int] = Field(default_factory=dict)

    @property
    def lms_url(self) -> str:
        return self.acme_base_url


class ParrotConfig(ChannelConfig):
    """An LMS that takes a token, or user name and password, and whose model repeats values in its messages."""

    code: ClassVar[str] = "PARROT"

    parrot_base_url: LmsUrl
    username: str = ""
    password: SecretStr | None = None
    token: SecretStr | None = None

    @field_validator("token")
    @classmethod
    def _speak(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and "bad" in value.get_secret_value():
            raise ValueError(f"the token {value.get_secret_value()} is bad")
        return value

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> ParrotConfig:
        if self.token is None and not (self.username and self.password):
            raise PydanticCustomError("missing", "token, or username and password")
        if self.token is not None and self.password is not None:
            raise ValueError(f"both {self.token.get_secret_value()} and {self.password.get_secret_value()}")
        return self


class Ticker:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def acme() -> Channel:
    return Channel(code="ACME", title="Acme", requires_api=">=2.0,<3", config=AcmeConfig)


@pytest.fixture
def parrot() -> Channel:
    return Channel(code="PARROT", title="Parrot", requires_api=">=2.0,<3", config=ParrotConfig)


@pytest.fixture
def key() -> str:
    return new_key()


@pytest.fixture
def box(key: str) -> SecretBox:
    return SecretBox([key])


@pytest.fixture
def clock() -> Ticker:
    return Ticker()


@pytest.fixture
def store(engine: sa.Engine, box: SecretBox, clock: Ticker) -> Configurations:
    return Configurations(engine, box, clock=clock)


@pytest.fixture
def acme_fields() -> dict[str, Any]:
    """All that an active configuration of Acme needs."""
    return {
        "acme_base_url": "https://acme.example.com/lms/",
        "client_id": "id-1",
        "client_secret": "s3cret",
    }

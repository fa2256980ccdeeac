"""Settings of one customer's Blackboard Learn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from coursewire.model.channel import Rate, RetireStrategy
from coursewire.model.configuration import ChannelConfig, LearnerId, LmsUrl

DAY_S = 86_400
DAILY_CALLS = 10_000
"""What a developer group has unless it agreed on more (developer portal, "REST API calls limit")."""


class BlackboardConfig(ChannelConfig):
    """Which Learn, and the application and the grant that open it."""

    code: ClassVar[str] = "BLACKBOARD"

    blackboard_base_url: LmsUrl
    """Address of the Learn, such as https://acme.blackboard.com."""
    client_id: SecretStr = Field(min_length=1, max_length=255)
    """Key of the application in the developer portal; not its application id. One application may serve all
    customers: keep its key and secret in the environment, and write ``{"env": "NAME"}`` here."""
    client_secret: SecretStr = Field(min_length=1)
    """Secret of the application."""
    refresh_token: SecretStr = Field(min_length=1)
    """What a user of the Learn granted; ``coursewire config connect`` fills it in. Each is good once: newer ones
    are kept with the access token."""
    daily_calls: int = Field(default=DAILY_CALLS, gt=0)
    """Calls in 24 hours that the developer group may make, or that Coursewire may take of them. All
    configurations with the same ``client_id`` share them."""
    course_view: Literal["Original", "Ultra"] = "Original"
    """The view in which the Learn shows new courses; Ultra takes less HTML, and another kind of folder."""
    content_availability: Literal["Yes", "No", "PartiallyVisible"] = "Yes"
    """Who sees the page in the course: students, nobody, or students its title only."""
    retire_strategy: Literal[RetireStrategy.HIDE, RetireStrategy.DELETE] = RetireStrategy.HIDE
    """``hide`` makes a retired course unavailable to students and can be undone; ``delete`` takes it away for
    good, with all grades in it."""

    learner_id: LearnerId = LearnerId.EMAIL
    """What the Learn knows learners by; see ``learner_field``."""
    learner_field: Literal["email", "userName", "externalId"] = "email"
    """Field of Learn's users that holds it. With ``userName`` and ``externalId`` a learner is addressed directly;
    for ``email`` the students of the course are read once a run."""
    student_roles: tuple[str, ...] = ("Student",)
    """Ids of the course roles that count as students. Also taken as comma-separated text."""
    keep_instructor_changes: bool = True
    """Leave a grade alone that somebody else changed in Learn after we wrote it."""

    @field_validator("student_roles", mode="before")
    @classmethod
    def _split_roles(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("student_roles")
    @classmethod
    def _some_role(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not all(role.strip() for role in value):
            raise ValueError("name at least one course role, such as Student")
        return value

    @field_validator("transmission_chunk_size")
    @classmethod
    def _one_a_request(cls, value: int | None) -> None:
        if value not in (None, 1):
            raise ValueError("Blackboard takes one item a request; leave this out or write 1")

    @property
    def lms_url(self) -> str:
        """Base URL of the Learn, without a trailing slash."""
        return self.blackboard_base_url

    @property
    def limit_scope(self) -> str:
        """A digest of the application's key: Learn counts by it, over all sites and customers."""
        return hashlib.sha256(self.client_id.get_secret_value().encode()).hexdigest()[:40]

    def rates(self, limits: Mapping[str, Rate]) -> Mapping[str, Rate]:
        """The calls of a day."""
        return {**limits, "default": Rate(calls=self.daily_calls, seconds=DAY_S)}

"""Settings of one customer's Canvas."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from coursewire.model.channel import RetireStrategy
from coursewire.model.configuration import ChannelConfig, LearnerId, LmsUrl

LARGEST_ID = 2**63 - 1
"""Canvas ids are signed 64-bit integers; those of shards use the upper digits."""


class CanvasConfig(ChannelConfig):
    """Which Canvas, which account in it, and the developer key and grant that open it."""

    code: ClassVar[str] = "CANVAS"

    canvas_base_url: LmsUrl
    """Address of the Canvas, such as https://acme.instructure.com."""
    canvas_account_id: int = Field(gt=0, le=LARGEST_ID)
    """Account that new courses are created in: the number in the address of its admin page."""
    client_id: str = Field(min_length=1, max_length=255, coerce_numbers_to_str=True)
    """Id of the developer key."""
    client_secret: SecretStr = Field(min_length=1)
    """Secret of the developer key."""
    refresh_token: SecretStr = Field(min_length=1)
    """What an administrator of the account granted to the developer key. Canvas lets it be used again and again."""
    scopes_enforced: bool = False
    """The developer key enforces scopes: they are named when access is granted."""
    retire_strategy: Literal[RetireStrategy.CONCLUDE, RetireStrategy.DELETE] = RetireStrategy.CONCLUDE
    """``conclude`` makes a retired course read-only and can be undone; ``delete`` takes it away, and only an
    account administrator may bring it back."""

    learner_id: LearnerId = LearnerId.EMAIL
    """What Canvas knows learners by. It is looked for among e-mail addresses, logins and SIS ids."""
    keep_instructor_changes: bool = True
    """Leave a grade alone that somebody else has given or changed in Canvas."""

    @field_validator("transmission_chunk_size")
    @classmethod
    def _one_course_a_request(cls, value: int | None) -> None:
        # A limit of 1 says what holds for courses anyway; kept, it would keep grades from travelling together.
        if value not in (None, 1):
            raise ValueError("Canvas takes one course a request; leave this out or write 1")

    @property
    def lms_url(self) -> str:
        """Base URL of the Canvas, without a trailing slash."""
        return self.canvas_base_url

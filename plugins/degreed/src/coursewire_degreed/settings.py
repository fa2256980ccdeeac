"""What configurations of both channels have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

import coursewire as cw

MINUTE_S = 60
EVERY_CALL = "default"
"""Name of the bucket that counts every call."""


class DegreedConfig(cw.ChannelConfig):
    """Settings of one customer's Degreed organisation, whichever API it is spoken to by."""

    learner_id: Literal[cw.LearnerId.EMAIL, cw.LearnerId.EMPLOYEE_ID] = cw.LearnerId.EMAIL
    """What Degreed knows learners by: ``email`` or ``employee_id``."""
    calls_per_minute: int = Field(default=1, gt=0)
    """Calls a minute that Degreed allows the API key."""

    @property
    def api_key(self) -> str:
        """Id of the API key: what Degreed counts calls by."""
        raise NotImplementedError

    @property
    def limit_scope(self) -> str:
        """The API key at its host. As a digest, for the id is half of a credential."""
        digest = hashlib.sha256(self.api_key.encode()).hexdigest()[:16]
        return f"{urlsplit(self.lms_url).netloc.lower()} {digest}"

    def rates(self, limits: Mapping[str, cw.Rate]) -> Mapping[str, cw.Rate]:
        """Degreed's rate, or what it agreed with this customer."""
        return {**limits, EVERY_CALL: cw.Rate(calls=self.calls_per_minute, seconds=MINUTE_S)}

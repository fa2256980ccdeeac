"""What a learner achieved: completions and assessments."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from coursewire.model.instant import Instant

Percent = Annotated[Decimal, Field(ge=0, le=1)]
"""A grade as a fraction of the whole, 0 to 1."""


class Verdict(StrEnum):
    """The closed set of what an outcome can say."""

    PASS = "Pass"
    FAIL = "Fail"
    IN_PROGRESS = "In Progress"
    AUDIT = "Audit"


class Outcome(BaseModel):
    """What both kinds of outcome have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enrollment_id: str
    username: str
    email: str | None
    remote_id: str | None
    course_key: str
    """The key that the LMS knows the course by, as this configuration sent it."""
    course_run_key: str


class Completion(Outcome):
    """A learner's result in a course."""

    verdict: Verdict
    complete: bool
    completed_at: Instant | None
    percent: Percent | None
    """None is unknown, which is not zero."""
    total_hours: float | None = None


class Assessment(Outcome):
    """A learner's result in one subsection of a course."""

    subsection_id: str
    subsection_name: str
    percent: Percent
    points_earned: Decimal
    points_possible: Decimal

"""The facts about a learner's way through a course that a source knows, and that outcomes are made from.

None is unknown, which is not zero, not False and not empty. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from coursewire.model.instant import Instant
from coursewire.model.outcomes import CourseDetails, Percent

AUDIT_MODES = frozenset({"audit", "honor"})
"""Modes of an enrollment that nobody has paid for."""


class ConsentState(StrEnum):
    """A learner's answer to the question of sharing results with the customer. Only the first two let data leave."""

    GRANTED = "granted"
    IMPLIED = "implied"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"


class Consent(NamedTuple):
    """A learner's consent for one enrollment, as far as it is known.

    Attributes:
        state: What was said.
        by: Who said it, as the source words it.
        at: When.
        elsewhere: It would be implied, but the learner refused, or left unanswered, another course of the
            same customer.
    """

    state: ConsentState
    by: str | None = None
    at: datetime | None = None
    elsewhere: bool = False

    @property
    def allows(self) -> bool:
        """True when data may leave."""
        return self.state in (ConsentState.GRANTED, ConsentState.IMPLIED)


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LearnerFacts(_Fact):
    """A learner at one customer.

    Attributes:
        username: Of the platform; the e-mail address while the learner is pending.
        active: Whether this is the customer that the learner has selected at the moment.
        linked: Whether the learner belongs to the customer.
        pending: Invited by e-mail, without an account yet.
        remote_ids: Identity provider to its name for the learner; ``employee_id`` may be one of them.
    """

    username: str
    email: str | None
    active: bool
    linked: bool
    pending: bool = False
    remote_ids: Mapping[str, str] = {}


class GradeFacts(_Fact):
    """The platform's current grade. ``percent`` is 0 to 1; ``passed_at`` is when passing was first reached."""

    passed: bool | None
    percent: Percent | None
    letter_grade: str | None = None
    passed_at: Instant | None = None
    modified_at: Instant | None = None


class CertificateFacts(_Fact):
    """A certificate. ``grade`` is text, as the platform gives it."""

    status: str
    is_passing: bool | None
    grade: str | None = None
    created_at: Instant | None = None


class SubsectionFacts(_Fact):
    """A learner's result in one subsection."""

    subsection_id: str
    subsection_name: str
    points_possible: Decimal
    points_earned: Decimal | None
    attempted: bool


class CourseFacts(_Fact):
    """The course and run that an enrollment is in.

    Attributes:
        course_key: Content key of the course; None when the source does not know the run.
        run_key: Course run key.
        title: For people.
        end: When the run ends; None when it does not, or nobody knows.
        pacing: ``self_paced`` or ``instructor_paced``.
        upgrade_deadline: Of the first verified seat.
        estimated_hours: Of the run.
        details: What an LMS may be told of the course along with an outcome.
    """

    course_key: str | None
    run_key: str
    title: str = ""
    end: Instant | None = None
    pacing: str | None = None
    upgrade_deadline: Instant | None = None
    estimated_hours: float | None = None
    details: CourseDetails = CourseDetails()


class LicenseState(StrEnum):
    """The state of a licence."""

    ASSIGNED = "assigned"
    ACTIVATED = "activated"
    REVOKED = "revoked"


class LicenseFacts(_Fact):
    """The licence that an enrollment was paid with."""

    state: LicenseState
    assigned_at: Instant | None = None
    activated_at: Instant | None = None
    revoked_at: Instant | None = None
    expires_at: Instant | None = None


class EnrollmentFacts(_Fact):
    """Everything that is known about one enrollment.

    Attributes:
        id: Of the enrollment; the same wherever and whenever it is read.
        license: None when it was not paid with one, or nobody knows.
        incomplete_count: Blocks that an audit learner can still do; None when it is unknown.
    """

    id: str
    customer: str
    learner: LearnerFacts
    course: CourseFacts
    mode: str
    is_active: bool
    created_at: Instant | None
    consent: Consent
    unenrolled_at: Instant | None = None
    license: LicenseFacts | None = None
    grade: GradeFacts | None = None
    certificate: CertificateFacts | None = None
    incomplete_count: int | None = None
    subsections: tuple[SubsectionFacts, ...] = ()

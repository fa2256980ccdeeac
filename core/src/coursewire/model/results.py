"""The facts that a source knows of a learner's way through a course, from which outcomes are made.

None means unknown, which is not zero, not False and not empty. Instants are aware UTC.
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
    """The answers of a learner who is asked to share results with the customer. Only the first two let data leave."""

    GRANTED = "granted"
    IMPLIED = "implied"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"


class Consent(NamedTuple):
    """The consent of a learner for one enrollment, as far as it is known.

    Attributes:
        state: The answer.
        by: The person or rule that the answer comes from, in the words of the source.
        at: The instant of the answer.
        elsewhere: True when consent would be implied, but the learner refused, or left unanswered, another course of
            the same customer.
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
        username: The name at the platform; the e-mail address while the learner is pending.
        email: The e-mail address.
        active: True when this is the customer that the learner has selected at the moment.
        linked: True when the learner belongs to the customer.
        pending: True when the learner was invited by e-mail and has no account yet.
        remote_ids: The identity provider to its name for the learner; ``employee_id`` may be one of them.
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
        course_key: The content key of the course; None when the source does not know the run.
        run_key: The key of the course run.
        title: The title, for people.
        end: The end of the run; None when it has none, or nobody knows.
        pacing: ``self_paced`` or ``instructor_paced``.
        upgrade_deadline: The last instant at which the first verified seat can be bought.
        estimated_hours: The estimated effort for the run, in hours.
        details: Facts about the course that an LMS may be told along with an outcome.
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
    """The states of a licence."""

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
        id: The id of the enrollment, the same wherever and whenever it is read.
        customer: The UUID of the customer.
        mode: The track, such as ``verified`` or ``audit``.
        is_active: False once the enrollment has ended.
        license: The licence that paid for it; None when there was none, or nobody knows.
        incomplete_count: The number of blocks that an audit learner can still do; None when it is unknown.
        subsections: The results in single subsections.
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

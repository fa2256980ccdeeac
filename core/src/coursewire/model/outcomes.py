"""Outcomes: what an LMS is told about a learner, which is completions, assessments and enrollments."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from coursewire.model.instant import Instant

ARTEFACT = Decimal("1e-9")
"""The distance below which a grade beyond 0 or 1 is an artefact of floating-point arithmetic."""


def snap(value: Decimal) -> Decimal:
    """Return a fraction without the artefacts that floating-point arithmetic leaves at 0 and at 1.

    Example:
        >>> snap(Decimal("1.0000000000000002")), snap(Decimal("1.1")), snap(Decimal("0.9"))
        (Decimal('1'), Decimal('1.1'), Decimal('0.9'))
    """
    if value.is_finite():
        if 0 < value - 1 < ARTEFACT:
            return Decimal(1)
        if -ARTEFACT < value < 0:
            return Decimal(0)
    return value


Percent = Annotated[Decimal, AfterValidator(snap), Field(ge=0, le=1)]
"""A grade as a fraction of the whole, 0 to 1."""

PercentWithBonus = Annotated[Decimal, AfterValidator(snap), Field(ge=0)]
"""A grade as a fraction of the whole, which is above 1 where more points were earned than the maximum."""


class Verdict(StrEnum):
    """The verdicts that an outcome may have."""

    PASS = "Pass"
    FAIL = "Fail"
    IN_PROGRESS = "In Progress"
    AUDIT = "Audit"


class CourseDetails(BaseModel):
    """Facts about an outcome's course, for an LMS that is told of the course together with the outcome.

    Attributes:
        title: Title of the course, in its language.
        description: The short description of the course.
        language: Language as the source names it: a code such as ``zh-CN``, or a name.
        uuid: UUID of the course at the source.
        url: Address at which people read about the course.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    description: str = ""
    language: str | None = None
    uuid: str | None = None
    url: str | None = None


class Outcome(BaseModel):
    """The fields that completions, assessments and enrollments share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    corrects: ClassVar[bool] = True
    """A later outcome about the same thing corrects the earlier one. False where both are true: who joined may leave."""

    enrollment_id: str
    username: str
    email: str | None
    remote_id: str | None
    course_key: str
    """The key that the LMS knows the course by, as this configuration sent it."""
    course_run_key: str
    remote_id_origin: str = ""
    """The way in which ``remote_id`` was found, a code such as ``email`` or ``by-hand``; see :mod:`coursewire.pipeline.rules.identity`."""
    content_key: str | None = None
    """Key of the course at the source, under whichever key it was sent."""
    course: CourseDetails = CourseDetails()


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
    percent: PercentWithBonus
    """Above 1 where bonus points were earned; a channel whose LMS does not take that says so, or cuts it."""
    points_earned: Decimal
    points_possible: Decimal


class EnrollmentReport(Outcome):
    """The news that a learner has joined a course run, or has left it."""

    corrects: ClassVar[bool] = False

    mode: str
    active: bool
    """False once the learner has left."""
    enrolled_at: Instant | None
    unenrolled_at: Instant | None = None
    """None while the learner is in the course, and where nobody knows when it was left."""

    @property
    def at(self) -> Instant | None:
        """The instant of joining or of leaving, whichever is told; None where it is not known."""
        return self.enrolled_at if self.active else self.unenrolled_at


class LastReported(BaseModel):
    """The part of an outcome that the LMS last confirmed. A later outcome is compared with it.

    Attributes:
        verdict: Verdict of a completion; None for other outcomes.
        complete: False only for a completion that was sent while the course was in progress, and for an
            enrollment that has ended.
        completed_at: Instant at which a course was completed; None for other outcomes.
        percent: Grade, 0 to 1; None is unknown, which is not zero.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict | None
    complete: bool
    completed_at: Instant | None
    percent: PercentWithBonus | None

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Return the part of an outcome that is reported."""
        return cls(
            verdict=getattr(outcome, "verdict", None),
            complete=getattr(outcome, "complete", getattr(outcome, "active", True)),
            completed_at=getattr(outcome, "completed_at", None),
            percent=getattr(outcome, "percent", None),
        )

    @property
    def merit(self) -> tuple[bool, int, Decimal]:
        """Return the values by which two results are compared, the better one being greater: completed, the verdict, the grade, in this order."""
        return self.complete, _RANK[self.verdict], Decimal(-1) if self.percent is None else self.percent

    def improved_by(self, later: LastReported) -> bool:
        """Tell whether ``later`` is better news: completed, a better verdict, or a higher grade."""
        return later.merit > self.merit

    def lowered_by(self, later: LastReported) -> bool:
        """Tell whether ``later`` has a lower grade."""
        return self.percent is not None and later.percent is not None and later.percent < self.percent


_RANK = {
    verdict: rank
    for rank, verdict in enumerate((None, Verdict.IN_PROGRESS, Verdict.FAIL, Verdict.AUDIT, Verdict.PASS))
}

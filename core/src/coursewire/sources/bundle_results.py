"""Learners and results of a bundle, joined for the answers of :class:`BundleSource` about enrollments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coursewire.model.results import (
    CertificateFacts,
    Consent,
    CourseFacts,
    EnrollmentFacts,
    GradeFacts,
    LearnerFacts,
    LicenseFacts,
    SubsectionFacts,
)
from coursewire.sources.bundle import Bundle, Problem
from coursewire.sources.consents import REFUSALS, consent_of

if TYPE_CHECKING:
    from coursewire.sources.rows import CertificateRow, EnrollmentRow, GradeRow, LearnerRow

_FILES = ("learners", "enrollments", "grades", "certificates")


@dataclass(slots=True)
class Results:
    """The rows of the four files, by the keys under which they are looked up.

    Attributes:
        enrollments: Enrollments by customer, in the order of their ids.
        refused: Pairs of username and customer, for learners who refused consent to a course or left it unanswered.
    """

    enrollments: dict[str, list[EnrollmentRow]] = field(default_factory=dict)
    learners: dict[tuple[str, ...], LearnerRow] = field(default_factory=dict)
    grades: dict[tuple[str, ...], GradeRow] = field(default_factory=dict)
    certificates: dict[tuple[str, ...], CertificateRow] = field(default_factory=dict)
    refused: set[tuple[str, str]] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def read(cls, bundle: Bundle) -> Results:
        """Read the files that the bundle has; refused lines become problems.

        Raises:
            BundleError: A file cannot be read.
        """
        found = cls()
        enrollments: defaultdict[str, list[EnrollmentRow]] = defaultdict(list)
        for name in _FILES:
            for _, row in bundle.rows(name) if name in bundle.files else ():
                if isinstance(row, Problem):
                    found.problems.append(row)
                elif name == "enrollments":
                    enrollments[row.customer].append(row)
                    if row.consent_state in REFUSALS:
                        found.refused.add((row.username, row.customer))
                else:
                    getattr(found, name)[row.key] = row
        for rows in enrollments.values():
            rows.sort(key=lambda row: row.id)
        found.enrollments = dict(enrollments)
        return found

    def consent(self, row: EnrollmentRow) -> Consent:
        """Return the consent of one enrollment."""
        elsewhere = (row.username, row.customer) in self.refused
        return consent_of(
            row.consent_state, row.consent_granted_by, row.consent_granted_at, elsewhere=elsewhere
        )

    def learner(self, customer: str, username: str) -> LearnerFacts | None:
        """Return one learner of a customer; None if the bundle does not name the learner."""
        row = self.learners.get((username, customer))
        return LearnerFacts.model_validate(row.model_dump(exclude={"customer"})) if row else None

    def facts(self, row: EnrollmentRow, course: CourseFacts) -> EnrollmentFacts:
        """Return one enrollment with all facts of the bundle about it.

        A learner whom the bundle does not name counts as not linked to the customer.
        """
        learner = self.learner(row.customer, row.username)
        grade = self.grades.get((row.username, row.course_id))
        certificate = self.certificates.get((row.username, row.course_id))
        return EnrollmentFacts(
            id=row.id,
            customer=row.customer,
            learner=learner or LearnerFacts(username=row.username, email=None, active=False, linked=False),
            course=course,
            mode=row.mode,
            is_active=row.is_active,
            created_at=row.created,
            unenrolled_at=row.unenrolled_at,
            consent=self.consent(row),
            license=LicenseFacts(
                state=row.license_state,
                assigned_at=row.license_assigned_at,
                activated_at=row.license_activated_at,
                revoked_at=row.license_revoked_at,
                expires_at=row.license_expires_at,
            )
            if row.license_state
            else None,
            grade=GradeFacts(
                passed=grade.passed,
                percent=grade.percent,
                letter_grade=grade.letter_grade,
                passed_at=grade.passed_timestamp,
                modified_at=grade.modified,
            )
            if grade
            else None,
            certificate=CertificateFacts(
                status=certificate.status,
                is_passing=certificate.is_passing,
                grade=certificate.grade,
                created_at=certificate.created,
            )
            if certificate
            else None,
            incomplete_count=grade.incomplete_non_gated_content if grade else None,
            subsections=tuple(SubsectionFacts.model_validate(one.model_dump()) for one in grade.subsections)
            if grade
            else (),
        )

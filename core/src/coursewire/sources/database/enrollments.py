"""Enrollments with all facts about them, a page at a time, from a fixed handful of statements.

A page is a range of enrollment ids. The facts are found by joins over that range, so that no statement grows with the
page.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError
from sqlalchemy import and_, exists, or_, select

from coursewire.model.content import ContentItem
from coursewire.model.results import (
    CertificateFacts,
    Consent,
    ConsentState,
    CourseFacts,
    EnrollmentFacts,
    GradeFacts,
    LearnerFacts,
    LicenseFacts,
    SubsectionFacts,
)
from coursewire.sources.consents import REFUSALS, consent_of
from coursewire.sources.courses import course_facts
from coursewire.sources.database.questions import chunks, in_keys
from coursewire.storage.tables.source import (
    source_certificate,
    source_content,
    source_course_run,
    source_enrollment,
    source_grade,
    source_learner,
    source_learner_identity,
    source_subsection_grade,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

_log = logging.getLogger(__name__)

KEPT_COURSES = 5000
"""Number of runs whose facts are kept from page to page: neighbours in the order of ids share no runs."""

_enrollment, _learner, _grade, _certificate = (
    source_enrollment.c,
    source_learner.c,
    source_grade.c,
    source_certificate.c,
)
_other = source_enrollment.alias("other")
_refused_elsewhere = and_(
    _enrollment.consent_state == ConsentState.IMPLIED.value,
    exists().where(
        _other.c.username == _enrollment.username,
        _other.c.customer == _enrollment.customer,
        _other.c.consent_state.in_([state.value for state in sorted(REFUSALS)]),
    ),
).label("refused_elsewhere")
_CONSENT = (
    _enrollment.consent_state,
    _enrollment.consent_granted_by,
    _enrollment.consent_granted_at,
    _refused_elsewhere,
)
_LICENSE = ("state", "assigned_at", "activated_at", "revoked_at", "expires_at")
_OF_GRADE = ("passed", "percent", "letter_grade", "passed_at", "modified_at")
_OF_CERTIFICATE = ("status", "is_passing", "grade", "created_at")

_same_learner = and_(
    _learner.username == _enrollment.username,
    _learner.customer == _enrollment.customer,
)
_PAGE = (
    select(
        source_enrollment,
        _refused_elsewhere,
        _learner.email,
        _learner.active,
        _learner.linked,
        _learner.pending,
        _grade.version.label("has_grade"),
        _grade.incomplete_non_gated_content,
        *(_grade[name].label(f"grade_{name}") for name in _OF_GRADE),
        *(_certificate[name].label(f"certificate_{name}") for name in _OF_CERTIFICATE),
    )
    .join(source_learner, _same_learner)
    .outerjoin(
        source_grade, and_(_grade.username == _enrollment.username, _grade.course_id == _enrollment.course_id)
    )
    .outerjoin(
        source_certificate,
        and_(
            _certificate.username == _enrollment.username,
            _certificate.course_id == _enrollment.course_id,
        ),
    )
    .order_by(_enrollment.id)
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The enrollments that are asked for, with None for any value, and if their subsections are wanted."""

    customer: str
    username: str | None = None
    course_run_key: str | None = None
    with_subsections: bool = True

    def where(self) -> list[ColumnElement[bool]]:
        """Return the conditions on :data:`source_enrollment`."""
        found = [_enrollment.customer == self.customer]
        if self.username is not None:
            found.append(_enrollment.username == self.username)
        if self.course_run_key is not None:
            runs = select(source_course_run.c.run_key).where(
                source_course_run.c.content_key == self.course_run_key
            )
            found.append(or_(_enrollment.course_id == self.course_run_key, _enrollment.course_id.in_(runs)))
        return found


class Courses:
    """The facts of course runs, read once for a page of enrollments and kept for the next ones."""

    def __init__(self) -> None:
        self._kept: dict[str, CourseFacts] = {}

    def of(self, connection: Connection, run_keys: Iterable[str]) -> dict[str, CourseFacts]:
        """Return the facts of each run, known or not."""
        if len(self._kept) > KEPT_COURSES:
            self._kept = {}
        wanted = dict.fromkeys(run_keys)
        items: dict[str, list[ContentItem]] = {key: [] for key in wanted if key not in self._kept}
        for chunk in chunks([(key,) for key in items]):
            rows = connection.execute(
                select(source_course_run.c.run_key, source_content.c.content_key, source_content.c.data)
                .join(source_content, source_content.c.content_key == source_course_run.c.content_key)
                .where(in_keys((source_course_run.c.run_key,), chunk))
            )
            for row in rows:
                try:
                    items[row.run_key].append(ContentItem.model_validate(orjson.loads(row.data)))
                except ValidationError:
                    _log.warning("content %s cannot be read; load it again", row.content_key)
        for key, holding in items.items():
            self._kept[key] = course_facts(key, holding)
        return {key: self._kept[key] for key in wanted}


def enrollment_page(
    connection: Connection, wanted: Wanted, *, after: str, page_items: int, courses: Courses
) -> list[EnrollmentFacts]:
    """Return the enrollments that come after an id, in the order of their ids; an empty list at the end."""
    conditions = wanted.where()
    rows = connection.execute(_PAGE.where(*conditions, _enrollment.id > after).limit(page_items)).all()
    if not rows:
        return []
    page = and_(*conditions, _enrollment.id > after, _enrollment.id <= rows[-1].id)
    identities = _identities(connection, page)
    subsections = _subsections(connection, page) if wanted.with_subsections else {}
    known = courses.of(connection, (row.course_id for row in rows))
    return [
        _facts(row, known[row.course_id], identities.get(row.username, {}), subsections.get(row.id, ()))
        for row in rows
    ]


def consents_of(connection: Connection, ids: Sequence[str]) -> dict[str, Consent]:
    """Return the consent of each of these enrollments that exists."""
    return {
        row.id: _consent(row)
        for chunk in chunks([(one,) for one in ids])
        for row in connection.execute(
            select(_enrollment.id, *_CONSENT).where(in_keys((_enrollment.id,), chunk))
        )
    }


def _identities(connection: Connection, page: ColumnElement[bool]) -> dict[str, dict[str, str]]:
    identity = source_learner_identity.c
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for username, provider, remote_id in connection.execute(
        select(identity.username, identity.provider, identity.remote_id)
        .join(
            source_enrollment,
            and_(identity.username == _enrollment.username, identity.customer == _enrollment.customer),
        )
        .where(page)
        .distinct()
        .order_by(identity.username, identity.provider)
    ):
        found[username][provider] = remote_id
    return found


def _subsections(connection: Connection, page: ColumnElement[bool]) -> dict[str, list[SubsectionFacts]]:
    part = source_subsection_grade.c
    found: defaultdict[str, list[SubsectionFacts]] = defaultdict(list)
    for row in connection.execute(
        select(
            _enrollment.id,
            part.subsection_id,
            part.subsection_name,
            part.points_possible,
            part.points_earned,
            part.attempted,
        )
        .join(
            source_enrollment,
            and_(part.username == _enrollment.username, part.course_id == _enrollment.course_id),
        )
        .where(page)
        .order_by(_enrollment.id, part.position)
    ):
        found[row.id].append(
            SubsectionFacts(
                subsection_id=row.subsection_id,
                subsection_name=row.subsection_name,
                points_possible=row.points_possible,
                points_earned=row.points_earned,
                attempted=row.attempted,
            )
        )
    return found


def _consent(row: Row[Any]) -> Consent:
    return consent_of(
        ConsentState(row.consent_state),
        row.consent_granted_by,
        row.consent_granted_at,
        elsewhere=bool(row.refused_elsewhere),
    )


def _facts(
    row: Row[Any], course: CourseFacts, remote_ids: dict[str, str], subsections: Sequence[SubsectionFacts]
) -> EnrollmentFacts:
    values = row._mapping
    return EnrollmentFacts(
        id=row.id,
        customer=row.customer,
        learner=LearnerFacts(
            username=row.username,
            email=row.email,
            active=row.active,
            linked=row.linked,
            pending=row.pending,
            remote_ids=remote_ids,
        ),
        course=course,
        mode=row.mode,
        is_active=row.is_active,
        created_at=row.created_at,
        unenrolled_at=row.unenrolled_at,
        consent=_consent(row),
        license=LicenseFacts(**{name: values[f"license_{name}"] for name in _LICENSE})
        if row.license_state
        else None,
        grade=GradeFacts(**{name: values[f"grade_{name}"] for name in _OF_GRADE}) if row.has_grade else None,
        certificate=CertificateFacts(**{name: values[f"certificate_{name}"] for name in _OF_CERTIFICATE})
        if row.certificate_status
        else None,
        incomplete_count=row.incomplete_non_gated_content,
        subsections=tuple(subsections),
    )

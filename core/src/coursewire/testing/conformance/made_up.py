"""Made-up courses, learners and results, and a source that answers with them from memory."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from more_itertools import batched

from coursewire.errors import SourceError
from coursewire.model.content import (
    KEYED_BY_UUID,
    Catalog,
    ContentItem,
    ContentType,
    Customer,
    IdentityProvider,
)
from coursewire.model.kinds import Kind
from coursewire.model.outcomes import Assessment, Completion, EnrollmentReport, Outcome, Verdict
from coursewire.model.payload import fingerprint
from coursewire.model.results import (
    Consent,
    ConsentState,
    CourseFacts,
    EnrollmentFacts,
    GradeFacts,
    LearnerFacts,
    SubsectionFacts,
)
from coursewire.sources.base import Answer, CatalogDiff

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When every check begins."""
PASSED_AT = datetime(2026, 2, 20, 8, 30, tzinfo=UTC)

ACME = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
OTHER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e2222"
PROVIDER = "saml-made-up"

SCRIPTS = {
    "Arabic": "مقدمة في علم النبات",
    "Chinese": "植物学入门：从种子到森林",
    "Cyrillic": "Ботаника для начинающих",
    "Devanagari": "वनस्पति विज्ञान का परिचय",
    "Emoji": "Plants 🌱👩🏽‍🌾 for all",
    "Greek": "Εισαγωγή στη βοτανική",
    "Hebrew": "מבוא לבוטניקה",
    "Japanese": "植物学のきほん カタカナ",
    "Korean": "식물학 첫걸음",
    "Latin with marks": "Ünïçödé Łódź Ñandú İstanbul",
    "Thai": "พฤกษศาสตร์เบื้องต้น",
}
"""More than ten ways of writing, one of them outside the basic plane, two from right to left."""


def content_data(number: int | str, kind: ContentType = ContentType.COURSE, **changes: Any) -> dict[str, Any]:
    """A content item with all that a channel may ask for, as the source's JSON has it.

    Args:
        number: Tells items apart; the key is made from it.
        kind: The type.
        changes: Fields that differ; None empties one, ``...`` leaves it out.
    """
    name = f"{number:03}" if isinstance(number, int) else number
    key = f"MadeUpX+C{name}"
    own_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://example.org/{kind}/{name}"))
    run = {
        "key": f"course-v1:{key}+2026",
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://example.org/run/{name}")),
        "title": f"Course {name}",
        "start": "2026-02-01T00:00:00Z",
        "end": "2026-11-30T00:00:00Z",
        "enrollment_start": "2026-01-01T00:00:00Z",
        "enrollment_end": "2026-11-01T00:00:00Z",
        "availability": "Current",
        "status": "published",
        "pacing_type": "self_paced",
        "is_enrollable": True,
        "is_marketable": True,
        "first_enrollable_paid_seat_price": 149,
        "content_language": "en-us",
        "min_effort": 2,
        "max_effort": 4,
        "weeks_to_complete": 6,
        "estimated_hours": 18,
    }
    item: dict[str, Any] = {
        "content_type": kind.value,
        "uuid": own_id,
        "title": f"Course {name}",
        "short_description": "A short text about plants.",
        "full_description": "<p>A full text about <b>plants</b>.</p>",
        "image_url": f"https://images.example.org/{name}.jpg",
        "card_image_url": f"https://images.example.org/{name}-card.jpg",
        "enrollment_url": f"https://learn.example.org/enroll/{name}",
        "content_last_modified": "2026-02-10T10:00:00Z",
        "content_language": "en-us",
        "languages": ["English"],
        "subjects": ["Biology"],
        "partners": [{"name": "MadeUpX"}],
        "skill_names": ["Botany"],
    }
    if kind is ContentType.COURSE:
        item |= {"key": key, "advertised_course_run_uuid": run["uuid"], "course_runs": [run]}
    elif kind is ContentType.COURSE_RUN:
        item |= {**run, "uuid": own_id}
    else:
        item |= {"marketing_url": f"https://learn.example.org/{name}"}
    return {field: value for field, value in {**item, **changes}.items() if value is not ...}


def content_item(number: int | str, kind: ContentType = ContentType.COURSE, **changes: Any) -> ContentItem:
    """:func:`content_data` as an item."""
    return ContentItem.model_validate(content_data(number, kind, **changes))


def learner_id(name: str) -> str:
    """Return the id by which the LMS knows a made-up learner, whichever way the configuration names."""
    return f"{name}@example.com"


def completion(name: str = "ada", **changes: Any) -> Completion:
    """A completion, for exporters."""
    fields = {
        "enrollment_id": f"e-{name}",
        "username": name,
        "email": learner_id(name),
        "remote_id": learner_id(name),
        "course_key": "MadeUpX+C001",
        "course_run_key": "course-v1:MadeUpX+C001+2026",
        "verdict": Verdict.PASS,
        "complete": True,
        "completed_at": PASSED_AT,
        "percent": Decimal("0.85"),
        "total_hours": 18.0,
    }
    return Completion.model_validate({**fields, **changes})


def assessment(name: str = "ada", **changes: Any) -> Assessment:
    """An assessment, for exporters."""
    fields = {
        "enrollment_id": f"e-{name}",
        "username": name,
        "email": learner_id(name),
        "remote_id": learner_id(name),
        "course_key": "MadeUpX+C001",
        "course_run_key": "course-v1:MadeUpX+C001+2026",
        "subsection_id": "block-v1:MadeUpX+C001+2026+type@sequential+block@quiz1",
        "subsection_name": "Leaf quiz",
        "percent": Decimal("0.9"),
        "points_earned": Decimal(9),
        "points_possible": Decimal(10),
    }
    return Assessment.model_validate({**fields, **changes})


def enrollment_report(name: str = "ada", **changes: Any) -> EnrollmentReport:
    """That somebody has joined a course, for exporters."""
    fields = {
        "enrollment_id": f"e-{name}",
        "username": name,
        "email": learner_id(name),
        "remote_id": learner_id(name),
        "course_key": "MadeUpX+C001",
        "course_run_key": "course-v1:MadeUpX+C001+2026",
        "mode": "verified",
        "active": True,
        "enrolled_at": datetime(2026, 2, 2, tzinfo=UTC),
    }
    return EnrollmentReport.model_validate({**fields, **changes})


SAMPLES: Mapping[Kind, Callable[..., Outcome]] = {
    Kind.COMPLETIONS: completion,
    Kind.ASSESSMENTS: assessment,
    Kind.ENROLLMENTS: enrollment_report,
}
"""The function that makes an outcome of each kind, for exporters."""


def enrollment(
    name: str,
    item: ContentItem,
    *,
    customer: str = ACME,
    percent: str | None = "0.85",
    passed: bool | None = True,
    passed_at: datetime | None = PASSED_AT,
    quizzes: Mapping[str, str] | None = None,
    consent: ConsentState = ConsentState.GRANTED,
    **changes: Any,
) -> EnrollmentFacts:
    """Return the facts that a source knows of a learner in a course.

    Args:
        name: Of the learner; every id at the LMS is :func:`learner_id` of it.
        item: The course, or the run.
        customer: UUID.
        percent: The grade, 0 to 1; None is unknown.
        passed: Whether the learner has passed.
        passed_at: Since when.
        quizzes: Subsection to points of ten.
        consent: What the learner said about sharing results.
        changes: Further fields of :class:`EnrollmentFacts`.
    """
    ids = {PROVIDER: learner_id(name), "employee_id": learner_id(name)}
    is_run = item.content_type is ContentType.COURSE_RUN
    run_key = item.content_key if is_run or not item.course_runs else item.course_runs[0].key
    course = CourseFacts(
        course_key=None if is_run else item.content_key,
        run_key=run_key,
        title=item.title or "",
        end=datetime(2026, 11, 30, tzinfo=UTC),
        pacing="self_paced",
        estimated_hours=18.0,
    )
    number = None if percent is None else Decimal(percent)
    fields: dict[str, Any] = {
        "id": f"e-{name}-{customer[-4:]}-{fingerprint(item.content_key)[:8]}",
        "customer": customer,
        "learner": LearnerFacts(
            username=name, email=learner_id(name), active=True, linked=True, remote_ids=ids
        ),
        "course": course,
        "mode": "verified",
        "is_active": True,
        "created_at": datetime(2026, 2, 2, tzinfo=UTC),
        "consent": Consent(consent),
        "grade": GradeFacts(passed=passed, percent=number, passed_at=passed_at if passed else None),
        "incomplete_count": 0,
        "subsections": tuple(
            SubsectionFacts(
                subsection_id=f"block-v1:{run_key.removeprefix('course-v1:')}+type@sequential+block@{quiz}",
                subsection_name=quiz.title(),
                points_possible=Decimal(10),
                points_earned=Decimal(points),
                attempted=True,
            )
            for quiz, points in (quizzes or {}).items()
        ),
    }
    return EnrollmentFacts(**{**fields, **changes})


@dataclass
class MadeUpSource:
    """A source that answers from memory, from whatever a check has put in.

    Attributes:
        items: By content key; the catalog of each customer holds its keys in ``shelves``.
        shelves: Customer to the keys of its one catalog.
        facts: Every enrollment.
        last_words: Enrollment to the consent that is found when asked again, right before sending.
    """

    items: dict[str, ContentItem] = field(default_factory=dict)
    shelves: dict[str, list[str]] = field(default_factory=lambda: {ACME: [], OTHER: []})
    facts: dict[str, EnrollmentFacts] = field(default_factory=dict)
    last_words: dict[str, Consent] = field(default_factory=dict)

    async def customer(self, uuid: str) -> Customer | None:
        """Two customers are known."""
        if uuid not in self.shelves:
            return None
        return Customer(
            uuid=uuid,
            name="Made Up" if uuid == ACME else "Other",
            slug="made-up" if uuid == ACME else "other",
            enable_data_sharing_consent=True,
            identity_providers=(IdentityProvider(provider_id=PROVIDER, default=True),),
        )

    async def catalogs(self, customer: str) -> list[Catalog]:
        """One a customer."""
        return [Catalog(uuid=customer.replace("-4d3b-", "-4d3c-"), customer=customer, title="All")]

    async def diff(self, catalog: Catalog, _known: Mapping[str, str]) -> CatalogDiff:
        """All keys, with a version each."""
        keys = self.shelves[catalog.customer]
        present = {key: fingerprint(self.items[key].model_dump(mode="json")) for key in keys}
        return CatalogDiff(catalog, Answer.COMPLETE, present)

    async def content(
        self, keys: Sequence[str], *, page_items: int = 500
    ) -> AsyncIterator[list[ContentItem]]:
        """The items, also those that are on no shelf any more."""
        for page in batched([self.items[key] for key in keys if key in self.items], page_items):
            yield list(page)

    async def enrollments(
        self,
        customer: str,
        *,
        username: str | None = None,
        course_run_key: str | None = None,
        with_subsections: bool = True,
        page_items: int = 500,
    ) -> AsyncIterator[list[EnrollmentFacts]]:
        """The enrollments of a customer; checks ask for all of them."""
        if username is not None or course_run_key is not None:
            raise SourceError("the made-up source gives all enrollments of a customer at once")
        mine = sorted(
            (one for one in self.facts.values() if one.customer == customer), key=lambda one: one.id
        )
        for page in batched(mine, page_items):
            yield list(page)

    async def consents(self, enrollments: Sequence[str]) -> Mapping[str, Consent]:
        """Return the text that is said now."""
        return {each: self.last_words.get(each, self.facts[each].consent) for each in enrollments}

    async def aclose(self) -> None:
        """Nothing is open."""


def is_keyed_by_uuid(kind: ContentType) -> bool:
    """Programs and pathways have no key of their own choice."""
    return kind in KEYED_BY_UUID

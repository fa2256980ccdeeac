"""Both sources say the same about enrollments and consents."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, text, update

from coursewire.errors import SourceError
from coursewire.model.outcomes import CourseDetails
from coursewire.model.results import (
    CertificateFacts,
    Consent,
    ConsentState,
    CourseFacts,
    EnrollmentFacts,
    GradeFacts,
    LearnerFacts,
    LicenseFacts,
    LicenseState,
    SubsectionFacts,
)
from coursewire.sources.base import Source
from coursewire.sources.bundle_source import BundleSource
from coursewire.sources.database import DatabaseSource, enrollments, load_bundle
from coursewire.storage.tables.source import source_content, source_enrollment

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
R1, R2, LONE = "course-v1:Org+C1+R1", "course-v1:Org+C1+R2", "course-v1:Org+C2+Lone"
LINKED = {"active": True, "linked": True}

CUSTOMERS = [{"uuid": ACME, "name": "Acme"}, {"uuid": OTHER, "name": "Other"}]
CONTENT: list[dict[str, Any]] = [
    {
        "key": "Org+C1",
        "content_type": "course",
        "title": "Soil",
        "course_runs": [
            {
                "key": R1,
                "title": "Soil, spring",
                "end": "2026-05-15T02:00:00+02:00",
                "pacing_type": "self_paced",
                "estimated_hours": 12.5,
                "seats": [
                    {"type": "professional", "upgrade_deadline": "2026-01-01T00:00:00Z"},
                    {"type": "verified", "upgrade_deadline": "2026-07-01T00:00:00Z"},
                    {"type": "verified", "upgrade_deadline": "2026-08-01T00:00:00Z"},
                ],
            },
            {"key": R2, "seats": [{"type": "professional", "upgrade_deadline": "2026-01-01T00:00:00Z"}]},
        ],
    },
    {
        "key": LONE,
        "content_type": "courserun",
        "title": "Rain",
        "parent_content_key": "Org+C2",
        "pacing_type": "instructor_paced",
        "seats": [{"type": "verified", "upgrade_deadline": "soon"}],
    },
]


def learner(name: str, customer: str = ACME, **more: Any) -> dict[str, Any]:
    return {"username": name, "customer": customer, **LINKED, **more}


def enrolled(name: str, run: str = R1, customer: str = ACME, **more: Any) -> dict[str, Any]:
    return {
        "username": name,
        "customer": customer,
        "course_id": run,
        "mode": "verified",
        "is_active": True,
        **more,
    }


ADA = learner("ada", email="ada@example.com", remote_ids={"saml-b": "2", "saml-a": "1", "employee_id": "E1"})
RESULTS: dict[str, list[dict[str, Any]]] = {
    "learners": [
        ADA,
        learner("Ada", active=False, linked=False),
        learner("ada", OTHER, email="ada@other.example"),
        learner("new@example.com", email="new@example.com", pending=True),
    ],
    "enrollments": [
        enrolled(
            "ada",
            created="2026-01-05T08:00:00Z",
            unenrolled_at="2026-03-01T00:00:00Z",
            is_active=False,
            consent_granted=True,
            consent_granted_by="learner",
            consent_granted_at="2026-01-05T09:00:00+01:00",
            license_state="activated",
            license_assigned_at="2026-01-01T00:00:00Z",
            license_activated_at="2026-01-02T00:00:00Z",
            license_expires_at="2027-01-01T00:00:00Z",
        ),
        enrolled("ada", R2, mode="audit"),
        enrolled("ada", R1, OTHER),
        enrolled("Ada", LONE, consent="refused"),
        enrolled("new@example.com", LONE),
    ],
    "grades": [
        {
            "username": "ada",
            "course_id": R1,
            "percent": 0.617,
            "letter_grade": "C",
            "passed": False,
            "passed_timestamp": "2026-04-10T10:00:00Z",
            "modified": "2026-04-20T10:00:00Z",
            "incomplete_non_gated_content": 0,
            "subsections": [
                {
                    "subsection_id": "b",
                    "subsection_name": "Übung",
                    "points_possible": 3,
                    "points_earned": 0,
                    "attempted": True,
                },
                {"subsection_id": "a", "points_possible": 0.1, "attempted": False},
            ],
        },
        {"username": "ada", "course_id": R2},
    ],
    "certificates": [
        {
            "username": "ada",
            "course_id": R1,
            "status": "downloadable",
            "is_passing": True,
            "grade": "0.6",
            "created": "2026-04-12T00:00:00Z",
        },
        {"username": "Ada", "course_id": LONE, "status": "generating"},
    ],
}


@pytest.fixture(params=["database", "bundle"])
def make(request, engine, write_bundle):
    def make(**files: list[dict[str, Any]]) -> Source:
        folder = write_bundle(customers=CUSTOMERS, content=CONTENT, **files)
        if request.param == "bundle":
            return BundleSource(folder)
        report = load_bundle(engine, folder)
        assert not report.problems
        return DatabaseSource(engine)

    return make


def ask(question):
    return asyncio.run(question)


def read(source: Source, customer: str = ACME, **options: Any) -> list[list[EnrollmentFacts]]:
    async def pages():
        return [page async for page in source.enrollments(customer, **options)]

    return ask(pages())


def by_key(pages: list[list[EnrollmentFacts]]) -> dict[tuple[str, str], EnrollmentFacts]:
    return {(one.learner.username, one.course.run_key): one for page in pages for one in page}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_everything_that_is_known_comes_along(make):
    found = by_key(read(make(**RESULTS)))
    ada = found["ada", R1]
    assert ada == EnrollmentFacts(
        id=ada.id,
        customer=ACME,
        learner=LearnerFacts(
            username="ada",
            email="ada@example.com",
            active=True,
            linked=True,
            remote_ids={"saml-a": "1", "saml-b": "2", "employee_id": "E1"},
        ),
        course=CourseFacts(
            course_key="Org+C1",
            run_key=R1,
            title="Soil",
            end=utc(2026, 5, 15),
            pacing="self_paced",
            upgrade_deadline=utc(2026, 7, 1),
            estimated_hours=12.5,
            details=CourseDetails(title="Soil"),
        ),
        mode="verified",
        is_active=False,
        created_at=utc(2026, 1, 5, 8),
        unenrolled_at=utc(2026, 3, 1),
        consent=Consent(ConsentState.GRANTED, "learner", utc(2026, 1, 5, 8)),
        license=LicenseFacts(
            state=LicenseState.ACTIVATED,
            assigned_at=utc(2026, 1, 1),
            activated_at=utc(2026, 1, 2),
            expires_at=utc(2027, 1, 1),
        ),
        grade=GradeFacts(
            passed=False,
            percent=Decimal("0.617"),
            letter_grade="C",
            passed_at=utc(2026, 4, 10, 10),
            modified_at=utc(2026, 4, 20, 10),
        ),
        certificate=CertificateFacts(
            status="downloadable", is_passing=True, grade="0.6", created_at=utc(2026, 4, 12)
        ),
        incomplete_count=0,
        subsections=(
            SubsectionFacts(
                subsection_id="b",
                subsection_name="Übung",
                points_possible=Decimal(3),
                points_earned=Decimal(0),
                attempted=True,
            ),
            SubsectionFacts(
                subsection_id="a",
                subsection_name="",
                points_possible=Decimal("0.1"),
                points_earned=None,
                attempted=False,
            ),
        ),
    )


def test_what_is_not_known_is_not_made_up(make):
    found = by_key(read(make(**RESULTS)))
    empty = found["ada", R2]
    assert empty.grade == GradeFacts(passed=None, percent=None)
    assert (empty.certificate, empty.incomplete_count, empty.license, empty.created_at) == (None,) * 4
    assert empty.subsections == ()
    assert empty.consent == Consent(ConsentState.UNKNOWN)
    assert empty.course == CourseFacts(
        course_key="Org+C1", run_key=R2, title="Soil", details=CourseDetails(title="Soil")
    )
    lone = found["Ada", LONE]
    assert lone.grade is None
    assert lone.certificate == CertificateFacts(status="generating", is_passing=None)
    assert lone.course == CourseFacts(
        course_key="Org+C2",
        run_key=LONE,
        title="Rain",
        pacing="instructor_paced",
        details=CourseDetails(title="Rain"),
    )
    assert lone.learner == LearnerFacts(username="Ada", email=None, active=False, linked=False)
    assert found["new@example.com", LONE].learner.pending


def test_a_learner_of_two_customers_is_not_mixed_up(make):
    (only,) = read(make(**RESULTS), OTHER)[0]
    assert (only.customer, only.learner.email, only.learner.remote_ids) == (OTHER, "ada@other.example", {})
    assert only.grade.percent == Decimal("0.617")


def test_pages_in_the_order_of_ids(make):
    names = [f"u{number:03}" for number in range(25)]
    source = make(
        learners=[learner(name) for name in names],
        enrollments=[enrolled(name, run) for name in names for run in (R1, R2)],
    )
    pages = read(source, page_items=20)
    assert [len(page) for page in pages] == [20, 20, 10]
    ids = [one.id for page in pages for one in page]
    assert ids == sorted(set(ids))
    assert read(source) == [[one for page in pages for one in page]]
    assert read(source, OTHER) == []


@pytest.mark.parametrize(
    ("only", "keys"),
    [
        ({"username": "ada"}, {("ada", R1), ("ada", R2)}),
        ({"username": "nobody"}, set()),
        ({"course_run_key": R2}, {("ada", R2)}),
        ({"course_run_key": "Org+C1"}, {("ada", R1), ("ada", R2)}),
        ({"course_run_key": LONE}, {("Ada", LONE), ("new@example.com", LONE)}),
        ({"course_run_key": "Org+None"}, set()),
        ({"username": "Ada", "course_run_key": LONE}, {("Ada", LONE)}),
        ({"username": "Ada", "course_run_key": "Org+C1"}, set()),
    ],
)
def test_one_learner_or_one_course(make, only, keys):
    assert by_key(read(make(**RESULTS), **only)).keys() == keys


def test_without_subsections(make):
    source = make(**RESULTS)
    bare = by_key(read(source, with_subsections=False))
    assert not any(one.subsections for one in bare.values())
    full = by_key(read(source))
    assert bare == {key: one.model_copy(update={"subsections": ()}) for key, one in full.items()}
    assert full["ada", R1].subsections


# -- consent ---------------------------------------------------------------------------------------

IMPLIED = {
    "consent": "implied",
    "consent_granted_by": "contract",
    "consent_granted_at": "2026-01-01T00:00:00Z",
}
HOLDS = Consent(ConsentState.IMPLIED, "contract", utc(2026, 1, 1))
ELSEWHERE = Consent(ConsentState.REFUSED, elsewhere=True)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ({}, "unknown"),
        ({"consent_granted": None}, "unknown"),
        ({"consent_granted": True}, "granted"),
        ({"consent_granted": False}, "refused"),
        ({"consent": "granted"}, "granted"),
        ({"consent": "implied", "consent_granted": True}, "implied"),
        ({"consent": "refused", "consent_granted": False}, "refused"),
        ({"consent": "unanswered", "consent_granted": None}, "unanswered"),
        ({"consent": "unknown"}, "unknown"),
    ],
)
def test_the_states_of_consent(make, line, state):
    source = make(learners=[learner("ada")], enrollments=[enrolled("ada", **line)])
    assert by_key(read(source))["ada", R1].consent == Consent(ConsentState(state))


@pytest.mark.parametrize(
    ("elsewhere", "consent"),
    [
        ({"consent": "granted"}, HOLDS),
        ({"consent": "implied"}, HOLDS),
        ({}, HOLDS),
        ({"consent": "refused"}, ELSEWHERE),
        ({"consent": "unanswered"}, ELSEWHERE),
    ],
)
def test_implied_consent_holds_while_the_learner_objects_nowhere(make, elsewhere, consent):
    source = make(
        learners=[learner("ada"), learner("bo"), learner("ada", OTHER)],
        enrollments=[
            enrolled("ada", R1, **IMPLIED),
            enrolled("ada", R2, **elsewhere),
            enrolled("bo", R2, consent="refused"),
            enrolled("ada", R2, OTHER, consent="refused"),
        ],
    )
    ada = by_key(read(source))["ada", R1]
    assert ada.consent == consent
    assert ask(source.consents([ada.id])) == {ada.id: consent}


def test_consent_that_was_given_stands_beside_a_refusal_elsewhere(make):
    source = make(
        learners=[learner("ada")],
        enrollments=[enrolled("ada", R1, consent="granted"), enrolled("ada", R2, consent="refused")],
    )
    assert by_key(read(source))["ada", R1].consent.allows


def test_consents_names_only_what_is_asked_for_and_there(make):
    source = make(**RESULTS)
    found = by_key(read(source))
    ids = [found["ada", R2].id, found["Ada", LONE].id]
    assert ask(source.consents([*ids, "gone"])) == {
        ids[0]: Consent(ConsentState.UNKNOWN),
        ids[1]: Consent(ConsentState.REFUSED),
    }
    assert ask(source.consents([])) == {}


def test_a_withdrawal_is_seen_when_consents_are_asked_again(engine, write_bundle):
    files = {"learners": [learner("ada")], "enrollments": [enrolled("ada", consent="granted")]}
    load_bundle(engine, write_bundle(customers=CUSTOMERS, content=CONTENT, **files))
    source = DatabaseSource(engine)
    (ada,) = read(source)[0]
    load_bundle(engine, write_bundle(enrollments=[enrolled("ada", consent="refused")]))
    assert ask(source.consents([ada.id]))[ada.id].state is ConsentState.REFUSED


# -- the embedded source ---------------------------------------------------------------------------


@pytest.fixture
def statements(engine):
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    return seen


def test_a_page_costs_a_fixed_handful_of_statements(engine, write_bundle, statements):
    runs = [f"course-v1:Org+X{number}+R" for number in range(150)]
    content = [
        {"key": f"Org+X{number}", "content_type": "course", "course_runs": [{"key": run}]}
        for number, run in enumerate(runs)
    ]
    load_bundle(
        engine,
        write_bundle(
            customers=CUSTOMERS,
            content=content,
            learners=[learner(f"u{number}", remote_ids={"saml": str(number)}) for number in range(10)],
            enrollments=[enrolled(f"u{number}", run) for number in range(10) for run in runs],
            grades=[{"username": f"u{number}", "course_id": run} for number in range(10) for run in runs],
        ),
    )
    counts = {}
    for page_items in (100, 1500):
        statements.clear()
        assert sum(map(len, read(DatabaseSource(engine), page_items=page_items))) == 1500
        counts[page_items] = len(statements)
    assert counts[1500] == 5  # page, identities, subsections, courses, and the empty page at the end
    assert counts[100] <= 15 * 4 + 1
    statements.clear()
    ids = [one.id for page in read(DatabaseSource(engine)) for one in page]
    statements.clear()
    assert len(ask(DatabaseSource(engine).consents(ids))) == 1500
    assert len(statements) == 2  # chunks of 900


def test_the_facts_of_courses_are_kept_within_bounds(engine, write_bundle, statements, monkeypatch):
    monkeypatch.setattr(enrollments, "KEPT_COURSES", 1)
    load_bundle(engine, write_bundle(customers=CUSTOMERS, content=CONTENT, **RESULTS))
    facts = by_key(read(DatabaseSource(engine), page_items=1))
    assert {run: one.course.course_key for (_, run), one in facts.items()} == {
        R1: "Org+C1",
        R2: "Org+C1",
        LONE: "Org+C2",
    }


def test_content_that_cannot_be_read_leaves_the_course_unknown(engine, write_bundle, caplog):
    load_bundle(engine, write_bundle(customers=CUSTOMERS, content=CONTENT, **RESULTS))
    broken = json.dumps({"content_type": "course", "key": "Org+C1", "course_runs": "none"})
    with engine.begin() as connection:
        connection.execute(
            update(source_content).where(source_content.c.content_key == "Org+C1").values(data=broken)
        )
    found = by_key(read(DatabaseSource(engine)))
    assert found["ada", R1].course == CourseFacts(course_key=None, run_key=R1)
    assert found["Ada", LONE].course.course_key == "Org+C2"
    assert "content Org+C1 cannot be read" in caplog.text


def test_a_database_that_fails(engine):
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {source_enrollment.name}"))
    with pytest.raises(SourceError, match="could not read the enrollments"):
        read(DatabaseSource(engine))
    with pytest.raises(SourceError, match="could not read the consents"):
        ask(DatabaseSource(engine).consents(["e"]))


# -- the bundle as a source ------------------------------------------------------------------------


def test_references_that_lead_nowhere(write_bundle):
    source = BundleSource(write_bundle(enrollments=[enrolled("ghost", "course-v1:No+Such+Run")]))
    (ghost,) = read(source)[0]
    assert ghost.learner == LearnerFacts(username="ghost", email=None, active=False, linked=False)
    assert ghost.course == CourseFacts(course_key=None, run_key="course-v1:No+Such+Run")


def test_refused_lines_are_told_once_enrollments_were_asked_for(write_bundle):
    source = BundleSource(
        write_bundle(
            content=CONTENT,
            learners=[ADA, {"username": "bo"}],
            enrollments=[enrolled("ada", created="2026-01-01T00:00:00"), enrolled("ada", R2)],
            grades=[{"username": "ada", "course_id": R2, "percent": 1.7}],
        )
    )
    assert ask(source.problems()) == []
    assert [one.course.run_key for one in read(source)[0]] == [R2]
    assert [(one.file, one.field) for one in ask(source.problems())] == [
        ("learners.jsonl", "customer"),
        ("enrollments.jsonl", "created"),
        ("grades.jsonl", "percent"),
    ]


def test_results_that_cannot_be_read(write_bundle):
    folder = write_bundle(content=CONTENT)
    (folder / "grades.jsonl").mkdir()
    with pytest.raises(SourceError, match=r"cannot be read .*grades\.jsonl"):
        ask(BundleSource(folder).consents(["e"]))

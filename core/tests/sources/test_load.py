from __future__ import annotations

import os
import sqlite3
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, func, select, text

from coursewire.errors import BundleError, DatabaseError
from coursewire.sources.database import load_bundle
from coursewire.sources.sample import sample_bundle
from coursewire.storage.tables import metadata
from coursewire.storage.tables.source import (
    source_catalog_item,
    source_certificate,
    source_content,
    source_course_run,
    source_customer,
    source_enrollment,
    source_grade,
    source_learner,
    source_learner_identity,
    source_subsection_grade,
)

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
RUN = "course-v1:Org+C1+R1"


def all_rows(engine, table, *columns):
    with engine.connect() as connection:
        chosen = [table.c[name] for name in columns] or [table]
        return [tuple(row) for row in connection.execute(select(*chosen).order_by(*table.primary_key))]


def counts(engine):
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table in metadata.sorted_tables
            if table.name.startswith("source_")
        }


def statements(engine):
    seen = Counter()
    event.listen(
        engine, "before_cursor_execute", lambda _c, _cur, statement, *_: seen.update([statement.split()[0]])
    )
    return seen


def test_the_sample_arrives_whole(engine):
    report = load_bundle(engine, sample_bundle())
    assert (report.refused, report.problems, report.warnings) == (0, [], [])
    assert counts(engine) == {
        "source_customer": 2,
        "source_content": 29,
        "source_catalog": 3,
        "source_catalog_item": 62,
        "source_course_run": 37,
        "source_learner": 14,
        "source_learner_identity": 14,
        "source_enrollment": 31,
        "source_grade": 25,
        "source_subsection_grade": 25,
        "source_certificate": 9,
    }


def test_loading_again_writes_nothing(engine, tmp_path):
    load_bundle(engine, sample_bundle())
    engine.dispose()
    before = (tmp_path / "source.db").read_bytes()
    seen = statements(engine)
    report = load_bundle(engine, sample_bundle())
    engine.dispose()
    assert set(seen) == {"SELECT"}
    assert (tmp_path / "source.db").read_bytes() == before
    assert (report.written, report.refused) == (0, 0)
    assert report.files["content"].unchanged == 29


def test_only_what_differs_is_written(engine, write_bundle, lines):
    course = lines["content"]
    courses = [{**course, "key": f"K{number}", "course_runs": []} for number in range(5)]
    load_bundle(engine, write_bundle(content=courses))
    courses[3]["title"] = "Another"
    courses.append({**course, "key": "K5"})
    report = load_bundle(engine, write_bundle(content=courses)).files["content"]
    assert (report.new, report.changed, report.unchanged) == (1, 1, 4)
    titles = dict(all_rows(engine, source_content, "content_key", "title"))
    assert titles == {"K0": "One", "K1": "One", "K2": "One", "K3": "Another", "K4": "One", "K5": "One"}


def test_every_kind_of_line_can_change_with_its_lists(engine, write_bundle, lines):
    lines["learners"]["remote_ids"] = {"saml": "1", "oidc": "2"}
    lines["grades"]["subsections"] = [
        {"subsection_id": name, "points_possible": 10, "points_earned": 3, "attempted": True} for name in "ab"
    ]
    lines["content"]["course_runs"].append({"key": "course-v1:Org+C1+R2"})
    load_bundle(engine, write_bundle(**{name: [line] for name, line in lines.items()}))

    lines["customers"]["name"] = "Acme & Söhne"
    lines["content"]["course_runs"][1]["key"] = "course-v1:Org+C1+R3"
    lines["catalogs"]["title"] = "Some"
    lines["learners"] |= {"remote_ids": {"saml": "9"}, "active": False}
    lines["enrollments"]["consent_granted"] = False
    lines["grades"]["subsections"][1] |= {"subsection_id": "c", "points_earned": 0}
    lines["certificates"]["status"] = "notpassing"
    report = load_bundle(engine, write_bundle(**{name: [line] for name, line in lines.items()}))

    assert {name: (file.changed, file.refused) for name, file in report.files.items()} == dict.fromkeys(
        lines, (1, 0)
    )
    assert all_rows(engine, source_customer, "name") == [("Acme & Söhne",)]
    assert all_rows(engine, source_course_run, "run_key") == [(RUN,), ("course-v1:Org+C1+R3",)]
    assert all_rows(engine, source_learner, "active") == [(False,)]
    assert all_rows(engine, source_learner_identity, "provider", "remote_id") == [("saml", "9")]
    assert all_rows(engine, source_enrollment, "consent_state") == [("refused",)]
    assert all_rows(engine, source_subsection_grade, "subsection_id", "points_earned") == [
        ("a", Decimal(3)),
        ("c", Decimal(0)),
    ]
    assert all_rows(engine, source_certificate, "status") == [("notpassing",)]


def test_a_catalog_line_says_what_the_catalog_holds_now(engine, write_bundle, lines):
    keys = ["K1", "K2", "K3"]
    content = [{"key": key, "content_type": "course"} for key in keys]
    catalog = lines["catalogs"]
    load_bundle(
        engine,
        write_bundle(
            customers=[lines["customers"]], content=content, catalogs=[{**catalog, "content_keys": keys}]
        ),
    )
    report = load_bundle(
        engine, write_bundle(content=content[:1], catalogs=[{**catalog, "content_keys": ["K3", "K1", "K3"]}])
    )
    assert report.files["catalogs"].changed == 1
    assert all_rows(engine, source_catalog_item, "content_key") == [("K1",), ("K3",)]
    # A line that left content.jsonl takes nothing away.
    assert all_rows(engine, source_content, "content_key") == [("K1",), ("K2",), ("K3",)]

    load_bundle(engine, write_bundle(catalogs=[{**catalog, "content_keys": []}]))
    assert all_rows(engine, source_catalog_item) == []


def test_items_without_content_are_allowed_and_told(engine, write_bundle, lines):
    lines["catalogs"]["content_keys"] += ["Z4", "Z1", "Z3", "Z2"]
    report = load_bundle(
        engine, write_bundle(**{name: [lines[name]] for name in ("customers", "content", "catalogs")})
    )
    assert report.refused == 0
    (warning,) = report.warnings
    assert "waits for the content of 4 of its 5 items: Z1, Z2, Z3, ..." in warning
    # They are told again as long as they are missing, changed or not.
    (again,) = load_bundle(engine, write_bundle()).warnings
    assert again == warning


def test_a_stray_file_is_told(engine, write_bundle, lines):
    report = load_bundle(engine, write_bundle(customers=[lines["customers"]], notes=[{}]))
    assert report.warnings == ["notes.jsonl is no file of a bundle and was not read"]


DANGLING = [
    ("catalogs", {"customer": OTHER}, "field 'customer' names a customer that is not known"),
    ("learners", {"customer": OTHER}, "field 'customer' names a customer that is not known"),
    ("enrollments", {"customer": OTHER}, "field 'customer' names a customer that is not known"),
    ("enrollments", {"username": "Ada"}, "field 'username' names nobody who is a learner of this customer"),
    (
        "enrollments",
        {"course_id": "Org+C1"},
        "field 'course_id' names a course run that no content item holds",
    ),
    ("grades", {"username": "eve"}, "field 'course_id' names a course run in which this learner is not"),
    (
        "certificates",
        {"course_id": "R9"},
        "field 'course_id' names a course run in which this learner is not",
    ),
]


@pytest.mark.parametrize(("name", "change", "why"), DANGLING)
def test_a_reference_that_leads_nowhere_refuses_its_line_only(engine, write_bundle, lines, name, change, why):
    files = {each: [line] for each, line in lines.items()}
    files[name] = [b"", {**lines[name], **change}, lines[name]]
    if name == "catalogs":
        files[name][1]["uuid"] = OTHER
    report = load_bundle(engine, write_bundle(**files))
    assert [str(problem).startswith(f"{name}.jsonl:2: {why}") for problem in report.problems] == [True]
    assert report.refused == report.files[name].refused == 1
    assert {each: file.new for each, file in report.files.items()} == dict.fromkeys(lines, 1)


def test_a_catalog_cannot_go_over_to_another_customer(engine, write_bundle, lines):
    customers = [lines["customers"], {"uuid": OTHER, "name": "Other"}]
    load_bundle(engine, write_bundle(customers=customers, catalogs=[lines["catalogs"]]))
    report = load_bundle(engine, write_bundle(catalogs=[{**lines["catalogs"], "customer": OTHER}]))
    assert [str(problem) for problem in report.problems] == [
        "catalogs.jsonl:1: field 'customer' differs from what was loaded before, and must stay as it was"
    ]


def test_references_reach_what_an_earlier_bundle_brought(engine, write_bundle, lines):
    load_bundle(
        engine, write_bundle(**{name: [lines[name]] for name in ("customers", "content", "learners")})
    )
    for file in Path(write_bundle()).iterdir():
        file.unlink()
    assert load_bundle(engine, write_bundle(enrollments=[lines["enrollments"]])).files["enrollments"].new == 1


def test_zero_null_and_missing_stay_apart(engine, write_bundle, lines):
    names = ["zero", "null", "missing", "exact"]
    values = [{"percent": 0}, {"percent": None}, {}, {"percent": 0.617}]
    consents = [{"consent_granted": True}, {"consent_granted": None}, {}, {"consent_granted": False}]
    del lines["grades"]["percent"]
    folder = write_bundle(
        customers=[lines["customers"]],
        content=[lines["content"]],
        learners=[{**lines["learners"], "username": name} for name in names],
        enrollments=[
            {**lines["enrollments"], "username": name, **consent}
            for name, consent in zip(names, consents, strict=True)
        ],
        grades=[
            {**lines["grades"], "username": name, **value} for name, value in zip(names, values, strict=True)
        ],
    )
    assert load_bundle(engine, folder).refused == 0
    assert dict(all_rows(engine, source_grade, "username", "percent")) == {
        "zero": Decimal(0),
        "null": None,
        "missing": None,
        "exact": Decimal("0.617"),
    }
    assert dict(all_rows(engine, source_enrollment, "username", "consent_state")) == {
        "zero": "granted",
        "null": "unknown",
        "missing": "unknown",
        "exact": "refused",
    }


def test_enrollment_ids_do_not_depend_on_the_database(engine, tmp_path, write_bundle, lines):
    folder = write_bundle(
        **{name: [lines[name]] for name in ("customers", "content", "learners", "enrollments")}
    )
    other = create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    metadata.create_all(other)
    load_bundle(engine, folder)
    load_bundle(other, folder)
    assert all_rows(engine, source_enrollment, "id") == all_rows(other, source_enrollment, "id")
    other.dispose()


def test_statements_do_not_grow_with_the_lines_of_a_page(engine, write_bundle):
    seen = statements(engine)

    def course(number):
        runs = [{"key": f"K{number:04}+{run}"} for run in "ab"]
        return {"key": f"K{number:04}", "content_type": "course", "course_runs": runs}

    load_bundle(engine, write_bundle(content=[course(number) for number in range(20)]))
    assert dict(seen) == {"SELECT": 1, "INSERT": 2}
    seen.clear()
    load_bundle(engine, write_bundle(content=[course(number) for number in range(1300)]))
    assert dict(seen) == {"SELECT": 3, "INSERT": 6}


def test_progress_tells_file_lines_done_and_lines_in_all(engine, write_bundle, lines):
    content = [{"key": f"K{number}", "content_type": "course"} for number in range(700)]
    told = []
    load_bundle(
        engine,
        write_bundle(customers=[lines["customers"]], content=content),
        progress=lambda *step: told.append(step),
    )
    assert told == [("customers", 1, 1), ("content", 500, 700), ("content", 700, 700)]


def test_a_report_does_not_grow_with_the_number_of_bad_lines(engine, write_bundle):
    report = load_bundle(engine, write_bundle(content=[b"{"] * 1205))
    assert (report.refused, len(report.problems)) == (1205, 1000)
    assert str(report.problems[-1]).startswith("content.jsonl:1000: is not JSON")


def test_a_locked_database_is_told_with_its_lines(engine, tmp_path, write_bundle, lines):
    holder = sqlite3.connect(tmp_path / "source.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseError, match=r"customers\.jsonl, lines 1 to 1\): database is locked"):
        load_bundle(engine, write_bundle(customers=[lines["customers"]]))
    holder.execute("ROLLBACK")
    holder.close()
    assert load_bundle(engine, write_bundle()).files["customers"].new == 1


def test_what_came_before_a_failure_stays(engine, write_bundle, lines):
    folder = write_bundle(**{name: [line] for name, line in lines.items()})
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE source_subsection_grade"))
    lines["grades"]["subsections"] = [
        {"subsection_id": "secret-name", "points_possible": 1, "attempted": True}
    ]
    with pytest.raises(DatabaseError) as caught:
        load_bundle(engine, write_bundle(grades=[lines["grades"]]))
    assert "grades.jsonl, lines 1 to 1): no such table" in str(caught.value)
    assert "secret-name" not in str(caught.value)
    assert all_rows(engine, source_enrollment, "username") == [("ada",)]
    assert all_rows(engine, source_grade) == []  # the page is one transaction

    metadata.create_all(engine)
    assert load_bundle(engine, folder).written == 2


def test_a_bundle_that_is_not_there(engine, tmp_path):
    with pytest.raises(BundleError):
        load_bundle(engine, tmp_path / "nowhere")


def test_a_real_catalogue(engine):
    here = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "edx-2020"
    folder = Path(os.environ.get("COURSEWIRE_TEST_BUNDLE", here))
    if not folder.is_dir():
        pytest.skip("no large bundle: set COURSEWIRE_TEST_BUNDLE to the folder of one")
    report = load_bundle(engine, folder)
    assert report.refused == 0, [str(problem) for problem in report.problems[:5]]
    assert report.files["content"].new == counts(engine)["source_content"] > 0
    assert load_bundle(engine, folder).written == 0

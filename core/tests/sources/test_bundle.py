from __future__ import annotations

import json

import pytest

from coursewire.errors import BundleError
from coursewire.sources.bundle import Bundle, Problem

ACME = "11111111-1111-4111-8111-111111111111"


def read(folder, name):
    return [row for _, row in Bundle(folder).rows(name)]


def only_problem(folder, name):
    (found,) = read(folder, name)
    assert isinstance(found, Problem), found
    return str(found)


# -- the folder ------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(BundleError, match=r"cannot be opened .*nowhere.* Give a folder"):
        Bundle(tmp_path / "nowhere")


def test_a_file_instead_of_a_folder(tmp_path):
    (tmp_path / "content.jsonl").write_text("{}")
    with pytest.raises(BundleError, match="cannot be opened"):
        Bundle(tmp_path / "content.jsonl")


def test_a_folder_without_any_file_names_what_it_may_have(tmp_path):
    with pytest.raises(BundleError, match=r"empty.*catalogs\.jsonl, certificates\.jsonl, content\.jsonl"):
        Bundle(tmp_path)


def test_a_misspelt_file_name_is_recognised(tmp_path):
    (tmp_path / "contents.jsonl").write_text("{}")
    with pytest.raises(BundleError, match=r"Did you mean content\.jsonl\?"):
        Bundle(tmp_path)


def test_files_come_in_the_order_in_which_they_refer_to_each_other(write_bundle, lines):
    folder = write_bundle(**{name: [line] for name, line in reversed(lines.items())}, extra=[{}])
    bundle = Bundle(folder)
    assert bundle.files == (
        "customers",
        "content",
        "catalogs",
        "learners",
        "enrollments",
        "grades",
        "certificates",
    )
    assert bundle.unknown_files == ("extra.jsonl",)


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "content.jsonl").mkdir()
    with pytest.raises(BundleError, match=r"cannot be read .*content\.jsonl.* Check that it is a file"):
        read(tmp_path, "content")


@pytest.mark.parametrize(("data", "count"), [(b"", 0), (b"{}", 1), (b"{}\n", 1), (b"{}\n\n{}", 3)])
def test_lines_are_counted(tmp_path, data, count):
    (tmp_path / "content.jsonl").write_bytes(data)
    assert Bundle(tmp_path).count_lines("content") == count


# -- sound lines -----------------------------------------------------------------------------------


def test_every_file_has_its_sound_line(write_bundle, lines):
    folder = write_bundle(**{name: [line] for name, line in lines.items()})
    for name in lines:
        (row,) = read(folder, name)
        assert not isinstance(row, Problem), str(row)


def test_byte_order_mark_blank_lines_and_carriage_returns_are_tolerated(write_bundle, lines):
    line = json.dumps(lines["content"]).encode()
    folder = write_bundle(content=[b"\xef\xbb\xbf" + line + b"\r", b"", b"  \r", line.replace(b"C1", b"C2")])
    bundle = Bundle(folder)
    rows = list(bundle.rows("content"))
    assert [(number, row.item.content_key) for number, row in rows] == [(1, "Org+C1"), (4, "Org+C2")]
    again = bundle.content_at([rows[1][1].offset, rows[0][1].offset])
    assert [row.item.content_key for row in again] == ["Org+C2", "Org+C1"]


def test_a_blank_first_line_with_a_byte_order_mark_is_blank(write_bundle, lines):
    folder = write_bundle(customers=[b"\xef\xbb\xbf", lines["customers"]])
    assert [row.uuid for row in read(folder, "customers")] == [ACME]


def test_content_keeps_fields_that_nobody_knows(write_bundle, lines):
    folder = write_bundle(content=[{**lines["content"], "brand_new": [1, None]}])
    (row,) = read(folder, "content")
    assert row.data["brand_new"] == [1, None]
    assert row.item.get("brand_new") == [1, None]


def test_runs_are_those_of_a_course_or_the_run_itself(write_bundle):
    folder = write_bundle(
        content=[
            {"content_type": "course", "key": "C", "course_runs": [{"key": "R1"}, {"title": "no key"}]},
            {"content_type": "course", "key": "D", "course_runs": None},
            {"content_type": "courserun", "key": "R9"},
            {"content_type": "program", "uuid": "P", "courses": [{"key": "C"}]},
        ]
    )
    assert [row.run_keys for row in read(folder, "content")] == [("R1",), (), ("R9",), ()]


def test_versions_follow_the_data_and_not_its_order(write_bundle, lines):
    course = lines["content"]
    turned = dict(reversed(course.items()))
    (first,) = read(write_bundle(content=[course]), "content")
    (same,) = read(write_bundle(content=[turned]), "content")
    (other,) = read(write_bundle(content=[{**course, "outcome": "x"}]), "content")
    assert first.version == same.version != other.version


def test_any_zone_arrives_as_the_same_instant_and_uuids_in_one_spelling(write_bundle, lines):
    catalog = lines["catalogs"]
    forms = ["2026-03-01T01:00:00+05:30", "2026-02-28T19:30:00Z"]
    rows = [
        read(write_bundle(catalogs=[{**catalog, "modified": form, "customer": ACME.upper()}]), "catalogs")[0]
        for form in forms
    ]
    assert rows[0] == rows[1]
    assert rows[0].customer == ACME


# -- refused lines ---------------------------------------------------------------------------------

NOT_AN_OBJECT = [
    (b"", "is not JSON"),
    (b"{", "is not JSON"),
    (b"nonsense", "is not JSON"),
    (b"[1]", "is not a JSON object"),
    (b'"text"', "is not a JSON object"),
    (b"NaN", "is not"),
    (b'{"key": "caf\xe9"}', "is not UTF-8: byte 0xe9 at column 13"),
    ('{"key": "A"}'.encode("utf-16"), "is not UTF-8: byte 0xff at column 1"),
]


@pytest.mark.parametrize("name", ["content", "customers", "grades"])
@pytest.mark.parametrize(("line", "why"), NOT_AN_OBJECT[1:])
def test_a_line_that_is_no_object(write_bundle, name, line, why):
    folder = write_bundle(**{name: [line.replace(b"\n", b"")]})
    assert only_problem(folder, name).startswith(f"{name}.jsonl:1: {why}")


LONG = "x" * 256
REFUSED = [
    ("customers", {"uuid": None}, "field 'uuid' should be a valid string"),
    ("customers", {"uuid": "acme"}, "field 'uuid' badly formed hexadecimal UUID string"),
    ("customers", {"active": "yes"}, "field 'active' should be a valid boolean"),
    ("customers", {"country": "Germany"}, "field 'country' string should match pattern"),
    ("customers", {"enforce_data_sharing_consent": "never"}, "field 'enforce_data_sharing_consent' should"),
    (
        "customers",
        {"identity_providers": [{"provider_id": "a", "x": 1}]},
        "field 'identity_providers.0.x' is unknown",
    ),
    ("customers", {"nmae": "A"}, "field 'nmae' is unknown; this version of Coursewire would ignore it"),
    ("customers", {"name": "a\0b"}, "field 'name' holds the character U+0000"),
    ("catalogs", {"content_keys": None}, "field 'content_keys' should be a valid"),
    ("catalogs", {"content_keys": ["a", LONG]}, "field 'content_keys.1' string should have at most 255"),
    ("catalogs", {"modified": "yesterday"}, "field 'modified' should be a valid datetime"),
    ("catalogs", {"modified": "2026-03-01T00:00:00"}, "field 'modified' has no time zone; write it with an"),
    ("catalogs", {"modified": "2026-03-01"}, "field 'modified'"),
    ("catalogs", {"modified": "9999-12-31T23:00:00-05:00"}, "field 'modified' this time lies outside"),
    ("content", {"key": None}, "field 'key' is missing"),
    ("content", {"key": LONG}, "field 'key' string should have at most 255 characters"),
    ("content", {"key": " C1"}, "field 'key' begins or ends with white space"),
    ("content", {"content_type": None}, "field 'content_type' is missing"),
    ("content", {"content_type": "video"}, "field 'content_type' should be 'course', 'courserun'"),
    ("content", {"content_type": "program"}, "field 'uuid' is missing"),
    ("content", {"title": "a\0"}, "field 'title' holds the character U+0000"),
    (
        "content",
        {"course_runs": [{"key": "R"}, {"key": LONG}]},
        "field 'course_runs.1.key' string should have",
    ),
    (
        "content",
        {"course_runs": [{"weeks_to_complete": "many"}]},
        "field 'course_runs.0.weeks_to_complete",
    ),
    ("learners", {"username": ""}, "field 'username' string should have at least 1 character"),
    ("learners", {"username": "ada "}, "field 'username' begins or ends with white space"),
    ("learners", {"remote_ids": {"": "x"}}, "field 'remote_ids"),
    ("learners", {"remote_ids": {"saml": None}}, "field 'remote_ids.saml' should be a valid string"),
    ("enrollments", {"mode": ""}, "field 'mode' string should have at least 1 character"),
    ("enrollments", {"consent_granted": "true"}, "field 'consent_granted' should be a valid boolean"),
    ("enrollments", {"consent_granted": 1}, "field 'consent_granted' should be a valid boolean"),
    ("enrollments", {"consent": "maybe"}, "field 'consent' should be"),
    (
        "enrollments",
        {"consent": "refused", "consent_granted": True},
        "field 'consent' contradicts consent_granted",
    ),
    ("enrollments", {"consent": "implied", "consent_granted": False}, "field 'consent' contradicts"),
    ("enrollments", {"consent": "unanswered", "consent_granted": False}, "field 'consent' contradicts"),
    ("enrollments", {"unenrolled_at": "2026-01-01T00:00:00"}, "field 'unenrolled_at' has no time zone"),
    ("enrollments", {"license_state": "sold"}, "field 'license_state' should be"),
    ("enrollments", {"license_expires_at": "2026-01-01"}, "field 'license_expires_at'"),
    ("learners", {"pending": True}, "field 'pending' is true, so that username must be the e-mail address"),
    (
        "learners",
        {"pending": True, "username": "a@b.example", "email": "a@b.example", "remote_ids": {"saml": "1"}},
        "field 'pending' is true, and without an account there are no remote ids",
    ),
    ("grades", {"percent": 1.7}, "field 'percent' should be less than or equal to 1"),
    ("grades", {"percent": -0.1}, "field 'percent' should be greater than or equal to 0"),
    ("grades", {"percent": "lots"}, "field 'percent' should be a valid decimal"),
    (
        "grades",
        {"incomplete_non_gated_content": 2**31},
        "field 'incomplete_non_gated_content' should be less",
    ),
    (
        "grades",
        {"subsections": [{"subsection_id": "w1", "points_possible": 1, "attempted": True}] * 2},
        "field 'subsections' names a subsection twice",
    ),
    ("certificates", {"grade": 0.6}, "field 'grade' should be a valid string"),
]


@pytest.mark.parametrize(("name", "change", "why"), REFUSED)
def test_a_bad_field_is_named_and_its_value_is_not(write_bundle, lines, name, change, why):
    folder = write_bundle(**{name: [b"", {**lines[name], **change}]})
    problem = only_problem(folder, name)
    assert problem.startswith(f"{name}.jsonl:2: {why}")
    assert LONG not in problem


REQUIRED = [
    ("customers", "uuid"),
    ("customers", "name"),
    ("catalogs", "customer"),
    ("catalogs", "content_keys"),
    ("content", "key"),
    ("content", "content_type"),
    ("learners", "active"),
    ("learners", "linked"),
    ("enrollments", "mode"),
    ("enrollments", "is_active"),
    ("grades", "course_id"),
    ("certificates", "status"),
]


@pytest.mark.parametrize(("name", "field"), REQUIRED)
def test_a_missing_field_is_named(write_bundle, lines, name, field):
    del lines[name][field]
    folder = write_bundle(**{name: [lines[name]]})
    assert only_problem(folder, name) == f"{name}.jsonl:1: field {field!r} is missing"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("content", "key"),
        ("customers", "uuid"),
        ("learners", "username, customer"),
        ("grades", "username, course_id"),
    ],
)
def test_the_second_of_two_lines_with_one_key_is_refused(write_bundle, lines, name, fields):
    folder = write_bundle(**{name: [lines[name], b"{", lines[name]]})
    first, _, second = read(folder, name)
    assert not isinstance(first, Problem)
    assert str(second) == f"{name}.jsonl:3: field {fields!r} repeats line 1"


def test_nesting_without_end_is_refused(write_bundle, lines):
    deep: list[object] = []
    for _ in range(300):
        deep = [deep]
    folder = write_bundle(content=[{**lines["content"], "deep": deep}])
    assert "cannot be kept" in only_problem(folder, "content")


def test_a_date_of_content_that_no_calendar_holds_counts_as_missing(write_bundle, lines):
    folder = write_bundle(content=[{**lines["content"], "end": "9999-12-31T23:59:59-12:00"}])
    (row,) = read(folder, "content")
    assert row.item.end is None


def test_one_bad_line_costs_only_itself(write_bundle, lines):
    other = {**lines["content"], "key": "Org+C2"}
    folder = write_bundle(content=[lines["content"], b"{", other])
    rows = read(folder, "content")
    assert [isinstance(row, Problem) for row in rows] == [False, True, False]


def test_a_file_that_changes_while_it_is_read(write_bundle, lines):
    folder = write_bundle(content=[lines["content"]])
    bundle = Bundle(folder)
    offsets = [row.offset for _, row in bundle.rows("content")]
    write_bundle(content=[b"{"])
    with pytest.raises(BundleError, match="changed while it was read"):
        bundle.content_at(offsets)


def test_a_bad_subsection_costs_that_subsection_and_not_the_grade(write_bundle, lines):
    good = {"subsection_id": "w1", "points_possible": 10, "points_earned": 9, "attempted": True}
    bad = [
        good | {"subsection_id": "w2", "points_possible": -1},
        good | {"subsection_id": "w3", "attempted": 7},
    ]
    folder = write_bundle(grades=[{**lines["grades"], "percent": 0.9, "subsections": [bad[0], good, bad[1]]}])
    *problems, grade = [row for _, row in Bundle(folder).rows("grades")]
    assert [(problem.line, problem.field) for problem in problems] == [
        (1, "subsections.0.points_possible"),
        (1, "subsections.2.attempted"),
    ]
    assert (str(grade.percent), [one.subsection_id for one in grade.subsections]) == ("0.9", ["w1"])


@pytest.mark.parametrize(
    ("percent", "read"),
    [(1.0000000000000002, "1"), (-1e-17, "0"), (0.30000000000000004, "0.30000000000000004"), (1, "1")],
)
def test_an_artefact_at_the_ends_of_the_scale_is_none(write_bundle, lines, percent, read):
    folder = write_bundle(grades=[{**lines["grades"], "percent": percent}])
    ((_, grade),) = Bundle(folder).rows("grades")
    assert str(grade.percent) == read

"""What leaves for Canvas, field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem
from coursewire.model.payload import canonical_json
from coursewire_canvas import plugin

LINK = "https://learn.example.org/enroll/BOT101/"


def item(**fields: Any) -> ContentItem:
    usual = {
        "content_type": "courserun",
        "key": "course-v1:RiverU+BOT101+2024T2",
        "title": "Botany",
        "enrollment_url": LINK,
    }
    return ContentItem.model_validate({**usual, **fields})


def course(**fields: Any) -> dict[str, Any]:
    return plugin.export_content(item=item(**fields))["course"]


@pytest.mark.parametrize(
    "written",
    [
        "2024-04-01T00:00:00Z",
        "2024-04-01T00:00:00.123456Z",
        "2024-04-01T02:00:00+02:00",
        "2024-03-31T19:00:00-05:00",
        "2024-04-01T00:00:00",
    ],
)
def test_every_form_of_a_date_is_the_same_instant_in_utc(written: str) -> None:
    sent = course(start=written, end=written)

    assert sent["start_at"] == sent["end_at"] == "2024-04-01T00:00:00Z"
    assert sent["syllabus_body"].endswith(
        "Starts: Mon Apr 01 2024 00:00:00<br />Ends: Mon Apr 01 2024 00:00:00"
    )


@pytest.mark.parametrize("minutes", range(-14 * 60, 14 * 60, 97))
def test_an_instant_is_sent_as_such_from_any_zone(minutes: int) -> None:
    instant = datetime(2024, 12, 31, 23, 30, tzinfo=timezone(timedelta(minutes=minutes)))

    assert datetime.fromisoformat(course(start=instant)["start_at"]) == instant


@pytest.mark.parametrize("missing", [None, "", "soon"])
def test_a_date_that_is_missing_or_unreadable_is_na(missing: str | None) -> None:
    sent = course(start=missing, end=missing)

    assert "start_at" not in sent
    assert "end_at" not in sent
    assert sent["syllabus_body"].endswith("Starts: N/A<br />Ends: N/A")


def test_the_full_description_is_sent_up_to_two_thousand_characters_with_the_link() -> None:
    longest = "x" * (2000 - len(LINK))

    fits = course(full_description=longest, short_description="short")
    above = course(full_description=longest + "x", short_description="short")

    assert f"<br />{longest} <br />" in fits["syllabus_body"]
    assert "<br />short <br />" in above["syllabus_body"]


@pytest.mark.parametrize("absent", [{}, {"short_description": None}, {"short_description": ""}])
def test_without_a_description_the_title_is_the_text(absent: dict[str, Any]) -> None:
    assert "<br />Botany <br />" in course(full_description="", **absent)["syllabus_body"]


def test_executive_education_without_a_full_description_has_no_notice() -> None:
    sent = course(course_type="executive-education-2u", short_description="Lead.")

    assert "<br />Lead. <br />" in sent["syllabus_body"]
    assert sent["name"] == "ExecEd: Botany"


@pytest.mark.parametrize("absent", [{}, {"full_description": ""}])
def test_what_a_description_could_run_in_a_browser_is_left_out(absent: dict[str, Any]) -> None:
    text = '<p onclick="run()">Fish</p><script>run()</script>'
    syllabus = course(**{"full_description": text, "short_description": text, **absent})["syllabus_body"]

    assert "<p>Fish</p>" in syllabus
    assert "run()" not in syllabus


def test_a_harmless_description_stays_the_html_that_it_is() -> None:
    text = "<p>Fish &amp; chips &lt;3</p>"

    assert text in course(full_description=text)["syllabus_body"]


def test_a_long_name_is_cut_between_words() -> None:
    words = course(title="Botany " * 60)["name"]
    unbroken = course(title="植" * 300)["name"]

    assert words == " ".join(["Botany"] * 36) + "…"
    assert unbroken == "植" * 254 + "…"
    assert course(title="x" * 255)["name"] == "x" * 255


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"enrollment_url": None}, "enrollment_url"),
        ({"key": "k" * 256}, "key"),
    ],
)
def test_an_item_without_what_canvas_needs_waits_with_the_field(
    fields: dict[str, Any], at_fault: str
) -> None:
    with pytest.raises(NotExportableError) as refusal:
        course(**fields)

    assert refusal.value.field == at_fault


def test_nothing_in_the_payload_depends_on_when_it_is_made() -> None:
    first = course(content_last_modified=datetime(2024, 1, 1, tzinfo=UTC), enrollment_start="2024-01-01")
    second = course(content_last_modified=datetime(2025, 1, 1, tzinfo=UTC), enrollment_start="2025-01-01")

    assert canonical_json(first) == canonical_json(second)


def test_programs_and_pathways_are_not_declared() -> None:
    types = plugin.declare_channel().capabilities.content_types

    assert {kind.value for kind in types} == {"course", "courserun"}

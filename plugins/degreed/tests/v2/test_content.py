"""What leaves for Degreed's API v2, field by field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment
from coursewire_degreed.v2 import plugin
from coursewire_degreed.v2.config import Degreed2Config

NOW = datetime(2031, 2, 1, 12, tzinfo=UTC)
GOOD = {"client_id": "a", "client_secret": "b", "degreed_base_url": "https://api.degreed.com"}
FIGURES = {"min_effort": 2, "max_effort": 3, "weeks_to_complete": 5}


def payload(config=None, **fields):
    usual = {"content_type": "course", "key": "BrackenX+TIDE101", "title": "Tides"}
    item = ContentItem.model_validate({**usual, **fields})
    made = Degreed2Config.model_validate({**GOOD, **(config or {})})
    return plugin.export_content(config=made, item=item, moment=Moment(NOW))


def attributes(config=None, **fields):
    return payload(config, **fields)["data"]["attributes"]


@pytest.mark.parametrize(
    ("figures", "hours"),
    [
        ({}, 13),
        ({"min_effort": 1, "max_effort": 1, "weeks_to_complete": 1}, 1),
        ({"min_effort": 2.5, "max_effort": 3}, 14),
        ({"min_effort": None}, 0),
        ({"max_effort": 0}, 0),
        ({"weeks_to_complete": None}, 0),
        ({"weeks_to_complete": -1}, 0),
    ],
)
def test_hours_are_rounded_up_and_zero_where_a_figure_is_missing(figures, hours):
    sent = attributes(course_runs=[{**FIGURES, **figures}])

    assert (sent["duration"], sent["duration-type"]) == (hours, "Hours")
    assert ("hours a week" in sent["summary"]) is bool(hours)


def test_the_nearest_run_speaks_for_a_course_and_the_advertised_one_before_it():
    last = {"uuid": "a", "start": "2031-01-02T00:00:00Z", **FIGURES, "content_language": "de-de"}
    future = {
        "uuid": "b",
        "start": "2032-02-01T00:00:00Z",
        "min_effort": 1,
        "max_effort": 1,
        "weeks_to_complete": 1,
    }

    assert attributes(course_runs=[future, last])["duration"] == 13
    assert attributes(course_runs=[future, last])["language"] == "de"
    advertised = attributes(course_runs=[future, last], advertised_course_run_uuid="b")
    assert (advertised["duration"], advertised["language"]) == (1, "en")


@pytest.mark.parametrize(
    ("written", "language"),
    [("pt-br", "pt"), ("zh_Hans", "zh"), ("en", "en"), ("", "en"), (None, "en"), ("English", "English")],
)
def test_the_language_is_that_of_the_run_without_its_region(written, language):
    assert attributes(course_runs=[{"content_language": written}])["language"] == language
    assert attributes(content_type="courserun", content_language=written)["language"] == language
    assert attributes(content_language=written)["language"] == "en"


@pytest.mark.parametrize("length", [1999, 2000, 2001, 5000])
def test_a_summary_is_cut_above_two_thousand_characters_and_after_tags_are_gone(length):
    summary = attributes(full_description=f"<p>{'x' * (length - 5)}</p><b>&amp;end</b>")["summary"]

    whole = "x" * (length - 5) + " &end"
    assert summary == (whole if length <= 2000 else whole[:1997] + "...")


def test_the_text_is_the_first_that_is_not_empty_with_its_markup_gone():
    assert attributes(full_description="<p> </p>", short_description="<i>Short</i>")["summary"] == "Short"
    assert attributes(full_description=None, short_description="")["summary"] == "Tides"
    assert attributes(course_runs=[FIGURES])["summary"] == "2-3 hours a week for 5 weeks. Tides"


@pytest.mark.parametrize("owners", [None, [], [{"name": None}], [{}], ["text"], "text"])
def test_owners_without_names_leave_no_trace(owners):
    assert attributes(owners=owners)["summary"] == "Tides"


def test_the_price_is_that_of_the_advertised_run_and_only_where_it_is_shown():
    runs = [
        {"uuid": "a", "first_enrollable_paid_seat_price": 49.5},
        {"uuid": "b", "first_enrollable_paid_seat_price": 79},
    ]
    shown = {"show_course_price": True}

    assert attributes(shown, course_runs=runs, advertised_course_run_uuid="a")["cost-units"] == 50
    assert attributes(shown, course_runs=runs, advertised_course_run_uuid="b")["cost-units"] == 79
    assert attributes(shown, course_runs=[])["cost-units"] == 0
    assert attributes(course_runs=runs, advertised_course_run_uuid="b")["cost-units"] == 0
    assert attributes(shown)["cost-unit-type"] == "USD"


@pytest.mark.parametrize("video", [None, "text", {}, {"src": None}])
def test_a_video_may_be_missing(video):
    assert attributes(video=video)["video-url"] is None


@pytest.mark.parametrize("names", [None, [], "text", [None, " "]])
def test_without_skills_there_are_none(names):
    assert "skills" not in payload(skill_names=names)


def test_skills_have_no_order_and_no_doubles():
    first, second = payload(skill_names=["b", "a", "b "]), payload(skill_names=["a", "b"])

    assert first == second
    assert first["skills"] == {"data": [{"type": "skills", "id": "a"}, {"type": "skills", "id": "b"}]}


@pytest.mark.parametrize("title", [None, "", "  "])
def test_an_item_without_a_title_waits_with_the_field(title):
    with pytest.raises(NotExportableError) as refusal:
        payload(title=title)

    assert refusal.value.field == "title"


def test_a_missing_link_is_left_out():
    assert "url" not in attributes(enrollment_url=None)


def test_a_retirement_marks_the_course_or_carries_nothing():
    def body(**fields):
        made = Degreed2Config.model_validate({**GOOD, **fields})
        return plugin.export_retirement(config=made)

    assert body() == {"data": {"type": "content/courses", "attributes": {"obsolete": True}}}
    assert body(retire_strategy="delete") == {}

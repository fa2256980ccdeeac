"""What leaves for Degreed's API v1, field by field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment
from coursewire_degreed.v1 import plugin

NOW = datetime(2031, 2, 1, 12, tzinfo=UTC)
FIGURES = {"min_effort": 2, "max_effort": 3, "weeks_to_complete": 5}
PHRASE = "2-3 hours a week for 5 weeks. "


def payload(**fields):
    usual = {"content_type": "course", "key": "BrackenX+TIDE101", "title": "Tides"}
    item = ContentItem.model_validate({**usual, **fields})
    return plugin.export_content(item=item, moment=Moment(NOW))


@pytest.mark.parametrize(("length", "used"), [(2000, True), (2001, False)])
def test_the_full_description_is_sent_where_it_and_the_phrase_fit(length, used):
    full = "x" * (length - len(PHRASE))

    sent = payload(full_description=f"<p>{full}</p>", short_description="Short", course_runs=[FIGURES])

    assert sent["description"] == PHRASE + (full if used else "Short")


def test_the_other_texts_have_the_same_limit():
    sent = payload(full_description="x" * 2001, short_description="y" * 3000, course_runs=[FIGURES])

    assert sent["description"] == PHRASE + "y" * (1997 - len(PHRASE)) + "..."
    assert payload(short_description="", title="z" * 2001)["description"] == "z" * 1997 + "..."


def test_nothing_but_a_title_is_the_title():
    assert payload(course_runs=[])["description"] == "Tides"
    assert payload(full_description="<br>", short_description="&nbsp;")["description"] == "Tides"


def test_markup_goes_and_words_stay_apart():
    sent = payload(
        short_description="<p>Tides &amp; currents</p><p>for <b>boats</b>&nbsp;and &#8220;kayaks&#8221;</p>"
    )

    assert sent["description"] == "Tides & currents for boats and “kayaks”"


def test_the_phrase_is_that_of_the_nearest_run():
    runs = [
        {"start": "2032-02-01T00:00:00Z", "min_effort": 9, "max_effort": 9, "weeks_to_complete": 9},
        {"start": "2031-01-01T00:00:00Z", **FIGURES},
    ]

    assert payload(course_runs=runs)["description"] == PHRASE + "Tides"
    assert payload(course_runs=[{**FIGURES, "max_effort": None}])["description"] == "Tides"


@pytest.mark.parametrize(
    ("written", "language"), [("pt-br", "pt"), (None, "en"), ("", "en"), ("es-419", "es")]
)
def test_the_language_is_that_of_the_run(written, language):
    assert payload(content_type="courserun", content_language=written)["language"] == language
    assert payload(course_runs=[{"content_language": written}])["language"] == language
    assert payload(content_language=written)["language"] == "en"


def test_a_program_has_its_uuid_and_its_card_image():
    sent = payload(content_type="program", uuid="u-1", key=None, card_image_url="card", image_url="image")

    assert (sent["contentId"], sent["imageUrl"], sent["language"]) == ("u-1", "card", "en")


def test_an_item_without_a_title_waits_and_one_without_a_link_goes():
    assert "url" not in payload(enrollment_url="")
    with pytest.raises(NotExportableError) as refusal:
        payload(title=" ")
    assert refusal.value.field == "title"


def test_a_deletion_names_the_course_alone():
    assert plugin.export_retirement(confirmed=payload()) == {"contentId": "BrackenX+TIDE101"}
    assert plugin.export_retirement(confirmed={}) == {}

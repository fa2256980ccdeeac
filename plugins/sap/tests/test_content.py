"""Payloads: the rules behind the golden pairs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment
from coursewire_sap import plugin
from coursewire_sap.locales import NAMES, locale_name

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def export(config, item, now=NOW):
    return plugin.export_content(config=config, item=ContentItem.model_validate(item), moment=Moment(now))


def course(*runs, **fields):
    return {
        "content_type": "course",
        "key": "OrchardX+CS210",
        "title": "Sorting",
        "enrollment_url": "https://lms.example.org/e/1",
        "course_runs": list(runs),
        **fields,
    }


OPEN_RUN = {
    "uuid": "r1",
    "start": "2026-01-15T00:00:00Z",
    "end": "2026-06-15T00:00:00Z",
    "availability": "Current",
    "status": "published",
}


@pytest.mark.parametrize("field", ["title", "enrollment_url"])
@pytest.mark.parametrize("value", [None, "", "   "])
def test_what_sap_demands_is_checked_for_each_item(field, value, make_config):
    if (field, value) == ("enrollment_url", "   "):
        value = None
    with pytest.raises(NotExportableError) as caught:
        export(make_config(), course(OPEN_RUN, **{field: value}))

    assert caught.value.field == field
    assert caught.value.why
    assert caught.value.next_step


@pytest.mark.parametrize(
    "run",
    [
        {**OPEN_RUN, "end": None},
        {**OPEN_RUN, "start": None},
        {**OPEN_RUN, "end": "some day"},
        {**OPEN_RUN, "end": "2025-12-15T00:00:00Z"},
    ],
    ids=["no-end", "no-start", "unreadable", "reversed"],
)
def test_no_schedule_without_two_good_dates(run, make_config):
    assert export(make_config(), course(run))["schedule"] == []


def test_no_schedule_and_no_prefix_without_a_run(make_config):
    payload = export(make_config(), course(short_description="Short"))

    assert payload["schedule"] == []
    assert payload["description"][0]["value"] == "Short"


@pytest.mark.parametrize(
    ("changes", "prefix"),
    [
        ({}, "Starts: January 2026, Ends: June 2026. "),
        ({"pacing_type": "self_paced"}, "Pacing: Self-Paced. Starts: January 2026, Ends: June 2026. "),
        ({"pacing_type": "other"}, "Starts: January 2026, Ends: June 2026. "),
        ({"start": None}, "Ends: June 2026. "),
        ({"end": None}, "Starts: January 2026. "),
        ({"start": None, "end": None}, ""),
        ({"status": "unpublished"}, "Starts: January 2026, Ends: June 2026. Enrollment is closed. "),
    ],
)
def test_description_prefix(changes, prefix, make_config):
    payload = export(make_config(), course({**OPEN_RUN, **changes}, full_description="Full"))

    assert payload["description"] == [{"locale": "English", "value": f"{prefix}Full"}]


def test_schedule_is_active_only_while_the_run_is_open(make_config):
    closed = export(make_config(), course({**OPEN_RUN, "enrollment_end": "2026-02-01T00:00:00Z"}))
    still_open = export(make_config(), course({**OPEN_RUN, "enrollment_end": "2026-03-02T00:00:00Z"}))

    assert closed["schedule"][0]["active"] is False
    assert still_open["schedule"][0]["active"] is True


def test_title_of_a_closed_course_run(make_config):
    payload = export(
        make_config(),
        {
            **OPEN_RUN,
            "content_type": "courserun",
            "key": "r",
            "title": "Sorting",
            "enrollment_url": "https://x.example/e",
        }
        | {"availability": "Archived"},
    )

    assert payload["title"] == [{"locale": "English", "value": "Sorting (January 2026 - Enrollment Closed)"}]


@pytest.mark.parametrize(
    ("start", "end", "active"),
    [
        ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", False),
        ("2026-04-01T00:00:00Z", None, False),
        (None, "2026-04-01T00:00:00Z", True),
    ],
)
def test_a_course_run_is_active_by_its_interval(start, end, active, make_config):
    item = {"content_type": "courserun", "key": "r", "title": "T", "enrollment_url": "https://x.example/e"}

    assert export(make_config(), {**item, "start": start, "end": end})["schedule"][0]["active"] is active


def test_inactive_items_are_sent_inactive(make_config):
    assert export(make_config(), course(status="INACTIVE"))["status"] == "INACTIVE"
    assert export(make_config(), course(status="archived"))["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("show", "runs", "value"),
    [
        (False, [{**OPEN_RUN, "first_enrollable_paid_seat_price": 99}], 0.0),
        (True, [{**OPEN_RUN, "first_enrollable_paid_seat_price": 99}], 99),
        (True, [{**OPEN_RUN, "first_enrollable_paid_seat_price": None}], 0.0),
        (
            True,
            [
                OPEN_RUN,
                {
                    "status": "published",
                    "is_enrollable": True,
                    "is_marketable": True,
                    "first_enrollable_paid_seat_price": 49,
                },
            ],
            49,
        ),
        (True, [], 0.0),
    ],
    ids=["off", "advertised", "advertised-null", "first-active", "none"],
)
def test_price(show, runs, value, make_config):
    payload = export(make_config(show_course_price=show), course(*runs, advertised_course_run_uuid="r1"))

    assert payload["price"] == [{"currency": "USD", "value": value}]


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("pt-br", "Brazilian Portuguese"),
        ("pt-BR", "Brazilian Portuguese"),
        ("pt_BR", "Brazilian Portuguese"),
        ("en-GB", "English United Kingdom"),
        ("en-us", "English"),
        ("es-419", "Spanish"),
        ("zh-Hans", "Chinese"),
        ("zh-Hant-TW", "Chinese Taiwan"),
        ("he", "Hebrew"),
        ("iw", "Hebrew"),
        ("id", "Indonesian"),
        ("nb-NO", "Norwegian"),
        ("nn", "Norwegian"),
        ("Spanish", "Spanish"),
        ("Spanish - Mexico", "Spanish"),
        ("brazilian portuguese", "Brazilian Portuguese"),
        ("tlh", "English"),
        ("", "English"),
        ("-", "English"),
        (None, "English"),
    ],
)
def test_locale_names(language, name):
    assert locale_name(language) == name


def test_the_table_of_locales_is_whole():
    assert len(NAMES) == 42
    assert all(locale_name(code) == name == locale_name(name.upper()) for code, name in NAMES.items())


def test_the_language_of_a_course_run_may_be_a_name(make_config):
    item = {
        "content_type": "courserun",
        "key": "r",
        "title": "T",
        "enrollment_url": "https://x.example/e",
        "language": "Hebrew",
    }

    assert export(make_config(), item)["title"][0]["locale"] == "Hebrew"
    assert export(make_config(), {**item, "language": ["Hebrew"]})["title"][0]["locale"] == "English"


def test_executive_education_without_a_partner_or_a_full_description(make_config):
    bare = course(course_type="executive-education-2u")

    assert export(make_config(), bare)["description"][0]["value"] == "ExecEd: Sorting"
    assert (
        export(make_config(), {**bare, "full_description": "Full", "product_source": "2U"})["description"][0][
            "value"
        ]
        == "This is an instructor-led executive education course by 2U. Full"
    )
    assert (
        export(make_config(), {**bare, "full_description": "Full"})["description"][0]["value"]
        == "This is an instructor-led executive education course. Full"
    )


def test_hours_are_left_out_or_floats(make_config):
    on, off = make_config(transmit_course_hours=True), make_config()
    item = course({**OPEN_RUN, "estimated_hours": 22})
    without = course(OPEN_RUN)

    assert {"creditHours", "totalHours"}.isdisjoint(export(off, item))
    for payload, hours in ((export(on, item), 22.0), (export(on, without), 0.0)):
        assert payload["creditHours"] == payload["totalHours"] == hours
        assert isinstance(payload["creditHours"], float)


def test_a_retirement_differs_only_in_status(make_config):
    confirmed = export(make_config(), course(OPEN_RUN))
    before = json.dumps(confirmed)

    payload = plugin.export_retirement(config=make_config(), confirmed=confirmed)

    assert payload == {**confirmed, "status": "INACTIVE"}
    assert json.dumps(confirmed) == before


def test_a_retirement_follows_todays_options(make_config):
    stored = {
        "courseID": "A",
        "creditHours": 1.0,
        "totalHours": 1.0,
        "schedule": [{"startDate": 1, "endDate": 2}],
    }
    on, off = make_config(transmit_course_hours=True), make_config()

    assert {"creditHours", "totalHours"}.isdisjoint(plugin.export_retirement(config=off, confirmed=stored))
    assert plugin.export_retirement(config=on, confirmed=stored)["totalHours"] == 1.0
    assert "totalHours" not in plugin.export_retirement(config=on, confirmed={"courseID": "A"})


def test_a_retirement_drops_schedule_entries_without_dates(make_config):
    good = {"startDate": 0, "endDate": 2, "active": True}
    confirmed = {
        "courseID": "A",
        "schedule": [
            good,
            {"startDate": None, "endDate": 2},
            {"startDate": 1},
            {"startDate": 1, "endDate": None},
        ],
    }

    assert plugin.export_retirement(config=make_config(), confirmed=confirmed)["schedule"] == [good]


def test_months_do_not_follow_the_locale_of_the_process(make_config):
    import locale

    saved = locale.setlocale(locale.LC_TIME)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"):
            try:
                locale.setlocale(locale.LC_TIME, name)
                break
            except locale.Error:
                continue
        text = export(make_config(), course(OPEN_RUN))["description"][0]["value"]
    finally:
        locale.setlocale(locale.LC_TIME, saved)

    assert text.startswith("Starts: January 2026, Ends: June 2026.")

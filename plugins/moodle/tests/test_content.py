"""Courses as Moodle takes them: the rules that the golden pairs do not show."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape

import pytest

from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment
from coursewire_moodle import plugin

from .conftest import NOW

LINK = "https://learn.example.org/enroll"


@pytest.fixture
def export(make_config):
    def build(**fields):
        item = {"content_type": "course", "key": "BrackenX+TIDE101", "title": "Tides", "enrollment_url": LINK}
        item = {name: value for name, value in {**item, **fields}.items() if value is not ...}
        return plugin.export_content(
            config=make_config(), item=ContentItem.model_validate(item), moment=Moment(NOW)
        )

    return build


@pytest.mark.parametrize(("field", "value"), [("title", None), ("title", " "), ("enrollment_url", None)])
def test_what_is_demanded_is_named(export, field, value):
    with pytest.raises(NotExportableError, match=field):
        export(**{field: value})


def test_a_key_that_has_no_room_is_refused_and_not_cut(export):
    assert export(key="K" * 100)["idnumber"] == "K" * 100
    with pytest.raises(NotExportableError, match="takes 100 characters, it has 101"):
        export(key="K" * 101)


@pytest.mark.parametrize("sign", ["Tides ", "潮"])
def test_names_are_cut_to_their_room_and_the_key_stays(export, sign):
    key = "K" * 100
    body = export(title=sign * 300, key=key, organizations=["A: Partner"])

    assert len(body["fullname"]) <= 254
    assert len(body["shortname"]) <= 255
    assert body["shortname"].endswith(f"… ({key})")
    assert body["fullname"].endswith("…")


@pytest.mark.parametrize(
    ("title", "sent"),
    [
        ("<b>Bold</b> tides<br/>", "Bold tides"),
        ("I <3 tides", "I < 3 tides"),
        ("a<b and b>a", "aa"),
        ("Tides <basics>", "Tides < basics>"),
        ("a < b -> c & d", "a < b -> c & d"),
        ("<!-- x -->T", "< !-- x -->T"),
        ("nul\0l", "null"),
        ("Quiz 'n' \"more\" 你好 😀", "Quiz 'n' \"more\" 你好 😀"),
    ],
)
def test_a_name_has_nothing_that_moodle_takes_for_a_tag(export, moodle, send, course, title, sent):
    assert export(title=title)["shortname"] == f"{sent} (BrackenX+TIDE101)"
    (result,) = send(course(title=title))
    assert result.confirms


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        (None, ""),
        ([], ""),
        (["A: One", "Two", "B: C: Three"], " (One, Two, C: Three)"),
        (["Colon:without a blank", {"name": "odd"}, "E: "], " (Colon:without a blank, E:)"),
    ],
)
def test_organisations_go_by_their_names(export, listed, shown):
    assert export(organizations=listed)["fullname"] == f"Tides - via edX.org{shown}"


@pytest.mark.parametrize(
    ("full", "short", "expected"),
    [
        (1700, 5, "f"),
        (1701, 5, "s"),
        (1701, 1700, "s"),
        (1701, 1701, "Tides"),
        (0, 5, "s"),
        (0, 0, "Tides"),
        (5, 0, "f"),
    ],
)
def test_the_first_text_that_fits_with_the_link_is_sent(export, full, short, expected):
    texts = [("f" * max(0, full - len(LINK)), "full"), ("s" * max(0, short - len(LINK)), "short")]
    texts = [
        ("f" * full if full < 10 else texts[0][0], "full"),
        ("s" * short if short < 10 else texts[1][0], "short"),
    ]
    body = export(full_description=texts[0][0], short_description=texts[1][0])

    text = body["summary"].partition("<br />")[2]
    assert text[: len(expected)] == expected
    assert len(set(text)) == len(set(expected))


def test_a_title_in_place_of_a_text_is_no_markup(export):
    assert export(title="Q&A")["summary"].endswith("<br />Q&amp;A")


def test_the_link_is_quoted_and_escaped(export):
    link = 'https://learn.example.org/enroll?a=1&b="><script>'
    summary = export(enrollment_url=link)["summary"]

    assert "<script>" not in summary
    assert unescape(summary.split('"')[1]) == link


@pytest.mark.parametrize(
    ("start", "end", "sent"),
    [
        (None, None, {}),
        ("2031-03-01T09:30:00+02:00", None, {"startdate": 1930116600}),
        (None, "2031-05-01T00:00:00Z", {}),
        ("2031-05-01T00:00:00Z", "2031-05-01T00:00:00Z", {"startdate": 1935360000, "enddate": 1935360000}),
        ("2031-05-02T00:00:00Z", "2031-05-01T00:00:00Z", {"startdate": 1935446400}),
        ("2031-05-01T00:00:00.999Z", None, {"startdate": 1935360000}),
        ("rubbish", "rubbish", {}),
    ],
)
def test_dates_are_seconds_and_an_end_needs_a_start_before_it(export, start, end, sent):
    body = export(content_type="courserun", start=start, end=end)

    assert {name: body[name] for name in ("startdate", "enddate") if name in body} == sent
    for name, value in sent.items():
        assert datetime.fromtimestamp(value, UTC).year == 2031, name


RUNS = [
    {"key": "past", "uuid": "u1", "status": "published", "start": "2030-01-01T00:00:00Z"},
    {
        "key": "near",
        "uuid": "u2",
        "status": "published",
        "start": "2031-03-01T00:00:00Z",
        "end": "2031-05-01T00:00:00Z",
    },
    {"key": "secret", "uuid": "u3", "status": "unpublished", "start": "2031-02-02T00:00:00Z"},
]


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"course_runs": RUNS}, {"startdate": 1930089600, "enddate": 1935360000}),
        ({"course_runs": RUNS, "advertised_course_run_uuid": "u1"}, {"startdate": 1893456000}),
        ({"course_runs": RUNS, "advertised_course_run_uuid": "u3"}, {"startdate": 1927756800}),
        ({"course_runs": RUNS[2:]}, {}),
        ({"course_runs": [{"key": "K", "start": "2031-03-01T00:00:00Z"}]}, {}),
        ({"course_runs": RUNS, "start": "2031-03-05T00:00:00Z"}, {"startdate": 1930435200}),
        ({"course_runs": None}, {}),
    ],
)
def test_a_course_without_dates_has_those_of_the_run_that_speaks_for_it(export, fields, sent):
    body = export(**fields)
    assert {name: body[name] for name in ("startdate", "enddate") if name in body} == sent


def test_a_run_that_takes_over_has_the_course_examined_again(make_config):
    item = {"content_type": "course", "key": "K", "title": "T", "enrollment_url": LINK, "course_runs": RUNS}
    moment = Moment(datetime(2030, 2, 1, tzinfo=UTC))
    body = plugin.export_content(config=make_config(), item=ContentItem.model_validate(item), moment=moment)
    assert body["startdate"] == 1893456000
    assert moment.next_change_at == datetime(2030, 8, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("owners", "shown"),
    [
        (
            [{"key": "U", "name": "River University"}, {"name": "<b>Hill</b> Institute"}],
            " (River University, Hill Institute)",
        ),
        ([{"key": "U", "name": None}, None, {"name": " "}], ""),
        (None, ""),
    ],
)
def test_a_course_without_organisations_has_the_names_of_its_owners(export, owners, shown):
    assert export(owners=owners)["fullname"] == f"Tides - via edX.org{shown}"
    assert export(owners=owners, organizations=["A: One"])["fullname"] == "Tides - via edX.org (One)"


@pytest.mark.parametrize("field", ["full_description", "short_description"])
def test_scripts_of_a_description_do_not_reach_moodle(export, field):
    text = "<p onclick='x()'>Tides<script>alert(1)</script><iframe src='//x.example.com'></iframe></p>"
    summary = export(**{field: text})["summary"]
    assert summary.endswith("<br /><p>Tides</p>")


def test_a_sign_at_which_a_name_is_cut_does_not_look_like_a_tag(export, send, course):
    title = "a" * 230 + " < " + "b" * 60
    body = export(title=title)
    assert body["fullname"].endswith("a …")
    (result,) = send(course(title=title))
    assert result.confirms


def test_programs_and_pathways_are_not_taken():
    assert {kind.value for kind in plugin.declare_channel().capabilities.content_types} == {
        "course",
        "courserun",
    }

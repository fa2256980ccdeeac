"""Entries of the course list, field by field."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment
from coursewire.model.payload import canonical_json
from coursewire_cornerstone import plugin
from coursewire_cornerstone.config import CornerstoneConfig
from coursewire_cornerstone.languages import TAGS, tag_of
from coursewire_cornerstone.simulator import Course

GOLDEN = sorted((Path(__file__).parent / "golden" / "content").glob("*.json"))
CONFIG = {"cornerstone_base_url": "https://acme.csod.com", "key": "k", "secret": "s"}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def export(item: ContentItem, moment: Moment | None = None, **config: Any) -> dict[str, Any]:
    return plugin.export_content(
        config=CornerstoneConfig.model_validate({**CONFIG, **config}),
        item=item,
        moment=moment or Moment(NOW),
        remote_key=plugin.remote_key(item=item),
    )


def course(config: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    usual = {
        "content_type": "course",
        "key": "A+B",
        "title": "Botany",
        "enrollment_url": "https://l.example.org/a",
    }
    return export(ContentItem.model_validate({**usual, **fields}), **(config or {}))


@pytest.mark.parametrize("pair", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_golden_pairs(pair: Path) -> None:
    golden = json.loads(pair.read_text(encoding="utf-8"))
    moment = Moment(datetime.fromisoformat(golden["now"]))

    payload = export(ContentItem.model_validate(golden["item"]), moment, **golden["config"])

    assert payload == golden["payload"]
    Course.model_validate({**payload, "LastModifiedUTC": "2026-03-01T12:00:00.000000Z"})


def test_there_are_enough_golden_pairs() -> None:
    assert len(GOLDEN) >= 6


# -- 7: keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["A+B", "Fish&Chips", "k" * 54, "課程 один", 'x<>"%|\\/.'])
def test_every_key_becomes_an_id_that_cornerstone_takes(key: str) -> None:
    first, second = course(key=key)["ID"], course(key=key)["ID"]

    assert first == second
    assert len(first) == 36
    assert first != course(key=key + "x")["ID"]


def test_an_id_is_the_same_in_every_process() -> None:
    code = (
        "from coursewire_cornerstone.content import remote_key as r; from coursewire.model.content import ContentItem;"
        "print(r(ContentItem(content_type='course', key='A+B')))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert printed.stdout.strip() == course()["ID"]


# -- 8: description ----------------------------------------------------------------------------------------


def test_the_full_description_is_sent_up_to_ten_thousand_characters() -> None:
    assert course(full_description="x" * 10_000, short_description="short")["Description"] == "x" * 10_000
    assert course(full_description="x" * 10_001, short_description="short")["Description"] == "short"
    assert course(full_description="", short_description="")["Description"] == "Botany"
    assert course(full_description="<p>Fish &amp; Chips</p>")["Description"] == "<p>Fish &amp; Chips</p>"


# -- 9: languages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "tags"),
    [
        (["English", "Klingon", "Spanish"], ["en-US", "es-ES"]),
        (["Klingon"], ["en-US"]),
        ([], ["en-US"]),
        (None, ["en-US"]),
        (["Spanish - Mexico", "Spanish"], ["es-ES"]),
        (["German"], ["en-US"]),
        (["Spanish", "English"], ["es-ES", "en-US"]),
        (["en-gb", "es_419"], ["en-US", "es-ES"]),
    ],
)
def test_languages(names: Any, tags: list[str]) -> None:
    assert course({"languages": ["en-US", "es-ES"]}, languages=names)["Languages"] == tags


def test_the_table_of_languages_is_whole() -> None:
    assert len(TAGS) == 60
    assert TAGS["Chinese - Hong Kong SAR"] == "zh-HK"
    assert TAGS["Basque (Basque)"] == "eu"
    assert (tag_of("zh-hant"), tag_of("pt"), tag_of("zh-CMN"), tag_of("")) == (
        "zh-Hant",
        "pt-BR",
        "zh-CMN",
        "en-US",
    )


# -- 10: subjects ------------------------------------------------------------------------------------------


def test_subjects() -> None:
    mapping = {"Technology": ["Computer Science", "Engineering"], "Creative": ["Music"], "Both": ["MUSIC"]}

    def subjects(*given: Any, **more: Any) -> Any:
        return course({"subject_mapping": mapping, **more}, subjects=list(given)).get("Subjects")

    assert subjects({"name": "computer science"}, "ENGINEERING") == ["Technology"]
    assert subjects("Music", {"name": "Engineering"}) == ["Creative", "Both", "Technology"]
    assert subjects("Knitting", None, {"slug": "x"}) == ["Industry Specific"]
    assert subjects("Music", disable_subject_metadata_transmission=True) is None


# -- 11, 12: runs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "duration"),
    [
        (22.5, "22:30:00"),
        (100, "100:00:00"),
        (1.99, "01:59:00"),
        (0.1, "00:06:00"),
        (0, None),
        (None, None),
        (-3, None),
    ],
)
def test_duration(hours: Any, duration: str | None) -> None:
    assert course(course_runs=[{"key": "r", "estimated_hours": hours}]).get("Duration") == duration


@pytest.mark.parametrize(
    ("availabilities", "active"),
    [
        (["Archived"], False),
        (["Archived", "Upcoming"], True),
        (["Current"], True),
        (["Starting Soon"], True),
        ([None], False),
        ([], False),
    ],
)
def test_a_course_is_active_while_a_run_is(availabilities: list[Any], active: bool) -> None:
    runs = [{"key": str(number), "availability": each} for number, each in enumerate(availabilities)]

    assert course(course_runs=runs)["IsActive"] is active


def test_a_run_is_active_by_itself() -> None:
    assert course(content_type="courserun", availability="Current")["IsActive"] is True
    assert course(content_type="courserun", availability="Archived")["IsActive"] is False


@pytest.mark.parametrize(
    ("fields", "active"),
    [({"status": "active"}, True), ({"status": "retired"}, False), ({"published": True}, True), ({}, False)],
)
def test_a_program_is_active_by_its_status(fields: dict[str, Any], active: bool) -> None:
    assert course(content_type="program", key=None, uuid="u", **fields)["IsActive"] is active


def test_the_nearest_run_tells_the_duration_and_core_learns_when_another_will() -> None:
    runs = [
        {"key": "old", "uuid": "u-old", "start": "2026-02-01T00:00:00Z", "estimated_hours": 1},
        {"key": "new", "start": "2026-05-02T00:00:00Z", "estimated_hours": 2},
    ]
    item = ContentItem.model_validate(
        {
            "content_type": "course",
            "key": "A+B",
            "title": "Botany",
            "enrollment_url": "https://l.example.org/a",
            "advertised_course_run_uuid": "another",
            "course_runs": runs,
        }
    )
    moment = Moment(NOW)

    assert export(item, moment)["Duration"] == "01:00:00"
    assert moment.next_change_at == datetime(2026, 3, 18, tzinfo=UTC)
    assert export(item, Moment(moment.next_change_at))["Duration"] == "02:00:00"


# -- 13: partners ------------------------------------------------------------------------------------------


def test_partners() -> None:
    assert course(organizations=["x" * 600])["Partners"] == [{"Name": "x" * 500}]
    assert course(organizations=["B", "", "A"])["Partners"] == [{"Name": "B"}, {"Name": ""}, {"Name": "A"}]
    assert course(organizations=[])["Partners"] == [{"Name": "edX: edX Inc"}]
    owners = [{"key": "RiverU", "name": "River"}, {"key": "X"}]
    assert course(owners=owners)["Partners"] == [{"Name": "RiverU: River"}]


# -- the rest ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["title", "enrollment_url"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_course_without_title_or_link_is_not_listed(field: str, value: Any) -> None:
    with pytest.raises(NotExportableError) as refusal:
        course(**{field: value})

    assert refusal.value.field == field


def test_an_image_that_is_not_there_is_left_out() -> None:
    assert "Thumbnail" not in course(image_url=None)


def test_retired_is_the_same_but_inactive() -> None:
    listed = course(course_runs=[{"key": "r", "availability": "Current"}])

    assert plugin.export_retirement(confirmed=listed) == {**listed, "IsActive": False}
    assert listed["IsActive"] is True


def test_the_order_of_fields_and_sets_is_always_the_same() -> None:
    fields = {"languages": ["Spanish", "English"], "subjects": ["b", "a"]}
    config = {"subject_mapping": {"Z": ["a", "b"], "Y": ["b"]}, "languages": ["es-ES", "en-US"]}

    assert canonical_json(course(config, **fields)) == canonical_json(course(config, **fields))
    assert course(config, **fields)["Subjects"] == ["Z", "Y"]

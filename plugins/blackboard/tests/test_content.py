"""What leaves for Learn, field by field."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import coursewire as cw
from coursewire.model.payload import canonical_json
from coursewire_blackboard import plugin
from coursewire_blackboard.config import BlackboardConfig
from coursewire_blackboard.content import course_id
from coursewire_blackboard.simulated_refusals import checked
from coursewire_blackboard.simulator import CONTENT_FIELDS, COURSE_FIELDS, LONGEST

GOLDEN = Path(__file__).parent / "golden"
PLAIN = {
    "blackboard_base_url": "https://learn.example.com",
    "client_id": "k",
    "client_secret": "s",
    "refresh_token": "r",
}


def config(**fields: Any) -> BlackboardConfig:
    return BlackboardConfig.model_validate({**PLAIN, **fields})


def exported(view: str = "Original", **fields: Any) -> cw.JsonObject:
    usual = {
        "content_type": "course",
        "key": "RiverU+BOT101",
        "title": "Botany",
        "enrollment_url": "https://learn.example.org/enroll/BOT101/",
    }
    item = cw.ContentItem.model_validate({**usual, **fields})
    return plugin.export_content(config=config(course_view=view), item=item)


def body(view: str = "Original", **fields: Any) -> str:
    return str(exported(view, **fields)["course_child_content_metadata"]["body"])


def pairs(kind: str) -> Any:
    found = sorted((GOLDEN / kind).glob("*.json"))
    assert found
    return pytest.mark.parametrize("pair", found, ids=[path.stem for path in found])


@pairs("content")
def test_golden_pairs_of_content(pair: Path) -> None:
    golden = json.loads(pair.read_text(encoding="utf-8"))
    item = cw.ContentItem.model_validate(golden["item"])

    payload = plugin.export_content(config=config(**golden["config"]), item=item)

    assert payload == golden["payload"]
    assert json.loads(canonical_json(payload)) == payload
    checked(payload["course_metadata"], COURSE_FIELDS, LONGEST)
    checked(payload["course_content_metadata"], CONTENT_FIELDS, LONGEST)
    checked(payload["course_child_content_metadata"], CONTENT_FIELDS, LONGEST)


@pairs("completions")
def test_golden_pairs_of_completions(pair: Path) -> None:
    golden = json.loads(pair.read_text(encoding="utf-8"))
    completion = cw.Completion.model_validate(golden["completion"])

    assert (
        plugin.export_completion(config=config(**golden["config"]), completion=completion)
        == golden["payload"]
    )


@pairs("assessments")
def test_golden_pairs_of_assessments(pair: Path) -> None:
    golden = json.loads(pair.read_text(encoding="utf-8"))

    assert (
        plugin.export_assessment(assessment=cw.Assessment.model_validate(golden["assessment"]))
        == golden["payload"]
    )


def test_the_course_id_of_a_key_is_the_same_in_two_processes() -> None:
    keys = ["RiverU+BOT101", "course-v1:RiverU+BOT101+2024T2", "植物学", "a/b c\"(d)&'e'"]
    program = f"from coursewire_blackboard.content import course_id; print([course_id(k) for k in {keys!r}])"
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("1", "2")
    }

    assert said == {f"{[course_id(key) for key in keys]}\n"}


def test_course_ids_are_short_readable_and_differ_where_keys_do() -> None:
    keys = ["RiverU+BOT101", "RiverU BOT101", "RiverU_BOT101", "x" * 300, "x" * 301]
    ids = [course_id(key) for key in keys]

    assert len(set(ids)) == len(keys)
    assert all(len(each) <= 50 and not set(each) & set("\"()&/'+ ") for each in ids)
    assert ids[0].startswith("RiverU_BOT101.")


def test_a_long_title_is_cut_between_words() -> None:
    name = exported(title="plant " * 60)["course_metadata"]["name"]

    assert len(name) <= 255
    assert name.endswith("plant…")


@pytest.mark.parametrize("field", ["title", "enrollment_url"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_what_learn_needs_is_demanded(field: str, value: Any) -> None:
    with pytest.raises(cw.NotExportableError) as caught:
        exported(**{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "value"), [("key", "k" * 257), ("enrollment_url", "https://learn.example.org/" + "x" * 4000)]
)
def test_what_learn_has_no_room_for_waits(field: str, value: str) -> None:
    with pytest.raises(cw.NotExportableError) as caught:
        exported(**{field: value})
    assert caught.value.field == field


def test_descriptions_keep_what_is_harmless() -> None:
    html = "<p onclick='x()'>Über <b>Blumen</b> &amp; <a href='javascript:x()'>mehr</a></p><iframe src='x'></iframe>"

    assert "<div><p>Über <b>Blumen</b> &amp; <a>mehr</a></p></div>" in body(full_description=html)


def test_an_ultra_page_has_only_what_ultra_shows() -> None:
    html = "<h2>Plants</h2><table><tr><td>cell</td></tr></table><p>and <em>more</em></p>"
    page = body("Ultra", full_description=html, image_url="https://cdn.example.org/a.png")

    assert "<h2" not in page
    assert "<table" not in page
    assert "cell" in page
    assert "<p>and <em>more</em></p>" in page
    assert "target=" not in page


def test_nothing_is_printed_for_what_is_missing() -> None:
    page = body(full_description=None, image_url=None)

    assert "None" not in page
    assert "<img" not in page
    assert "<p>" not in page


def test_a_description_of_a_hundred_kilobytes_goes_whole() -> None:
    assert "word " * 20_000 in body(full_description="word " * 20_000 + "end")

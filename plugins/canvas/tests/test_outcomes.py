"""Completions and assessments as payloads, and which of them travel together."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from coursewire.errors import NotExportableError
from coursewire.model.kinds import Kind
from coursewire.model.outcomes import Assessment, Completion
from coursewire.model.payload import Operation, Payload, fingerprint
from coursewire.plugins.loading import load_channel_object
from coursewire_canvas import plugin
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.grading import OUTCOMES_A_BATCH

GOLDEN = Path(__file__).parent / "golden"

CONFIG = CanvasConfig(
    canvas_base_url="https://acme.instructure.com",
    canvas_account_id=17,
    client_id="42",
    client_secret=SecretStr("secret"),
    refresh_token=SecretStr("token"),
)


def golden(path: str) -> Any:
    return json.loads((GOLDEN / path).read_text(encoding="utf-8"))


def completion(*, in_progress: bool = False, **fields: Any) -> dict[str, Any]:
    given = {**golden("completions/passed.json")["completion"], **fields}
    config = CONFIG.model_copy(update={"send_in_progress": in_progress})
    return plugin.export_completion(config=config, completion=Completion.model_validate(given))


def assessment(**fields: Any) -> dict[str, Any]:
    given = {**golden("assessments/quiz.json")["assessment"], **fields}
    return plugin.export_assessment(assessment=Assessment.model_validate(given))


@pytest.mark.parametrize(
    ("percent", "points", "text"),
    [
        ("0", 0.0, "0%"),
        ("0.57", 57.0, "57%"),
        ("0.9", 90.0, "90%"),
        ("1", 100.0, "100%"),
        ("0.125", 12.5, "12.5%"),
        ("0.6666666667", 66.67, "66.67%"),
        ("0.29", 29.0, "29%"),
        ("0.10", 10.0, "10%"),
    ],
)
def test_grades_are_clean_decimals(percent: str, points: float, text: str) -> None:
    posted = completion(percent=Decimal(percent))["submission"]["posted_grade"]

    assert posted == points
    assert isinstance(posted, float)
    assert assessment(percent=Decimal(percent))["submission"]["posted_grade"] == text


def test_one_way_to_write_a_grade_gives_one_fingerprint() -> None:
    assert fingerprint(completion(percent="0.85")) == fingerprint(completion(percent="0.850"))
    assert fingerprint(assessment(points_possible="10")) == fingerprint(assessment(points_possible="10.00"))


def test_an_unknown_grade_is_not_a_zero() -> None:
    with pytest.raises(NotExportableError) as refusal:
        completion(percent=None)

    assert refusal.value.field == "percent"
    assert completion(percent="0")["submission"]["posted_grade"] == 0.0


def test_a_course_that_is_not_completed_has_no_final_grade_unless_progress_is_sent() -> None:
    def posted(**fields: Any) -> object:
        return completion(complete=False, **fields)["submission"]["posted_grade"]

    assert posted() == posted(percent=None) == ""
    assert posted(in_progress=True, percent="0.4") == 40.0
    with pytest.raises(NotExportableError):
        posted(in_progress=True, percent=None)


@pytest.mark.parametrize(
    ("export", "fields", "at_fault"),
    [
        (completion, {"remote_id": None}, "remote_id"),
        (completion, {"remote_id": ""}, "remote_id"),
        (completion, {"course_key": "k" * 256}, "course_key"),
        (assessment, {"subsection_id": "k" * 256}, "subsection_id"),
        (assessment, {"points_possible": "0"}, "points_possible"),
    ],
)
def test_an_outcome_without_what_canvas_needs_waits_with_the_field(
    export: Any, fields: dict[str, Any], at_fault: str
) -> None:
    with pytest.raises(NotExportableError) as refusal:
        export(**fields)

    assert refusal.value.field == at_fault


def test_subsections_are_told_apart_by_id_and_named_within_canvas_s_limit() -> None:
    first, second = assessment(subsection_id="block-1"), assessment(subsection_id="block-2")

    assert first["assignment"]["integration_id"] != second["assignment"]["integration_id"]
    assert assessment(subsection_name="Leaf " * 60)["assignment"]["name"].endswith("Leaf…")
    assert assessment(subsection_name="")["assignment"]["name"].startswith("block-v1:")
    assert assessment(points_possible="7.5")["assignment"]["points_possible"] == 7.5


def test_grades_of_one_course_travel_together() -> None:
    payloads = []
    for number in range(500):
        course = "RiverU+ZOO" if number < 300 else f"RiverU+{number % 3}"
        body = completion(course_key=course, remote_id=f"{number}@example.org")
        payloads.append(Payload(f"k{number}", Operation.CREATE, body, fingerprint(body), ""))

    hook_caller = load_channel_object(plugin).hook_caller
    batches = hook_caller.make_batches(CONFIG, Kind.COMPLETIONS, Operation.CREATE, payloads)

    assert sorted(len(batch) for batch in batches) == [66, 67, 67, 100, OUTCOMES_A_BATCH]
    assert sorted(p.key for batch in batches for p in batch.payloads) == sorted(p.key for p in payloads)
    assert all(len({p.body["course"] for p in batch.payloads}) == 1 for batch in batches)

"""Completions and assessments as payloads: an assignment, and the grade that is posted to it.

Each course has one assignment for the final grade, and one for each subsection that was graded. Only the
first counts: the final grade holds the subsections' already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError
from coursewire.model.kinds import Kind
from coursewire.model.payload import Batch, JsonObject, Operation, Payload
from coursewire_canvas.content import check_key, cut_name

if TYPE_CHECKING:
    from coursewire.model.outcomes import Assessment, Completion, Outcome
    from coursewire_canvas.config import CanvasConfig

FINAL_GRADE = "(Edx integration) Final Grade"
FINAL_POINTS = 100
NO_GRADE = ""
"""Posted, it takes a grade away."""
OUTCOMES_A_BATCH = 200


def completion_payload(config: CanvasConfig, completion: Completion) -> JsonObject:
    """Build what Canvas holds of a completion: the final grade, in points of 100.

    A course that is not completed has no final grade, unless the configuration sends grades in progress: so
    a revoked pass takes its grade away.

    Raises:
        NotExportableError: The grade or the learner is unknown, or the key is too long.
    """
    key = check_key(completion.course_key, "course_key")
    points: float | str = NO_GRADE
    if completion.complete or config.send_in_progress:
        if completion.percent is None:
            why = "it is unknown, and a grade is all that Canvas holds of a completion"
            raise NotExportableError("percent", why, next_step="Find the grade at the source.")
        points = float(_hundredths(completion.percent))
    return _payload(completion, points, key, FINAL_GRADE, FINAL_POINTS, counts=True)


def assessment_payload(assessment: Assessment) -> JsonObject:
    """Build what Canvas holds of a subsection: its own points, and the grade as text such as ``"90%"``.

    Raises:
        NotExportableError: The subsection has no points, the learner is unknown, or a key is too long.
    """
    points = assessment.points_possible
    if points <= 0:
        raise NotExportableError("points_possible", "Canvas cannot hold a part of nothing")
    key = check_key(assessment.subsection_id, "subsection_id")
    number = int(points) if points == int(points) else float(points)
    percent = f"{_hundredths(assessment.percent).normalize():f}%"
    name = cut_name(assessment.subsection_name or key)
    return _payload(assessment, percent, key, name, number, counts=False)


def _hundredths(fraction: Decimal) -> Decimal:
    """Per cent, with two digits after the point as Canvas shows them."""
    return (fraction * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _payload(
    outcome: Outcome, posted: float | str, key: str, name: str, points: float, *, counts: bool
) -> JsonObject:
    if not outcome.remote_id:
        raise NotExportableError("remote_id", "it is not known whom Canvas means by this learner")
    return {
        "course": outcome.course_key,
        "learner": outcome.remote_id,
        "assignment": {
            "integration_id": key,
            "name": name,
            "omit_from_final_grade": not counts,
            "points_possible": points,
            "published": True,
            "submission_types": "none",
        },
        "submission": {"posted_grade": posted},
    }


def make_batches(
    kind: Kind, operation: Operation | None, payloads: Sequence[Payload]
) -> Iterator[Batch] | None:
    """Make batches of one course each, in the order of learners; content goes as core has it."""
    if kind is Kind.CONTENT:
        return None
    ordered = sorted(payloads, key=lambda payload: (payload.body["course"], payload.body["learner"]))
    return (
        Batch(operation, of_course[start : start + OUTCOMES_A_BATCH])
        for of_course in by_course(ordered).values()
        for start in range(0, len(of_course), OUTCOMES_A_BATCH)
    )


def by_course(payloads: Sequence[Payload]) -> dict[str, tuple[Payload, ...]]:
    """The payloads of each course, in their order."""
    found: defaultdict[str, list[Payload]] = defaultdict(list)
    for payload in payloads:
        found[payload.body["course"]].append(payload)
    return {key: tuple(of_course) for key, of_course in found.items()}

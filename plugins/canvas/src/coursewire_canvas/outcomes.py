"""Completions and assessments as payloads: an assignment, and the grade that is posted to it.

Each course has one assignment for the final grade, and one for each subsection that was graded. Only the first counts
toward the total: the final grade holds the subsections' already.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import coursewire as cw
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.content import LONGEST_NAME

FINAL_GRADE = "(Edx integration) Final Grade"
FINAL_POINTS = 100
NO_GRADE = ""
"""The ``posted_grade`` that takes a grade away."""


@cw.hookimpl
def export_completion(config: CanvasConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build the final grade of a course, in points of 100.

    A course that is not completed has no final grade, unless the configuration sends grades in progress: so a revoked
    pass takes its grade away.

    Raises:
        NotExportableError: The grade or the learner is unknown, or the key is too long.
    """
    grade = cw.final_grade(config, completion)
    return _payload(
        completion,
        posted=NO_GRADE if grade is None else float(_hundredths(grade)),
        integration_id=cw.require_length(completion.course_key, LONGEST_NAME, "course_key"),
        name=FINAL_GRADE,
        points=FINAL_POINTS,
        counts=True,
    )


@cw.hookimpl
def export_assessment(assessment: cw.Assessment) -> cw.JsonObject:
    """Build the grade of a subsection: the subsection's own points, and the grade as text such as ``"90%"``.

    Raises:
        NotExportableError: The subsection has no points, the learner is unknown, or a key is too long.
    """
    points = assessment.points_possible
    if points <= 0:
        raise cw.NotExportableError("points_possible", "Canvas cannot hold a part of nothing")
    key = cw.require_length(assessment.subsection_id, LONGEST_NAME, "subsection_id")
    return _payload(
        assessment,
        posted=f"{_hundredths(assessment.percent).normalize():f}%",
        integration_id=key,
        name=cw.truncate(assessment.subsection_name or key, LONGEST_NAME),
        points=int(points) if points == int(points) else float(points),
        counts=False,
    )


def _hundredths(fraction: Decimal) -> Decimal:
    """Return per cent, with two digits after the point as Canvas shows them."""
    return (fraction * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _payload(
    outcome: cw.Outcome,
    *,
    posted: float | str,
    integration_id: str,
    name: str,
    points: float,
    counts: bool,
) -> cw.JsonObject:
    return {
        "course": outcome.course_key,
        "learner": cw.learner_of(outcome),
        "assignment": {
            "integration_id": integration_id,
            "name": name,
            "omit_from_final_grade": not counts,
            "points_possible": points,
            "published": True,
            "submission_types": "none",
        },
        "submission": {"posted_grade": posted},
    }

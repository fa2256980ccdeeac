"""Completions and assessments as payloads: a column of the gradebook, and the score in it.

Each course has one column for the final grade, and one for each subsection that was graded. Only the first counts toward
the total: the final grade holds the subsections' already.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import coursewire as cw
from coursewire_blackboard.config import BlackboardConfig
from coursewire_blackboard.content import LONGEST_KEY, LONGEST_NAME

FINAL_GRADE_ID = "edx_final_grade"
"""External id of the column of final grades."""
FINAL_GRADE_NAME = "(edX Integration) Final Grade"
FINAL_POINTS = Decimal(100)
PLACES = Decimal("0.00001")
"""Learn shows scores with five decimals."""


@cw.hookimpl
def export_completion(config: BlackboardConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build the final grade of a course, in points of 100; null takes it away.

    Raises:
        NotExportableError: The grade or the learner is unknown, or the course's key is too long.
    """
    grade = cw.final_grade(config, completion)
    return _payload(
        completion,
        column_id=FINAL_GRADE_ID,
        name=FINAL_GRADE_NAME,
        counts=True,
        score=None if grade is None else grade * FINAL_POINTS,
        possible=FINAL_POINTS,
    )


@cw.hookimpl
def export_assessment(assessment: cw.Assessment) -> cw.JsonObject:
    """Build the grade of a subsection: the points earned, of as many as are possible.

    Raises:
        NotExportableError: The subsection has no points, the learner is unknown, or a key is too long.
    """
    if assessment.points_possible <= 0:
        raise cw.NotExportableError("points_possible", "a column of Learn cannot have no points")
    key = cw.require_length(assessment.subsection_id, LONGEST_KEY, "subsection_id")
    return _payload(
        assessment,
        column_id=key,
        name=cw.truncate(assessment.subsection_name or key, LONGEST_NAME),
        counts=False,
        score=assessment.points_earned,
        possible=assessment.points_possible,
    )


def _payload(
    outcome: cw.Outcome,
    *,
    column_id: str,
    name: str,
    counts: bool,
    score: Decimal | None,
    possible: Decimal,
) -> cw.JsonObject:
    return {
        "course": cw.require_length(outcome.course_key, LONGEST_KEY, "course_key"),
        "learner": cw.learner_of(outcome),
        "column": {
            "externalId": column_id,
            "name": name,
            "displayName": name,
            "description": "edX learner's grade",
            "externalGrade": False,
            "includeInCalculations": counts,
            "score": {"possible": _points(possible)},
            "availability": {"available": "Yes"},
            "grading": {"type": "Manual", "scoringModel": "Last", "anonymousGrading": {"type": "None"}},
        },
        "grade": {"score": None if score is None else _points(score)},
    }


def _points(points: Decimal) -> float:
    return float(points.quantize(PLACES, ROUND_HALF_UP))

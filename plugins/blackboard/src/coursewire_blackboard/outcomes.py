"""Completions and assessments as payloads: a column of the gradebook, and the score in it.

Each course has one column for the final grade, and one for each subsection that was graded. Only the first
counts: the final grade holds the subsections' already.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import coursewire as cw
from coursewire_blackboard.config import BlackboardConfig
from coursewire_blackboard.content import LONGEST_KEY, LONGEST_NAME, OF_LEARN

FINAL_POINTS = Decimal(100)
PLACES = Decimal("0.00001")
"""Learn shows scores with five decimals."""


@cw.hookimpl
def export_completion(config: BlackboardConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build the final grade of a course, in points of 100; null takes it away."""
    grade = cw.final_grade(config, completion)
    return _grade(
        completion, OF_LEARN["final"], None if grade is None else grade * FINAL_POINTS, FINAL_POINTS
    )


@cw.hookimpl
def export_assessment(assessment: cw.Assessment) -> cw.JsonObject:
    """Build the grade of a subsection: the points earned, of as many as are possible."""
    if assessment.points_possible <= 0:
        raise cw.NotExportableError("points_possible", "a column of Learn cannot have no points")
    key = cw.require_length(assessment.subsection_id, LONGEST_KEY, "subsection_id")
    name = cw.truncate(assessment.subsection_name or key, LONGEST_NAME)
    column = {"externalId": key, "name": name, "includeInCalculations": False}
    return _grade(assessment, column, assessment.points_earned, assessment.points_possible)


def _grade(outcome: cw.Outcome, column: cw.JsonObject, score: Decimal | None, most: Decimal) -> cw.JsonObject:
    points = {"possible": _points(most)}
    return {
        "course": cw.require_length(outcome.course_key, LONGEST_KEY, "course_key"),
        "learner": cw.learner_of(outcome),
        "column": {**OF_LEARN["column"], **column, "displayName": column["name"], "score": points},
        "grade": {"score": None if score is None else _points(score)},
    }


def _points(points: Decimal) -> float:
    return float(points.quantize(PLACES, ROUND_HALF_UP))

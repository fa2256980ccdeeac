"""Completions and assessments as payloads: a column of the gradebook, and the score in it.

Each course has one column for the final grade, and one for each subsection that was graded. Only the first
counts: the final grade holds the subsections' already.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import coursewire as cw
from coursewire.model.outcomes import Outcome
from coursewire_blackboard.config import BlackboardConfig
from coursewire_blackboard.content import LONGEST_NAME, check_key

FINAL_GRADE = "(edX Integration) Final Grade"
FINAL_GRADE_ID = "edx_final_grade"
FINAL_POINTS = 100.0
PLACES = Decimal("0.00001")
"""Learn shows scores with five decimals."""


@cw.hookimpl
def export_completion(config: BlackboardConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build the final grade of a course, in points of 100.

    A course that is not completed has no final grade (null), unless the configuration sends grades in progress:
    so a revoked pass takes its grade away.
    """
    score = None
    if completion.complete or config.send_in_progress:
        if completion.percent is None:
            why = "it is unknown, and a grade is all that Learn holds of a completion"
            raise cw.NotExportableError("percent", why, next_step="Find the grade at the source.")
        score = _points(completion.percent * 100)
    return _payload(completion, score, FINAL_GRADE_ID, FINAL_GRADE, FINAL_POINTS, counts=True)


@cw.hookimpl
def export_assessment(assessment: cw.Assessment) -> cw.JsonObject:
    """Build the grade of a subsection: the points earned, of as many as are possible."""
    if assessment.points_possible <= 0:
        raise cw.NotExportableError("points_possible", "a column of Learn cannot have no points")
    key = check_key(assessment.subsection_id, "subsection_id")
    name = cw.cut(assessment.subsection_name or key, LONGEST_NAME)
    earned, possible = _points(assessment.points_earned), _points(assessment.points_possible)
    return _payload(assessment, earned, key, name, possible, counts=False)


def _points(points: Decimal) -> float:
    return float(points.quantize(PLACES, ROUND_HALF_UP))


def _payload(
    outcome: Outcome, score: float | None, key: str, name: str, points: float, *, counts: bool
) -> cw.JsonObject:
    if not outcome.remote_id:
        raise cw.NotExportableError("remote_id", "it is not known whom Learn means by this learner")
    return {
        "course": check_key(outcome.course_key, "course_key"),
        "learner": outcome.remote_id,
        "column": {
            "externalId": key,
            "name": name,
            "displayName": name,
            "description": "edX learner's grade",
            "externalGrade": False,
            "score": {"possible": points},
            "availability": {"available": "Yes"},
            "grading": {"type": "Manual", "scoringModel": "Last", "anonymousGrading": {"type": "None"}},
            "includeInCalculations": counts,
        },
        "grade": {"score": score},
    }

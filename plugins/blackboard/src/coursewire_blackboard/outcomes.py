"""Completions and assessments as payloads: a column of the gradebook, and the score in it.

Each course has one column for the final grade, and one for each subsection that was graded. Only the first
counts: the final grade holds the subsections' already.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError
from coursewire.export.texts import cut
from coursewire_blackboard.content import LONGEST_NAME, check_key

if TYPE_CHECKING:
    from coursewire.model.outcomes import Assessment, Completion, Outcome
    from coursewire.model.payload import JsonObject
    from coursewire_blackboard.config import BlackboardConfig

FINAL_GRADE = "(edX Integration) Final Grade"
FINAL_GRADE_ID = "edx_final_grade"
FINAL_POINTS = 100.0
PLACES = Decimal("0.00001")
"""Learn shows scores with five decimals."""


def completion_payload(config: BlackboardConfig, completion: Completion) -> JsonObject:
    """Build what Learn holds of a completion: the final grade, in points of 100.

    A course that is not completed has no final grade (null), unless the configuration sends grades in progress:
    so a revoked pass takes its grade away.

    Raises:
        NotExportableError: The grade or the learner is unknown.
    """
    score = None
    if completion.complete or config.send_in_progress:
        if completion.percent is None:
            why = "it is unknown, and a grade is all that Learn holds of a completion"
            raise NotExportableError("percent", why, next_step="Find the grade at the source.")
        score = _score(completion.percent * 100)
    return _payload(completion, score, FINAL_GRADE_ID, FINAL_GRADE, FINAL_POINTS, counts=True)


def assessment_payload(assessment: Assessment) -> JsonObject:
    """Build what Learn holds of a subsection: the points earned, of as many as are possible.

    Raises:
        NotExportableError: The subsection has no points, or the learner is unknown.
    """
    possible = assessment.points_possible
    if possible <= 0:
        raise NotExportableError("points_possible", "a column of Learn cannot have no points")
    key = check_key(assessment.subsection_id, "subsection_id")
    name = cut(assessment.subsection_name or key, LONGEST_NAME)
    return _payload(assessment, _score(assessment.points_earned), key, name, _score(possible), counts=False)


def _score(points: Decimal) -> float:
    return float(points.quantize(PLACES, ROUND_HALF_UP))


def _payload(
    outcome: Outcome, score: float | None, key: str, name: str, points: float, *, counts: bool
) -> JsonObject:
    if not outcome.remote_id:
        raise NotExportableError("remote_id", "it is not known whom Learn means by this learner")
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

"""Completions as payloads: the final grade, and the assignment that takes it."""

from __future__ import annotations

import coursewire as cw
from coursewire_moodle.config import MoodleConfig


@cw.hookimpl
def export_completion(config: MoodleConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build what Moodle is told of a completion: the grade, 0 to 1, of one learner in one assignment.

    Raises:
        NotExportableError: The grade or the learner is unknown. A zero is a grade.
    """
    for field in ("percent", "remote_id"):
        if getattr(completion, field) in (None, ""):
            step = "See `coursewire why` for this learner."
            raise cw.NotExportableError(field, "it is unknown", next_step=step)
    payload = {
        "courseID": completion.course_key,
        "userID": completion.remote_id,
        "grade": float(completion.percent or 0),
        "assignment": config.grade_assignment_name,
        "cmid": config.grade_assignment_cmid,
        "scale": config.grade_scale,
    }
    return {name: value for name, value in payload.items() if value is not None}

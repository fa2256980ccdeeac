"""Completions as payloads: the final grade, and the assignment that takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from more_itertools import batched, map_reduce

import coursewire as cw
from coursewire.channels.defaults import items_limit
from coursewire_moodle.config import MoodleConfig

# 25 courses take 0.6 s on a small site and 4 s on a large one. 200 grades are 400 form fields; PHP drops what is
# beyond 1,000. More calls at once would only wait for each other's locks.
LIMITS = cw.Limits(
    batch_items=25, outcome_batch_items=200, concurrency=4, total_timeout_s=300, read_timeout_s=120
)


@cw.hookimpl
def export_completion(config: MoodleConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build what Moodle is told of a completion: the grade, 0 to 1, of one learner in one assignment.

    Raises:
        NotExportableError: The grade or the learner is unknown. A zero is a grade.
    """
    for field in ("percent", "remote_id"):
        if getattr(completion, field) in (None, ""):
            raise cw.NotExportableError(
                field, "it is unknown", next_step="See `coursewire why` for this learner."
            )
    payload = {
        "courseID": completion.course_key,
        "userID": completion.remote_id,
        "grade": float(completion.percent or 0),
        "assignment": config.grade_assignment_name,
        "cmid": config.grade_assignment_cmid,
        "scale": config.grade_scale,
    }
    return {name: value for name, value in payload.items() if value is not None}


@cw.hookimpl
def make_batches(
    config: MoodleConfig, kind: cw.Kind, operation: cw.Operation | None, payloads: Sequence[cw.Payload]
) -> Iterator[cw.Batch] | None:
    """Put the grades of one course together, a learner's enrollments next to each other; content as core has it."""
    if kind is cw.Kind.CONTENT:
        return None
    ordered = sorted(payloads, key=lambda payload: str(payload.body["userID"]))
    courses = map_reduce(ordered, lambda payload: payload.body["courseID"]).values()
    most = items_limit(LIMITS, config, kind)
    return (cw.Batch(operation, some) for of_course in courses for some in batched(of_course, most))

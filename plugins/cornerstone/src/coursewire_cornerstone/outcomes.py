"""Results as payloads of the API that the configuration reports them by."""

from __future__ import annotations

import coursewire as cw
from coursewire_cornerstone.config import CornerstoneConfig

FINAL = "ignoreWorkflow"
"""Field that only a completion has at the Transcript API."""


@cw.hookimpl
def export_completion(config: CornerstoneConfig, completion: cw.Completion) -> cw.JsonObject:
    """Return the payload of one completion; its status depends on completeness alone, not on the grade.

    Raises:
        NotExportableError: The learner's id is not known, or a completion for the callback has no date.
    """
    learner, course = cw.learner_of(completion), completion.course_key
    if config.completion_api == "callback":
        return _progress(completion, learner)
    if completion.complete:
        return {config.learner_field: learner, "learningObjectId": course, FINAL: True}
    if config.in_progress_api == "learning_assignments":
        return {"userId": learner, "loId": course, "Status": "In Progress"}
    return {config.learner_field: learner, "learningObjectId": course}


def _progress(completion: cw.Completion, learner: str) -> cw.JsonObject:
    told: cw.JsonObject = {"courseId": completion.course_key, "userGuid": learner}
    if not completion.complete:
        return {**told, "status": "In Progress", "completionDate": None}
    if completion.completed_at is None:
        raise cw.NotExportableError("completed_at", "Cornerstone keeps the date of a completion for ever")
    date = completion.completed_at.isoformat(timespec="seconds")
    verdict = completion.verdict.value
    return {**told, "status": "Completed", "completionDate": date, "successStatus": verdict}


@cw.hookimpl
def should_transmit(outcome: cw.Outcome, last_reported: cw.LastReported | None) -> bool | None:
    """Send nothing again that only another API words differently; otherwise core decides."""
    return False if last_reported == cw.LastReported.of(outcome) else None

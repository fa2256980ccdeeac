"""Results, in the words of the API that the configuration reports them by."""

from __future__ import annotations

import coursewire as cw
from coursewire.model.outcomes import Told
from coursewire_cornerstone.config import CornerstoneConfig

FINAL = "ignoreWorkflow"
"""Field that only a completion has at the Transcript API."""


@cw.hookimpl
def export_completion(config: CornerstoneConfig, completion: cw.Completion) -> cw.JsonObject:
    """Build what Cornerstone is told of a learner in a course; the status follows from being complete alone.

    Raises:
        NotExportableError: The learner, or the date of a completion that is told with one, is not known.
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
def should_transmit(outcome: cw.Outcome, told: Told | None) -> bool | None:
    """Tell nothing again that is no news: the same result in another API's words, say; else as core has it."""
    return False if told == Told.of(outcome) else None

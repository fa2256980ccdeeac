"""Colours for states and results: the same everywhere."""

from __future__ import annotations

from coursewire.model.payload import ResultKind
from coursewire.storage.audit.states import State

STATES = {
    State.CONFIRMED: "good",
    State.RETIRED: "good",
    State.PLANNED: "wait",
    State.SENDING: "wait",
    State.FAILED: "left",
    State.REJECTED: "bad",
    State.BLOCKED: "bad",
    State.IN_DOUBT: "bad",
}
RESULTS = {
    ResultKind.ACCEPTED: "good",
    ResultKind.ALREADY_SO: "good",
    ResultKind.TRY_LATER: "wait",
    ResultKind.THROTTLED: "wait",
    ResultKind.REJECTED: "bad",
    ResultKind.BLOCKED: "bad",
    ResultKind.CREDENTIALS_BROKEN: "bad",
    ResultKind.IN_DOUBT: "bad",
}
JOBS = {"finished": "good", "running": "wait", "waiting": "wait", "stopped": "left"}


def of_state(state: str) -> str:
    """The colour of a record's state; states that are added later wait."""
    return STATES.get(State(state), "wait")


def of_result(result: str) -> str:
    """The colour of a result; a note of a person, such as "released", has none."""
    return RESULTS.get(ResultKind(result), "") if result in set(ResultKind) else ""


def of_job(state: str) -> str:
    """The colour of a job's state; "failed" and "abandoned" are bad."""
    return JOBS.get(state, "bad")

"""Writing grades: many of one course with one request, or one by itself.

A grade counts as accepted when the gradebook shows it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import coursewire as cw
from coursewire_canvas import gradebook
from coursewire_canvas.api import ROWS_A_PAGE, config_of
from coursewire_canvas.config import PERMISSION_HINT
from coursewire_canvas.outcomes import NO_GRADE

OUTCOMES_A_BATCH = 200
REQUESTS_ALONE = 3
"""Requests that a grade costs by itself: finding the user, and reading and writing the submission."""
REQUESTS_TOGETHER = 4
"""Requests that a bulk costs beside the pages of students: reading, writing, asking whether it is done, reading."""
SAME_SCORE = 0.006
"""Canvas rounds points to two digits."""

NOT_ENROLLED = cw.Result(
    cw.ResultKind.BLOCKED,
    "learner-not-enrolled",
    "The user is not a student of the course in Canvas. Enrol the user there.",
)

NO_POINTS = cw.Result(
    cw.ResultKind.BLOCKED,
    "no-points-possible",
    "The assignment has no points in Canvas, so that no grade can be a part of them. Give it points there.",
)


class _Grade(NamedTuple):
    """One outcome whose place in the gradebook is known."""

    payload: cw.Payload
    place: gradebook.Place
    cell: cw.Cell


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Write the grades of one course.

    Returns:
        One result per payload. Accepted are those that the gradebook shows as they were sent.

    Raises:
        SendError: Nothing more can be said about any of them.
    """
    course = await gradebook.course(session, batch.payloads[0].body["course"])
    if course is None or course.get("workflow_state") == "deleted":
        return [
            _without_place(payload, cw.blocked(cw.Reason.COURSE_NOT_AT_LMS)) for payload in batch.payloads
        ]
    course_id = str(course["id"])
    pages = int(course.get("total_students") or 0) / ROWS_A_PAGE
    together = REQUESTS_ALONE * len(batch) > REQUESTS_TOGETHER + pages

    grades: dict[str, _Grade] = {}
    results: dict[str, cw.Result] = {}
    for payload in batch.payloads:
        placed = await _placed(session, course_id, payload, together=together)
        if isinstance(placed, _Grade):
            grades[payload.key] = placed
        else:
            results[payload.key] = placed

    async def write(best: Mapping[str, cw.Payload]) -> dict[str, cw.Result]:
        writing = {path: grades[payload.key] for path, payload in best.items()}
        if together:
            return await _write_together(session, course_id, writing)
        return {path: await _write_alone(session, grade) for path, grade in writing.items()}

    written = await cw.send_best(
        [grade.payload for grade in grades.values()],
        learner=lambda payload: [grades[payload.key].cell.path],
        grade=lambda payload: _score_or(-1, grades[payload.key].cell),
        write=write,
    )
    results |= dict(zip(grades, written, strict=True))
    return [results[payload.key] for payload in batch.payloads]


# -- where a grade goes ------------------------------------------------------------------------------


async def _placed(
    session: cw.Session, course_id: str, payload: cw.Payload, *, together: bool
) -> _Grade | cw.Result:
    """Find the submission that a grade goes to; a result where there is none."""
    body = payload.body
    posted = body["submission"]["posted_grade"]
    user_id = await _user(session, course_id, body["learner"], together=together)
    if isinstance(user_id, cw.Result):
        return user_id
    assignment = await gradebook.assignment(session, course_id, body["assignment"], create=False)
    if assignment is None and posted != NO_GRADE:
        # Nothing is made in a course for somebody who is not in it.
        if not together and not await gradebook.is_student(session, course_id, user_id):
            return NOT_ENROLLED
        assignment = await gradebook.assignment(session, course_id, body["assignment"], create=True)
    if assignment is None:
        return cw.Result(cw.ResultKind.ALREADY_SO, "no-such-assignment")
    if isinstance(assignment, cw.Result):
        return assignment
    if posted != NO_GRADE and not float(assignment.get("points_possible") or 0):
        return NO_POINTS
    posted = _of_the_maximum(posted, body["assignment"], assignment)
    assignment_id = str(assignment["id"])
    where = f"{course_id}/{assignment_id}/{user_id}"
    cell = cw.Cell(
        path=f"/api/v1/courses/{course_id}/assignments/{assignment_id}/submissions/{user_id}",
        score=_score(posted, assignment),
        within=SAME_SCORE,
        mark="score",
        place=lambda _submission: where,
        method="PUT",
        body={"submission": {"posted_grade": posted}},
    )
    return _Grade(payload, (assignment_id, user_id), cell)


async def _user(session: cw.Session, course_id: str, learner: str, *, together: bool) -> str | cw.Result:
    """Return the id of the user whom Canvas knows by a learner's id; a result where it is not one user's alone."""
    if not together:
        return cw.only_one(await gradebook.users_named(session, learner), learner)
    students = await gradebook.students(session, course_id)
    found = cw.only_one(students, learner)
    if isinstance(found, str) or found.reason != cw.Reason.LEARNER_UNMATCHED:
        return found
    elsewhere = cw.only_one(await gradebook.users_named(session, learner), learner)
    return NOT_ENROLLED if isinstance(elsewhere, str) else elsewhere


def _of_the_maximum(
    posted: float | str, wanted: Mapping[str, Any], assignment: Mapping[str, Any]
) -> float | str:
    """Return what is posted, in per cent where the assignment has another maximum now than it was created with."""
    if isinstance(posted, str) or float(assignment["points_possible"]) == wanted["points_possible"]:
        return posted
    return f"{posted / wanted['points_possible'] * 100:.10g}%"


def _score(posted: float | str, assignment: Mapping[str, Any]) -> float | None:
    """Return the points that the gradebook shows for what is posted; None for no grade."""
    if posted == NO_GRADE:
        return None
    if isinstance(posted, str):
        return float(posted.rstrip("%")) / 100 * float(assignment.get("points_possible") or 0)
    return posted


def _score_or(otherwise: float, cell: cw.Cell) -> float:
    return otherwise if cell.score is None else cell.score


def _without_place(payload: cw.Payload, result: cw.Result) -> cw.Result:
    """Return the result of a grade that has no place: a grade that is not there need not be taken away."""
    if payload.body["submission"]["posted_grade"] == NO_GRADE:
        return cw.Result(cw.ResultKind.ALREADY_SO, result.reason)
    return result


# -- writing it --------------------------------------------------------------------------------------


async def _write_alone(session: cw.Session, grade: _Grade) -> cw.Result:
    return await cw.write_score(
        session,
        grade.cell,
        is_others=_is_others(session),
        missing=NOT_ENROLLED,
        permission_hint=PERMISSION_HINT,
        not_found_member="errors",
    )


async def _write_together(
    session: cw.Session, course_id: str, grades: Mapping[str, _Grade]
) -> dict[str, cw.Result]:
    """Write grades of one course with one request.

    Args:
        session: The session of the run.
        course_id: Canvas's id of the course.
        grades: By the path of the submission.

    Returns:
        Results, by the path of the submission.
    """
    shown = await gradebook.submissions(session, course_id, [grade.place for grade in grades.values()])
    results: dict[str, cw.Result] = {}
    writing: dict[str, _Grade] = {}
    for path, grade in grades.items():
        settled = await grade.cell.before_writing(shown.get(grade.place, {}), _is_others(session))
        if settled is None:
            writing[path] = grade
        else:
            results[path] = settled
    if not writing:
        return results
    posted = {grade.place: grade.cell.body["submission"]["posted_grade"] for grade in writing.values()}
    bulk = await gradebook.post_grades(session, course_id, posted)
    if isinstance(bulk, cw.Result):
        return results | dict.fromkeys(writing, bulk)
    shown = await gradebook.submissions(session, course_id, list(posted))
    for path, grade in writing.items():
        results[path] = _after_bulk(grade.cell, shown.get(grade.place), bulk)
    return results


def _is_others(session: cw.Session) -> Callable[[cw.JsonObject], Awaitable[bool]] | None:
    """Return the function that tells whether somebody else graded a submission; None where that does not matter."""
    if not config_of(session).keep_instructor_changes:
        return None

    async def is_others(submission: cw.JsonObject) -> bool:
        grader = submission.get("grader_id")
        if grader is None or submission.get("score") is None:
            return False
        return str(grader) != await gradebook.own_id(session)

    return is_others


def _after_bulk(cell: cw.Cell, submission: cw.JsonObject | None, bulk: gradebook.Bulk) -> cw.Result:
    """Return what the gradebook says about one grade, once Canvas is done with the bulk."""
    if submission is not None and cell.shown_by(submission):
        return cell.result(cw.ResultKind.ACCEPTED, submission)
    if bulk.state == "failed":
        return cw.Result(
            cw.ResultKind.REJECTED,
            "bulk-failed",
            f"Canvas could not write all grades of the bulk: {bulk.message}",
            http_status=200,
            batch_refused=True,
        )
    if bulk.state != "completed":
        return cw.Result(
            cw.ResultKind.TRY_LATER,
            "grading-under-way",
            "Canvas was still writing the grades after a minute. The next run looks again.",
            http_status=200,
        )
    return cell.after_writing(submission or {})

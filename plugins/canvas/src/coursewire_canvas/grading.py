"""Writing grades: many of one course with one request, or one by itself.

What was written counts as accepted when the gradebook shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from coursewire.errors import IncompleteListError, SendError, UnreachableError
from coursewire.model.payload import Batch, Payload, Result, ResultKind
from coursewire.toolkit.responses import is_missing, read_object
from coursewire.toolkit.results import result_from_error
from coursewire_canvas import gradebook
from coursewire_canvas.answers import ROWS_A_PAGE, refused, settings
from coursewire_canvas.outcomes import NO_GRADE, by_course

if TYPE_CHECKING:
    from coursewire.model.session import Session

REQUESTS_ALONE = 3
"""What a grade costs by itself: finding the user, and reading and writing the submission."""
REQUESTS_TOGETHER = 4
"""What a bulk costs beside the pages of students: reading, writing, asking whether it is done, reading."""
SAME_SCORE = 0.006
"""Canvas rounds points to two digits."""

AT_CANVAS = {
    "course-not-at-lms": "Canvas has no such course, or it was deleted there. Transmit content first.",
    "learner-unmatched": "No user of the Canvas account has this e-mail address, login or SIS id.",
    "learner-ambiguous": "Several users of Canvas share this e-mail address, login or SIS id. Merge them, or "
    "link the learner to a login that is one user's alone.",
    "learner-not-enrolled": "The user is not a student of the course in Canvas. Enrol the user there.",
}
"""What a person at Canvas, or whoever links learners, can mend; core asks again once a day."""


@dataclass(frozen=True, slots=True)
class _Grade:
    """One outcome whose place in the gradebook is known."""

    payload: Payload
    course_id: str
    assignment_id: str
    user_id: str
    posted: float | str
    score: float | None
    """What the gradebook shows afterwards; None for no grade."""

    @property
    def pair(self) -> gradebook.Pair:
        return self.assignment_id, self.user_id

    @property
    def path(self) -> str:
        return f"/api/v1/courses/{self.course_id}/assignments/{self.assignment_id}/submissions/{self.user_id}"

    def shown_by(self, submission: Mapping[str, Any]) -> bool:
        """Tell whether the gradebook shows this grade."""
        score = submission.get("score")
        if self.score is None or score is None:
            return score is self.score
        return abs(float(score) - self.score) < SAME_SCORE

    def result(
        self, kind: ResultKind, reason: str = "", message: str = "", status: int | None = 200
    ) -> Result:
        where = f"{self.course_id}/{self.assignment_id}/{self.user_id}"
        return Result(kind, reason, message, where, status)


async def send(session: Session, batch: Batch) -> list[Result]:
    """Write the grades of a batch, course by course.

    Returns:
        One result per payload. Accepted are those that the gradebook shows as they were sent.

    Raises:
        SendError: Nothing more can be said about any of them.
    """
    results: dict[str, Result] = {}
    for key, payloads in by_course(batch.payloads).items():
        try:
            results |= await _send_course(session, key, payloads)
            continue
        except SendError as error:
            failure: SendError = error
        except IncompleteListError as error:
            failure = UnreachableError(error.what, why=error.why, next_step=error.next_step)
        if len(payloads) == len(batch):
            raise failure
        results |= {payload.key: result_from_error(failure) for payload in payloads}
    return [results[payload.key] for payload in batch.payloads]


async def _send_course(session: Session, key: str, payloads: Sequence[Payload]) -> dict[str, Result]:
    course = await gradebook.course(session, key)
    if course is None or course.get("workflow_state") == "deleted":
        return {payload.key: _without_place(payload, "course-not-at-lms") for payload in payloads}
    pages = int(course.get("total_students") or 0) / ROWS_A_PAGE
    together = REQUESTS_ALONE * len(payloads) > REQUESTS_TOGETHER + pages
    results: dict[str, Result] = {}
    grades: list[_Grade] = []
    for payload in payloads:
        placed = await _place(session, str(course["id"]), payload, together=together)
        if isinstance(placed, Result):
            results[payload.key] = placed
        else:
            grades.append(placed)
    if together and grades:
        return results | await _write_together(session, _best(grades, results))
    for grade in grades:
        results[grade.payload.key] = await _write_alone(session, grade)
    return results


async def _place(session: Session, course_id: str, payload: Payload, *, together: bool) -> _Grade | Result:
    body = payload.body
    name, posted = body["learner"].lower(), body["submission"]["posted_grade"]
    here = (await gradebook.students(session, course_id)).get(name, set()) if together else set()
    found = here or await gradebook.users_named(session, name)
    if len(found) != 1:
        return _blocked("learner-ambiguous" if found else "learner-unmatched")
    if together and not here:
        return _blocked("learner-not-enrolled")
    held = await gradebook.assignment(session, course_id, body["assignment"], create=posted != NO_GRADE)
    if held is None:
        return _without_place(payload, "no-such-assignment")
    if isinstance(held, Result):
        return held
    score = None if posted == NO_GRADE else _score(posted, held)
    return _Grade(payload, course_id, str(held["id"]), next(iter(found)), posted, score)


def _score(posted: float | str, assignment: Mapping[str, Any]) -> float:
    """The points that the gradebook shows for what is posted."""
    if isinstance(posted, str):
        return float(posted.rstrip("%")) / 100 * float(assignment.get("points_possible") or 0)
    return posted


def _best(grades: Sequence[_Grade], results: dict[str, Result]) -> list[_Grade]:
    """One grade for each submission: a learner who took the course twice has the better one."""
    best = {grade.pair: grade for grade in sorted(grades, key=lambda grade: grade.score or 0)}
    for grade in grades:
        if grade.score != best[grade.pair].score:
            message = "The learner has a better grade in the same course from another enrollment."
            results[grade.payload.key] = grade.result(ResultKind.REJECTED, "better-grade-sent", message, None)
    return [grade for grade in grades if grade.payload.key not in results]


async def _write_together(session: Session, grades: Sequence[_Grade]) -> dict[str, Result]:
    course_id = grades[0].course_id
    pairs = [grade.pair for grade in grades]
    shown = await gradebook.submissions(session, course_id, pairs)
    results = {}
    for grade in grades:
        settled = await _settled(session, grade, shown.get(grade.pair, {}))
        if settled is not None:
            results[grade.payload.key] = settled
    writing = [grade for grade in grades if grade.payload.key not in results]
    if not writing:
        return results
    posted = {grade.pair: grade.posted for grade in writing}
    ended = await gradebook.post_grades(session, course_id, posted)
    if isinstance(ended, Result):
        # Canvas does not say whose grade it refuses. In smaller batches, and at last alone, it does.
        whole = replace(ended, batch_refused=ended.kind is ResultKind.REJECTED)
        return results | {grade.payload.key: whole for grade in writing}
    shown = await gradebook.submissions(session, course_id, list(posted))
    return results | {grade.payload.key: _judged(grade, shown.get(grade.pair), ended) for grade in writing}


async def _write_alone(session: Session, grade: _Grade) -> Result:
    response = await session.get(grade.path)
    if response.is_success:
        settled = await _settled(session, grade, read_object(response))
        if settled is not None:
            return settled
        response = await session.put(grade.path, json={"submission": {"posted_grade": grade.posted}})
    if is_missing(response, "errors"):
        return _blocked("learner-not-enrolled")
    submission = read_object(response)
    if not response.is_success or "score" not in submission:
        return refused(session, response)
    return _judged(grade, submission, gradebook.Graded("completed", ""))


async def _settled(session: Session, grade: _Grade, shown: Mapping[str, Any]) -> Result | None:
    """What is said without writing: the grade is there already, or another's stands in its place."""
    if grade.shown_by(shown):
        return grade.result(ResultKind.ALREADY_SO)
    grader = shown.get("grader_id")
    if grader is None or not settings(session).keep_instructor_changes:
        return None
    graded = shown.get("score") is not None or shown.get("excused")
    if not graded or str(grader) == await gradebook.own_id(session):
        return None
    message = (
        "Somebody else graded this in Canvas, and it stays so. With keep_instructor_changes off it would be "
        "overwritten."
    )
    return grade.result(ResultKind.BLOCKED, "instructor-changed-it", message)


def _judged(grade: _Grade, shown: Mapping[str, Any] | None, ended: gradebook.Graded) -> Result:
    """What the gradebook says about one grade, once Canvas is done."""
    if shown is not None and grade.shown_by(shown):
        return grade.result(ResultKind.ACCEPTED)
    if ended.state == "failed":
        message = f"Canvas could not write all grades of the bulk: {ended.message}"
        return replace(grade.result(ResultKind.REJECTED, "bulk-failed", message), batch_refused=True)
    if ended.state != "completed":
        message = "Canvas was still writing the grades after a minute. The next run looks again."
        return grade.result(ResultKind.TRY_LATER, "grading-under-way", message)
    message = "Canvas says that it is done, but does not show this grade. Is the grading period closed?"
    return grade.result(ResultKind.TRY_LATER, "grade-not-shown", message)


def _without_place(payload: Payload, reason: str) -> Result:
    """What is not there need not be taken away."""
    gone = payload.body["submission"]["posted_grade"] == NO_GRADE
    return Result(ResultKind.ALREADY_SO, reason) if gone else _blocked(reason)


def _blocked(reason: str) -> Result:
    return Result(ResultKind.BLOCKED, reason, AT_CANVAS[reason])

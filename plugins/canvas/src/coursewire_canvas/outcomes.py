"""Completions and assessments as payloads: an assignment, and the grade that is posted to it.

Each course has one assignment for the final grade, and one for each subsection that was graded. Only the
first counts: the final grade holds the subsections' already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError
from coursewire.model.payload import Batch, JsonObject, Kind, Operation, Payload
from coursewire_canvas.content import check_key, cut

if TYPE_CHECKING:
    from coursewire.model.outcomes import Assessment, Completion, Outcome
    from coursewire_canvas.config import CanvasConfig

FINAL_GRADE = "(Edx integration) Final Grade"
FINAL_POINTS = 100
NO_GRADE = ""
"""Posted, it takes a grade away."""
OUTCOMES_A_BATCH = 200


def completion_payload(config: CanvasConfig, completion: Completion) -> JsonObject:
    """Build what Canvas holds of a completion: the final grade, in points of 100.

    A course that is not completed has no final grade, unless the configuration sends grades in progress: so
    a revoked pass takes its grade away.

    Raises:
        NotExportableError: The grade or the learner is unknown, or the key is too long.
    """
    key = check_key(completion.course_key, "course_key")
    points: float | str = NO_GRADE
    if completion.complete or config.send_in_progress:
        if completion.percent is None:
            why = "it is unknown, and a grade is all that Canvas holds of a completion"
            raise NotExportableError("percent", why, next_step="Find the grade at the source.")
        points = float(_hundredths(completion.percent))
    return _payload(completion, points, key, FINAL_GRADE, FINAL_POINTS, counts=True)


def assessment_payload(assessment: Assessment) -> JsonObject:
    """Build what Canvas holds of a subsection: its own points, and the grade as text such as ``"90%"``.

    Raises:
        NotExportableError: The subsection has no points, the learner is unknown, or a key is too long.
    """
    points = assessment.points_possible
    if points <= 0:
        raise NotExportableError("points_possible", "Canvas cannot hold a part of nothing")
    key = check_key(assessment.subsection_id, "subsection_id")
    number = int(points) if points == int(points) else float(points)
    percent = f"{_hundredths(assessment.percent).normalize():f}%"
    name = cut(assessment.subsection_name or key)
    return _payload(assessment, percent, key, name, number, counts=False)


def _hundredths(fraction: Decimal) -> Decimal:
    """Per cent, with two digits after the point as Canvas shows them."""
    return (fraction * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _payload(
    outcome: Outcome, posted: float | str, key: str, name: str, points: float, *, counts: bool
) -> JsonObject:
    if not outcome.remote_id:
        raise NotExportableError("remote_id", "it is not known whom Canvas means by this learner")
    return {
        "course": outcome.course_key,
        "learner": outcome.remote_id,
        "assignment": {
            "integration_id": key,
            "name": name,
            "omit_from_final_grade": not counts,
            "points_possible": points,
            "published": True,
            "submission_types": "none",
        },
        "submission": {"posted_grade": posted},
    }


def make_batches(
    kind: Kind, operation: Operation | None, payloads: Sequence[Payload]
) -> Iterator[Batch] | None:
    """Make batches of one course each, in the order of learners; content goes as core has it."""
    if kind is Kind.CONTENT:
        return None
    ordered = sorted(payloads, key=lambda payload: (payload.body["course"], payload.body["learner"]))
    starts = range(0, len(ordered), OUTCOMES_A_BATCH)
    return (Batch(operation, tuple(ordered[start : start + OUTCOMES_A_BATCH])) for start in starts)


# -- sending -----------------------------------------------------------------------------------------


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
        return bool(abs(score - self.score) < SAME_SCORE)

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
    ordered = sorted(batch.payloads, key=lambda payload: str(payload.body["course"]))
    for key, group in groupby(ordered, key=lambda payload: str(payload.body["course"])):
        payloads = list(group)
        try:
            results |= await _send_course(session, key, payloads)
            continue
        except SendError as error:
            failure: SendError = error
        except IncompleteListError as error:
            failure = UnreachableError(error.what, why=error.why, next_step=error.next_step)
        if len(payloads) == len(batch):
            raise failure
        results |= {payload.key: result_of_error(failure) for payload in payloads}
    return [results[payload.key] for payload in batch.payloads]


async def _send_course(session: Session, key: str, payloads: Sequence[Payload]) -> dict[str, Result]:
    course = await gradebook.course(session, key)
    if course is None or course.get("workflow_state") == "deleted":
        return {payload.key: _absent(payload, "course-not-at-lms") for payload in payloads}
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
    body, retire = payload.body, payload.operation is Operation.RETIRE
    name = body["learner"].lower()
    here = (await gradebook.students(session, course_id)).get(name, set()) if together else set()
    found = here or await gradebook.users_named(session, name)
    if len(found) != 1:
        return _blocked("learner-ambiguous" if found else "learner-not-found-at-lms")
    if together and not here:
        return _blocked("learner-not-enrolled")
    assignment = await gradebook.assignment(session, course_id, body["assignment"], create=not retire)
    if assignment is None:
        return Result(ResultKind.ALREADY_SO, "no-such-assignment")
    if isinstance(assignment, Result):
        return assignment
    posted = "" if retire else body["submission"]["posted_grade"]
    score: float | None = None
    if isinstance(posted, str) and posted:
        score = float(posted.rstrip("%")) / 100 * float(assignment.get("points_possible") or 0)
    elif not retire:
        score = float(posted)
    return _Grade(payload, course_id, str(assignment["id"]), next(iter(found)), posted, score)


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
        whole = replace(ended, whole_batch=ended.kind is ResultKind.REJECTED)
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
    if is_missing(response):
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


def by_course(payloads: Sequence[Payload]) -> dict[str, tuple[Payload, ...]]:
    """The payloads of each course, in their order."""
    found: defaultdict[str, list[Payload]] = defaultdict(list)
    for payload in payloads:
        found[payload.body["course"]].append(payload)
    return {key: tuple(of_course) for key, of_course in found.items()}

"""Scores in a gradebook: written into a learner's cell, and not over what somebody else put there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from coursewire.errors import ContractError
from coursewire.model.payload import JsonObject, Result, ResultKind
from coursewire.model.reasons import Reason
from coursewire.toolkit.responses import is_missing, read_object
from coursewire.toolkit.results import read_success, result_from

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

    from coursewire.model.payload import Payload
    from coursewire.model.session import Session

BlockedReason = (
    Literal[
        Reason.COURSE_NOT_AT_LMS,
        Reason.LEARNER_UNMATCHED,
        Reason.LEARNER_AMBIGUOUS,
        Reason.INSTRUCTOR_CHANGED_IT,
    ]
    | Literal["course-not-at-lms", "learner-unmatched", "learner-ambiguous", "instructor-changed-it"]
)
"""A reason for which a person at the LMS must act, as :func:`blocked` takes it."""

_AT_LMS: dict[str, str] = {
    Reason.COURSE_NOT_AT_LMS: "The LMS has no such course, or it was deleted there. Transmit content first.",
    Reason.LEARNER_UNMATCHED: "Nobody in the course at the LMS has this e-mail address, user name or id. Make the "
    "user, or enrol it there as a student.",
    Reason.LEARNER_AMBIGUOUS: "Several people in the course at the LMS share this e-mail address, user name or id. "
    "Let the configuration address learners by another field, or link the learner to an id of its own.",
    Reason.INSTRUCTOR_CHANGED_IT: "Somebody else changed this grade at the LMS, and it stays so. With "
    "keep_instructor_changes off it would be overwritten.",
}
"""The words for each: what a person at the LMS, or whoever links learners, can do."""

_BETTER = Result(
    ResultKind.REJECTED,
    Reason.COVERED,
    "The same person has a better grade in this course, sent under another id.",
)

_EXEMPT = ("exempt", "excused")
"""Names by which a cell says that the learner need not be graded: a person's decision in any case."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One learner's place in one column of a gradebook, and the score that is to stand there.

    Attributes:
        path: Path of the cell at the LMS. It is read with GET, and written at the same path.
        score: The score that the LMS shows once it is written; None for no score.
        within: The difference below which two scores count as the same, because the LMS rounds.
        mark: Name of a member that every answer about a cell has. An answer without it acknowledges nothing.
        place: Function of the LMS's answer that names the cell, such as ``"course/column/user"``. Results carry
            ``place/score`` as their ``remote_id``.
        method: HTTP method of the request that writes, such as ``"PATCH"``.
        body: JSON body of that request.
    """

    path: str
    score: float | None
    within: float
    mark: str
    place: Callable[[JsonObject], str]
    method: str
    body: Mapping[str, Any]

    def shown_by(self, answer: JsonObject) -> bool:
        """Tell whether an answer about the cell shows this score."""
        return same_score(answer.get("score"), self.score, self.within)

    def result(self, kind: ResultKind, answer: JsonObject, http_status: int = 200) -> Result:
        """Return a result that names the cell, for an answer that shows this score.

        Args:
            kind: Kind of the result, such as accepted.
            answer: The LMS's answer about the cell.
            http_status: Status of that answer.
        """
        return Result(kind, remote_id=f"{self.place(answer)}/{self.score}", http_status=http_status)

    def changed(self, answer: JsonObject, told: str) -> bool:
        """Tell whether somebody else changed the score since the result with the ``remote_id`` ``told``."""
        score, ours = answer.get("score"), told.rpartition("/")[2]
        return score is not None and (ours == "None" or not same_score(score, float(ours), self.within))

    async def before_writing(
        self, answer: JsonObject, is_others: Callable[[JsonObject], Awaitable[bool]] | None
    ) -> Result | None:
        """Return the result of a cell that is not to be written; None where it is to be written.

        Args:
            answer: The LMS's answer about the cell as it is now; empty where the LMS shows nothing.
            is_others: Asynchronous function of that answer that tells whether somebody else graded the cell. None where
                such a grade is to be overwritten, and with it the decision that the learner need not be graded.

        Returns:
            Already so where the cell shows the score; blocked, ``instructor-changed-it``, where somebody else graded it
            or decided that the learner need not be graded.
        """
        exempt = any(answer.get(name) for name in _EXEMPT)
        if self.shown_by(answer) and (self.score is None or not exempt):
            return self.result(ResultKind.ALREADY_SO, answer)
        if is_others is not None and (exempt or await is_others(answer)):
            return blocked(Reason.INSTRUCTOR_CHANGED_IT)
        return None

    def after_writing(self, answer: JsonObject, http_status: int = 200) -> Result:
        """Return the result of a cell that was written, from what the LMS then shows of it.

        Returns:
            Accepted where it shows the score; else try later, ``grade-not-shown``.
        """
        if self.shown_by(answer):
            return self.result(ResultKind.ACCEPTED, answer, http_status)
        message = (
            f"The LMS took the grade and shows {answer.get('score')!r:.40}. Is the column locked or calculated there, or "
            "the grading period closed?"
        )
        return Result(ResultKind.TRY_LATER, Reason.GRADE_NOT_SHOWN, message, http_status=http_status)


async def write_score(
    session: Session,
    cell: Cell,
    *,
    told: str | None = None,
    is_others: Callable[[JsonObject], Awaitable[bool]] | None = None,
    missing: Result | None = None,
    permission_hint: str = "",
    not_found_member: str = "",
) -> Result:
    """Write one score, or take it away, and accept it when the LMS then shows it.

    With ``told`` or ``is_others`` the cell is read first, and stays as it is where somebody else graded it or decided that
    the learner need not be graded. Without either it is written unread.

    Args:
        session: The session of the run.
        cell: The cell, and the score that is to stand in it.
        told: The ``remote_id`` of an earlier result of this function: a score that differs from it is somebody else's.
            None where there is no earlier result.
        is_others: Asynchronous function of an answer about the cell that tells whether somebody else graded it; for an LMS
            that names the grader. It goes before ``told``.
        missing: The result where the LMS knows no such cell; left out it is blocked, ``learner-unmatched``.
        permission_hint: Sentence that says how a person at the LMS gives the right, after a 403.
        not_found_member: As for :func:`~coursewire.toolkit.results.result_from`.

    Returns:
        Accepted, or already so where the cell shows the score; blocked where somebody else graded the cell, or the LMS knows
        no such cell; try later, ``grade-not-shown``, where the LMS shows another score than it took.

    Raises:
        SendError: The cell could not be read.

    Example:
        ::

            cell = cw.Cell(
                path=f"/columns/{column}/users/{user}",
                score=85.0,
                within=0.01,
                mark="userId",
                place=lambda answer: f"{column}/{answer['userId']}",
                method="PATCH",
                body={"score": 85.0},
            )
            result = await cw.write_score(session, cell, told=payload.remote_id)
    """
    own_404 = [not_found_member] if not_found_member else []

    async def is_changed(answer: JsonObject) -> bool:
        return told is not None and cell.changed(answer, told)

    if told or is_others:
        response = await session.get(cell.path)
        if not is_missing(response, *own_404):
            answer = read_success(response, permission_hint=permission_hint)
            settled = await cell.before_writing(answer, is_others or is_changed)
            if settled is not None:
                return replace(settled, remote_id=settled.remote_id or told)
    response = await session.request(cell.method, cell.path, json=dict(cell.body), safe_to_repeat=True)
    if is_missing(response, *own_404):
        return missing or blocked(Reason.LEARNER_UNMATCHED)
    answer = read_object(response)
    if response.is_success and cell.mark in answer:
        return cell.after_writing(answer, response.status_code)
    return result_from(
        response,
        now=session.clock(),
        acknowledged=False,
        permission_hint=permission_hint,
        not_found_member=not_found_member,
    )


def same_score(shown: Any, wanted: float | None, within: float) -> bool:
    """Tell whether an LMS shows a score.

    Args:
        shown: Member of the LMS's answer; None where it shows no score, which is not the same as zero.
        wanted: The score that it should show; None for no score.
        within: The difference below which two scores count as the same, because the LMS rounds.
    """
    if isinstance(shown, bool) or not isinstance(shown, int | float) or wanted is None:
        return shown is None and wanted is None
    return abs(shown - wanted) < within


async def people_by_name(people: AsyncIterator[tuple[str | None, Any]]) -> dict[str, set[str]]:
    """Return the ids of people at the LMS, by their names or addresses in lower case.

    Args:
        people: Pairs of a name or address and an id. A person may have several pairs; pairs without a name or an id are
            left out.

    Returns:
        The ids of all people who share a name or address, by it; see :func:`only_one`.

    Example:
        ::

            async def students():
                async for user in cw.rows_of(session, f"/courses/{course}/students"):
                    yield user.get("email"), user["id"]


            people = await cw.people_by_name(students())
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    async for name, user in people:
        if name and user:
            found[name.strip().casefold()].add(str(user))
    return dict(found)


def only_one(people: Mapping[str, Collection[str]], name: str) -> str | Result:
    """Return the id of the only person with a name or address.

    Args:
        people: As :func:`people_by_name` returns them.
        name: The name or address, with any capitals.

    Returns:
        The id; or a result, blocked with the reason ``learner-unmatched`` or ``learner-ambiguous``, where nobody or several
        people have it.

    Example:
        >>> people = {"pat@example.com": {"7"}, "sam@example.com": {"8", "9"}}
        >>> cw.only_one(people, "Pat@example.com")
        '7'
        >>> cw.only_one(people, "sam@example.com").reason
        'learner-ambiguous'
    """
    found = people.get(name.strip().casefold(), ())
    if len(found) == 1:
        return next(iter(found))
    return blocked(Reason.LEARNER_AMBIGUOUS if found else Reason.LEARNER_UNMATCHED)


def blocked(reason: BlockedReason, remote_id: str | None = None) -> Result:
    """Return the result of an item for which a person at the LMS must act first, with what there is to be done.

    Core asks again once a day.

    Args:
        reason: The reason why nothing can be written, as a member of :class:`~coursewire.model.reasons.Reason` or as text.
        remote_id: The LMS's own id of the item, as far as it is known.

    Raises:
        ContractError: The reason is another one. For a reason of the channel's own, make a
            :class:`~coursewire.model.payload.Result` and declare the reason with the channel.

    Example:
        >>> cw.blocked("learner-unmatched").message[:42]
        'Nobody in the course at the LMS has this e'
    """
    if reason not in _AT_LMS:
        raise ContractError(
            f"cw.blocked() has no words for the reason {reason!r}",
            why=f"it knows {', '.join(_AT_LMS)}",
            next_step="Use one of these, or return a cw.Result with a reason that the channel declares.",
        )
    return Result(ResultKind.BLOCKED, reason, _AT_LMS[reason], remote_id)


async def send_best(
    payloads: Sequence[Payload],
    *,
    learner: Callable[[Payload], Collection[str]],
    grade: Callable[[Payload], float],
    write: Callable[[Mapping[str, Payload]], Awaitable[Mapping[str, Result]]],
) -> list[Result]:
    """Write one grade for each person in a course: of several results of one person the best one.

    Core sends one result of each learner in a course. Two ids that turn out to mean one person only at the LMS, such as
    a user name and an ID number, are told apart here, and the better grade is written.

    Args:
        payloads: Grades of one course.
        learner: Function of a payload that returns the ids of all people at the LMS whom it may mean.
        grade: Function of a payload that returns the number by which grades are compared.
        write: Asynchronous function that writes the grades, given by the ids of learners, and returns the results by these
            ids. It is not called without grades.

    Returns:
        One result for each payload, in order. Blocked where a payload means nobody, or several people; rejected,
        ``covered``, where a better grade of the same learner was written.

    Example:
        ::

            people = await cw.people_by_name(students(session, course))
            results = await cw.send_best(
                batch.payloads,
                learner=lambda payload: people.get(payload.body["email"].casefold(), ()),
                grade=lambda payload: payload.body["score"],
                write=write_all,
            )
    """
    results: dict[str, Result] = {}
    grades: defaultdict[str, list[Payload]] = defaultdict(list)
    for payload in sorted(payloads, key=grade, reverse=True):
        found = learner(payload)
        if len(found) == 1:
            grades[next(iter(found))].append(payload)
        else:
            results[payload.key] = blocked(Reason.LEARNER_AMBIGUOUS if found else Reason.LEARNER_UNMATCHED)
    best = {user: mine[0] for user, mine in grades.items()}
    written = await write(best) if best else {}
    for user, mine in grades.items():
        for payload in mine:
            worse = grade(payload) != grade(best[user]) and written[user].confirms
            results[payload.key] = _BETTER if worse else written[user]
    return [results[payload.key] for payload in payloads]

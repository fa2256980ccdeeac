"""Grades for an LMS that keeps one for each learner of a course."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from coursewire.model.payload import Result, ResultKind
from coursewire.model.reasons import Reason
from coursewire.toolkit.gradebook import blocked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from coursewire.model.payload import Payload

BETTER = Result(
    ResultKind.REJECTED,
    Reason.BETTER_GRADE_SENT,
    "The learner has a better grade in the same course from another enrollment.",
)


async def send_best(
    payloads: Sequence[Payload],
    *,
    learner: Callable[[Payload], Collection[str]],
    grade: Callable[[Payload], float],
    write: Callable[[Mapping[str, Payload]], Awaitable[Mapping[str, Result]]],
) -> list[Result]:
    """Write one grade for each learner of a course; a learner who took the course twice gets the better one.

    Example::

        return await cw.send_best(
            batch.payloads,
            learner=lambda payload: people.get(payload.body["learner"].casefold(), ()),
            grade=lambda payload: payload.body["grade"],
            write=lambda grades: write_grades(session, course, grades),
        )

    Args:
        payloads: Grades of one course.
        learner: Function of a payload that returns the ids of all learners that it may mean at the LMS; in a gradebook
            with several columns, the ids of all cells.
        grade: Function of a payload that returns the number by which grades are compared.
        write: Asynchronous function of the payloads to write, by these ids, that returns their results by the same ids.
            It is not called where there is nothing to write.

    Returns:
        One result for each payload, in order: blocked where a payload means nobody, or several; rejected,
        ``better-grade-sent``, where a better grade of the same learner was written; otherwise that of ``write``.
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
            results[payload.key] = BETTER if worse else written[user]
    return [results[payload.key] for payload in payloads]

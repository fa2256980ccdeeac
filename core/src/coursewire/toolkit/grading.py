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
    """Write one grade for each learner of one course: who took it twice has the better one.

    Args:
        payloads: Grades of one course.
        learner: The ids of all whom a payload may mean at the LMS.
        grade: What to compare by.
        write: Writes grades by the ids of learners, and gives the results by them; not called without grades.

    Returns:
        One result per payload, in order. Blocked where a payload means nobody, or several; rejected where a better
        grade of the same learner is written.
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

"""Scores in a gradebook: written into a learner's cell, and not over what somebody else put there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coursewire.model.payload import JsonObject, Result, ResultKind
from coursewire.model.reasons import Reason
from coursewire.toolkit.responses import is_missing, read_object
from coursewire.toolkit.results import read_success, result_from

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping

    import httpx

    from coursewire.model.session import Session

AT_LMS = {
    Reason.COURSE_NOT_AT_LMS: "The LMS has no such course, or it was deleted there. Transmit content first.",
    Reason.LEARNER_UNMATCHED: "Nobody in the course at the LMS has this e-mail address, user name or id. Make the "
    "user, or enrol it there as a student.",
    Reason.LEARNER_AMBIGUOUS: "Several people in the course at the LMS share this e-mail address, user name or id. "
    "Let the configuration address learners by another field, or link the learner to an id of its own.",
    Reason.INSTRUCTOR_CHANGED_IT: "Somebody else changed this grade at the LMS, and it stays so. With "
    "keep_instructor_changes off it would be overwritten.",
}
"""What a person at the LMS, or whoever links learners, can mend; core asks again once a day."""

_EXEMPT = ("exempt", "excused")
"""Names by which a cell says that the learner need not be graded: a person's decision in any case."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One learner's place in one column, and what is to stand there.

    Attributes:
        path: Where it is read with GET, and written.
        score: What the LMS shows once it is written; None for no score.
        within: How far apart two scores may be that count as the same: the LMS rounds.
        mark: A member that an answer about a cell always has; what lacks it is no acknowledgement.
        place: Of the cell, from the LMS's answer. What is remembered is ``place/score``.
        method: Of the request that writes.
        body: Its JSON.
    """

    path: str
    score: float | None
    within: float
    mark: str
    place: Callable[[JsonObject], str]
    method: str
    body: Mapping[str, Any]

    def shown_by(self, answer: JsonObject) -> bool:
        """Tell whether an answer shows this score."""
        return same_score(answer.get("score"), self.score, self.within)

    def result(self, kind: ResultKind, response: httpx.Response) -> Result:
        """What is remembered of a cell that shows this score."""
        place = f"{self.place(read_object(response))}/{self.score}"
        return Result(kind, remote_id=place, http_status=response.status_code)

    def changed(self, answer: JsonObject, told: str) -> bool:
        """Tell whether somebody else changed it since ``told`` was remembered."""
        score, ours = answer.get("score"), told.rpartition("/")[2]
        return score is not None and (ours == "None" or not same_score(score, float(ours), self.within))


async def write_score(
    session: Session,
    cell: Cell,
    *,
    told: str | None = None,
    permission_hint: str = "",
    not_found_member: str = "",
) -> Result:
    """Write one score, or take it away; accepted is what the LMS then shows.

    Args:
        session: The session.
        cell: Where, and what.
        told: The ``remote_id`` of an earlier result. What somebody else changed since stays so. None writes
            without looking.
        rights: How a person at the LMS gives the right, after a 403.
        not_found_member: As for :func:`~coursewire.toolkit.results.result_from`.

    Returns:
        Accepted, or already so where the cell shows the score; blocked where somebody else changed the cell, or
        nobody is known by this id; try later, ``grade-not-shown``, where the LMS shows another score than it took.
    """
    own = [not_found_member] if not_found_member else []
    response = await session.get(cell.path) if told else None
    if told and response is not None and not is_missing(response, *own):
        shown = read_success(response, permission_hint=permission_hint)
        exempt = any(shown.get(name) for name in _EXEMPT)
        if cell.shown_by(shown) and not exempt:
            return cell.result(ResultKind.ALREADY_SO, response)
        if exempt or cell.changed(shown, told):
            return blocked(Reason.INSTRUCTOR_CHANGED_IT, told)
    response = await session.request(cell.method, cell.path, json=dict(cell.body), safe_to_repeat=True)
    if is_missing(response, *own):
        return blocked(Reason.LEARNER_UNMATCHED)
    shown, status = read_object(response), response.status_code
    if not response.is_success or cell.mark not in shown:
        return result_from(
            response,
            now=session.clock(),
            acknowledged=False,
            permission_hint=permission_hint,
            not_found_member=not_found_member,
        )
    if cell.shown_by(shown):
        return cell.result(ResultKind.ACCEPTED, response)
    message = f"The LMS took the grade and shows {shown.get('score')!r:.40}. Is the column locked or calculated there?"
    return Result(ResultKind.TRY_LATER, "grade-not-shown", message, http_status=status)


def same_score(shown: Any, wanted: float | None, within: float) -> bool:
    """Tell whether an LMS shows a score, within its rounding. No score is only like no score, not like zero."""
    if isinstance(shown, bool) or not isinstance(shown, int | float) or wanted is None:
        return shown is None and wanted is None
    return abs(shown - wanted) < within


async def people_by_name(people: AsyncIterator[tuple[str | None, Any]]) -> dict[str, set[str]]:
    """The ids of people by what learners are known by, without regard to capitals; several may share it.

    Args:
        people: Name or address, and id, of each; those without one are left out.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    async for name, user in people:
        if name and user:
            found[name.strip().casefold()].add(str(user))
    return dict(found)


def only_one(people: Mapping[str, Collection[str]], name: str) -> str | Result:
    """The id of the one person of this name or address; or that there is none, or are several."""
    found = people.get(name.strip().casefold(), ())
    if len(found) == 1:
        return next(iter(found))
    return blocked(Reason.LEARNER_AMBIGUOUS if found else Reason.LEARNER_UNMATCHED)


def blocked(reason: str, remote_id: str | None = None) -> Result:
    """That a person must act first, with what there is to be done; the reasons are those of :data:`AT_LMS`."""
    return Result(ResultKind.BLOCKED, reason, AT_LMS[Reason(reason)], remote_id)

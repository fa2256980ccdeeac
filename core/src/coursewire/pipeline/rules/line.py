"""The line: the one result that an LMS holds of a learner in a course, or in a subsection of it.

Several enrollments may feed one line: runs of one course that are one course at the LMS, or two accounts of one person.
The configuration's ``result_policy`` says which of their results stands. Pure: no database and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from coursewire.model.configuration import ResultPolicy
from coursewire.model.outcomes import LastReported, Verdict


class Line(NamedTuple):
    """The key of a line at one LMS.

    Attributes:
        course_key: Key that the LMS knows the course by.
        learner_id: Id that the LMS knows the learner by.
        subsection: Id of the subsection; "" for the whole course.
    """

    course_key: str
    learner_id: str
    subsection: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One enrollment's result, as far as it may stand in a line.

    Attributes:
        key: Key of the outcome's record.
        enrollment: Id of the enrollment.
        result: The result itself.
        at: Instant of the completion, or where there is none of the enrollment; None where neither is known.
        stands: True for the result that the LMS shows now. Among equals it stays.
    """

    key: str
    enrollment: str
    result: LastReported
    at: datetime | None = None
    stands: bool = False

    @property
    def words(self) -> str:
        """The enrollment and its result, for people.

        Example:
            >>> told = LastReported(verdict=Verdict.PASS, complete=True, completed_at=None, percent="0.95")
            >>> Claim("k", "12", told).words
            'enrollment 12 (Pass, 95%)'
        """
        verdict = self.result.verdict.value if self.result.verdict else ""
        percent = "" if self.result.percent is None else f"{float(self.result.percent) * 100:g}%"
        return f"enrollment {self.enrollment} ({', '.join(filter(None, [verdict, percent])) or 'no grade'})"


def winner(policy: ResultPolicy, claims: Iterable[Claim]) -> Claim:
    """Return the claim that stands in the line. A completed course goes before progress under every policy.

    Args:
        policy: The configuration's ``result_policy``.
        claims: At least one claim.

    Example:
        >>> def claim(enrollment, percent, **more):
        ...     fields = {"verdict": None, "completed_at": None}
        ...     return Claim(enrollment, enrollment, LastReported(complete=True, percent=percent, **fields), **more)
        >>> low, high = claim("1", "0.61", at=datetime(2026, 9, 1, tzinfo=UTC)), claim("2", "0.95")
        >>> winner(ResultPolicy.BEST, [low, high]).enrollment, winner(ResultPolicy.LATEST, [low, high]).enrollment
        ('2', '1')
    """
    rank = {
        ResultPolicy.BEST: _best,
        ResultPolicy.LATEST: _latest,
        ResultPolicy.FIRST_PASS: _first_pass,
    }[policy]
    # Where all else is equal the same one wins in every run.
    ordered = sorted(claims, key=lambda claim: claim.key)
    return max(ordered, key=lambda claim: (claim.result.complete, *rank(claim), claim.stands))


def _best(claim: Claim) -> tuple[object, ...]:
    return claim.result.merit


def _latest(claim: Claim) -> tuple[object, ...]:
    return (claim.at or _LONG_AGO,)


def _first_pass(claim: Claim) -> tuple[object, ...]:
    result = claim.result
    passed = result.complete and result.verdict in (None, Verdict.PASS, Verdict.AUDIT)
    if not passed:
        return (False, 0.0, *result.merit)
    return (True, -(claim.at or _FAR_OFF).timestamp())


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_FAR_OFF = datetime(9999, 1, 1, tzinfo=UTC)

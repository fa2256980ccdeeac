"""When a course is completed, with which verdict and since when: one decision table a policy.

A policy is a table of rows; the first row whose conditions all hold decides. The tables are explained in
docs/explanation/completion-rules.md. "Now" is never the date of a result: a date that no evidence gives is
unknown, and what is passed or finished without a date is not sent, with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple

from coursewire.model.configuration import CompletionPolicy
from coursewire.model.outcomes import Verdict, snap
from coursewire.model.reasons import Reason
from coursewire.model.results import AUDIT_MODES, EnrollmentFacts

if TYPE_CHECKING:
    from coursewire.model.instant import Moment


@dataclass(frozen=True, slots=True)
class Judgement:
    """A policy's verdict about an enrollment.

    Attributes:
        verdict: What the outcome would say.
        complete: Whether the course counts as completed.
        completed_at: When; aware UTC, never later than the moment of judging. None when there is none.
        percent: 0 to 1; None is unknown.
        evidence: What was looked at and which row decided; plain data for a record.
        reason: Why it cannot be judged, a reason code; ``complete`` is then False. "" when it can.
        message: The dates that are missing and where each would come from, where one of them is all that lacks.
    """

    verdict: Verdict
    complete: bool
    completed_at: datetime | None
    percent: Decimal | None
    evidence: Mapping[str, Any]
    reason: str = ""
    message: str = ""


# What a date may come from; a row names them in order of preference.
CERTIFICATE = "certificate"
PASSED = "first-passed"
END = "course-end"
MODIFIED = "grade-modified"
DEADLINE = "upgrade-deadline"

WHERE_FROM = {
    CERTIFICATE: "the certificate's date of creation",
    PASSED: "the grade's date of passing (passed_timestamp)",
    END: "the end of the course run, once it has come",
    MODIFIED: "the grade's date of change (modified)",
    DEADLINE: "the upgrade deadline of the run's verified seat, once it has passed",
}
"""The field of the source that each date comes from, in words."""

PASSING, NOT_PASSING, ABSENT = "passing", "not passing", "absent"
YES, NO, UNKNOWN = "yes", "no", "unknown"
PAST, TO_COME, NONE = "past", "to come", "none"
SELF_PACED, INSTRUCTOR_PACED = "self_paced", "instructor_paced"

DATE_UNKNOWN = Reason.COMPLETION_DATE_UNKNOWN


class Situation(NamedTuple):
    """The evidence that the tables' conditions look at.

    Attributes:
        audit: The enrollment's mode is of the audit track.
        certificate: ``passing``, ``not passing``, or ``absent``; one that does not say which is no evidence.
        certificate_date: It is known when the certificate was made.
        graded: There is a grade: a percentage, or whether it is passing.
        passed: The grade as it is now: ``yes``, ``no``, or ``unknown``.
        passing_date: It is known when passing was first reached.
        end: ``past``, ``to come``, or ``none``.
        left: Units to be done: ``yes``, ``no``, or ``unknown``.
        open: The deadline for the verified seat has passed, or there is none.
        pacing: ``self_paced``, ``instructor_paced``, or ``unknown``.
    """

    audit: bool
    certificate: str
    certificate_date: bool
    graded: bool
    passed: str
    passing_date: bool
    end: str
    left: str
    open: bool
    pacing: str


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        name: As in the documentation.
        when: Attributes of the situation and what they must be.
        verdict: What the outcome says.
        dates: Where its date comes from; the first that is known.
        complete: Whether the course is completed, provided that a date is known.
        reason: Why it cannot be judged.
    """

    name: str
    when: Mapping[str, Any]
    verdict: Verdict
    dates: tuple[str, ...] = ()
    complete: bool = False
    reason: str = ""


_PASS, _FAIL, _IN_PROGRESS, _AUDIT = Verdict.PASS, Verdict.FAIL, Verdict.IN_PROGRESS, Verdict.AUDIT


def _table(common: Mapping[str, Any], *rows: Row) -> tuple[Row, ...]:
    return tuple(row._replace(when={**common, **row.when}) for row in rows)


# fmt: off
_CERTIFIED = {"certificate": PASSING}
_REFUSED = {"certificate": NOT_PASSING}
_DONE = {"left": NO, "open": True}

PASSED_TABLE = (
    *_table(
        {"audit": False},
        Row("N1", _CERTIFIED | {"certificate_date": True, "passing_date": True}, _PASS, (CERTIFICATE,), complete=True),
        Row("N2-paced", _CERTIFIED | {"certificate_date": True, "pacing": INSTRUCTOR_PACED}, _PASS, (CERTIFICATE,), complete=True),
        Row("N2", _CERTIFIED | {"certificate_date": True}, _PASS, (CERTIFICATE,), reason=DATE_UNKNOWN),
        Row("N3", _REFUSED | {"certificate_date": True}, _FAIL, (CERTIFICATE,)),
        Row("N4", _CERTIFIED | {"passing_date": True}, _PASS, (PASSED,), complete=True),
        Row("N4-fail", _REFUSED | {"passing_date": True}, _FAIL, (PASSED,)),
        Row("N5", _CERTIFIED, _PASS, reason=DATE_UNKNOWN),
        Row("N5-fail", _REFUSED, _FAIL),
        Row("N6", {"graded": False}, _IN_PROGRESS),
        Row("N7", {"end": PAST, "passed": YES, "passing_date": True}, _PASS, (END,), complete=True),
        Row("N7-undated", {"end": PAST, "passed": YES}, _PASS, (END,), reason=DATE_UNKNOWN),
        Row("N8", {"end": PAST, "passed": NO}, _FAIL, (END,)),
        Row("N9", {"passed": YES, "passing_date": True}, _PASS, (PASSED,), complete=True),
        Row("N9-undated", {"passed": YES}, _PASS, reason=DATE_UNKNOWN),
        Row("N10", {}, _IN_PROGRESS),
    ),
    *_table(
        {"audit": True},
        Row("A7", {"left": UNKNOWN}, _IN_PROGRESS, reason=Reason.INCOMPLETE_UNKNOWN),
        Row("A1", {"graded": False, "left": YES}, _IN_PROGRESS),
        Row("A2", {"graded": False} | _DONE, _AUDIT, (MODIFIED, END, DEADLINE, CERTIFICATE), complete=True),
        Row("A2-early", {"graded": False}, _IN_PROGRESS, (MODIFIED, END)),
        Row("A3", {"end": PAST} | _DONE, _AUDIT, (END,), complete=True),
        Row("A3-early", {"end": PAST}, _AUDIT, (END,)),
        Row("A4", {"passed": YES} | _DONE, _PASS, (PASSED, MODIFIED, DEADLINE, CERTIFICATE), complete=True),
        Row("A4-early", {"passed": YES}, _PASS, (PASSED, MODIFIED)),
        Row("A5", _DONE, _AUDIT, (MODIFIED, DEADLINE, PASSED, CERTIFICATE), complete=True),
        Row("A5-early", {"left": NO}, _IN_PROGRESS, (MODIFIED,)),
        Row("A6", {}, _IN_PROGRESS),
    ),
)
"""Completed is who passes now and is known to have passed; on the audit track, who has nothing left to do and
cannot buy the verified seat any more."""

EVIDENCE_TABLE = (
    *_table(
        {"audit": False},
        Row("E1", _CERTIFIED, _PASS, (CERTIFICATE, PASSED), complete=True),
        Row("E2", _REFUSED, _FAIL, (CERTIFICATE,)),
        Row("E3", {"passing_date": True}, _PASS, (PASSED,), complete=True),
        Row("E4", {"passed": YES}, _PASS, reason=DATE_UNKNOWN),
        Row("E5", {"end": PAST, "passed": NO}, _FAIL, (END,)),
        Row("E6", {}, _IN_PROGRESS),
    ),
    *_table(
        {"audit": True},
        Row("E7", {"left": UNKNOWN}, _IN_PROGRESS, reason=Reason.INCOMPLETE_UNKNOWN),
        Row("E8", {"left": NO, "passed": YES}, _PASS, (PASSED, MODIFIED, END, DEADLINE, CERTIFICATE), complete=True),
        Row("E9", {"left": NO}, _AUDIT, (MODIFIED, END, DEADLINE, CERTIFICATE), complete=True),
        Row("E10", {"end": PAST}, _AUDIT, (END,)),
        Row("E11", {}, _IN_PROGRESS),
    ),
)
"""Completed is who has a certificate or a date of passing; on the audit track, who has nothing left to do."""

PACING_TABLE = (
    *_table(
        {"pacing": INSTRUCTOR_PACED},
        Row("P1", _CERTIFIED, _PASS, (CERTIFICATE, PASSED), complete=True),
        Row("P2", _REFUSED, _FAIL, (CERTIFICATE,), complete=True),
        Row("P3", {}, _IN_PROGRESS),
    ),
    *_table(
        {"pacing": SELF_PACED},
        Row("P4", {"end": PAST, "passed": YES}, _PASS, (END,), complete=True),
        Row("P5", {"end": PAST, "passed": NO}, _FAIL, (END,), complete=True),
        Row("P6", {"end": PAST}, _IN_PROGRESS, reason=Reason.GRADE_UNKNOWN),
        Row("P7", {"end": TO_COME}, _IN_PROGRESS),
        Row("P8", {"passed": YES}, _PASS, (PASSED,), complete=True),
        Row("P9", {}, _IN_PROGRESS),
    ),
    Row("P10", {}, _IN_PROGRESS, reason=Reason.PACING_UNKNOWN),
)
"""Completed is, instructor-paced, who has a certificate; self-paced, who was there to the end of the run, or
passed where it has none. The track makes no difference."""
# fmt: on

TABLES: Mapping[CompletionPolicy, tuple[Row, ...]] = {
    CompletionPolicy.PASSED: PASSED_TABLE,
    CompletionPolicy.EVIDENCE: EVIDENCE_TABLE,
    CompletionPolicy.PACING: PACING_TABLE,
}


def judge(policy: CompletionPolicy, facts: EnrollmentFacts, moment: Moment) -> Judgement:
    """Judge an enrollment by a policy's table.

    Args:
        policy: The completion policy of the configuration.
        facts: What the source knows.
        moment: The "now" of the run; it learns when the judgement will change by the passing of time.
    """
    situation = situate(facts, moment)
    row = next(
        row
        for row in TABLES[policy]
        if all(getattr(situation, name) == value for name, value in row.when.items())
    )
    known = _dates(facts)
    usable = [name for name in row.dates if name in known and _has_come(name, known[name], moment)]
    origin = usable[0] if usable else None
    found = known[origin] if origin else None
    completed_at = found
    if found is not None and not moment.has_passed(found):
        completed_at = moment.now  # some LMSs lose a completion that lies in the future
    percent, percent_from = _percent(facts, situation)
    undated = row.complete and found is None
    reason = DATE_UNKNOWN if undated else row.reason
    return Judgement(
        verdict=row.verdict,
        complete=row.complete and not undated,
        completed_at=completed_at,
        percent=percent,
        evidence={
            "policy": policy.value,
            "row": row.name,
            "mode": facts.mode,
            "pacing": facts.course.pacing,
            "passed": facts.grade.passed if facts.grade else None,
            "percent": None if percent is None else str(percent),
            "percent_from": percent_from,
            "incomplete_count": facts.incomplete_count,
            "certificate_status": facts.certificate.status if facts.certificate else None,
            "date_from": origin,
            "dates": {name: date.isoformat() for name, date in known.items()},
        },
        reason=reason,
        message=_missing(row) if reason == DATE_UNKNOWN else "",
    )


def _missing(row: Row) -> str:
    """Say which date is missing. A row that is never complete asks for the date of passing, whatever else is known."""
    names = row.dates if row.complete else (PASSED,)
    wanted = " or ".join(WHERE_FROM[name] for name in names)
    return (
        f"The source gives none of the dates that would do: {wanted}."
        if len(names) > 1
        else f"Missing: {wanted}."
    )


def situate(facts: EnrollmentFacts, moment: Moment) -> Situation:
    """Bring the facts into the terms of the tables."""
    certificate, grade, course = facts.certificate, facts.grade, facts.course
    return Situation(
        audit=facts.mode in AUDIT_MODES,
        certificate=_CERTIFICATE[certificate.is_passing if certificate else None],
        certificate_date=certificate is not None and certificate.created_at is not None,
        graded=grade is not None and not (grade.passed is None and grade.percent is None),
        passed=_YES_NO[grade.passed if grade else None],
        passing_date=grade is not None and grade.passed_at is not None,
        end=NONE if course.end is None else PAST if moment.has_passed(course.end) else TO_COME,
        left=_YES_NO[None if facts.incomplete_count is None else facts.incomplete_count > 0],
        open=course.upgrade_deadline is None or moment.has_passed(course.upgrade_deadline),
        pacing=course.pacing if course.pacing in (SELF_PACED, INSTRUCTOR_PACED) else UNKNOWN,
    )


_CERTIFICATE = {True: PASSING, False: NOT_PASSING, None: ABSENT}
_YES_NO = {True: YES, False: NO, None: UNKNOWN}


def _dates(facts: EnrollmentFacts) -> dict[str, datetime]:
    certificate, grade, course = facts.certificate, facts.grade, facts.course
    dates = {
        CERTIFICATE: certificate.created_at if certificate else None,
        PASSED: grade.passed_at if grade else None,
        END: course.end,
        MODIFIED: grade.modified_at if grade else None,
        DEADLINE: course.upgrade_deadline,
    }
    return {name: date for name, date in dates.items() if date is not None}


def _has_come(name: str, date: datetime, moment: Moment) -> bool:
    """Tell whether something happened then; what was planned for a day to come has not happened."""
    return name not in (END, DEADLINE) or moment.has_passed(date)


def _percent(facts: EnrollmentFacts, situation: Situation) -> tuple[Decimal | None, str | None]:
    """Return the certificate's grade where it counts and is a fraction, else the grade's; and which of them it is."""
    if facts.certificate and situation.certificate != ABSENT and not situation.audit:
        percent = _fraction(facts.certificate.grade)
        if percent is not None:
            return percent, "certificate"
    if facts.grade and facts.grade.percent is not None:
        return facts.grade.percent, "grade"
    return None, None


def _fraction(text: str | None) -> Decimal | None:
    """Return a certificate's grade as a fraction; None for letters, and for numbers of another scale."""
    try:
        value = snap(Decimal(text or ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 <= value <= 1 else None

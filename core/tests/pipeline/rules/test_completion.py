"""Every row of every policy's table, one line each; then what all of them share."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from coursewire.model.configuration import CompletionPolicy
from coursewire.model.instant import Moment
from coursewire.model.outcomes import Verdict
from coursewire.model.results import (
    CertificateFacts,
    Consent,
    ConsentState,
    CourseFacts,
    EnrollmentFacts,
    GradeFacts,
    LearnerFacts,
)
from coursewire.pipeline.rules.completion import TABLES, judge

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}T10:00:00+00:00")


PASSED, CERTIFIED, MODIFIED = day("04-10"), day("04-12"), day("05-20")
ENDED, TO_COME = day("05-15"), day("08-15")
DEADLINE, OPEN = day("07-01"), day("05-01")

YES = CertificateFacts(status="downloadable", is_passing=True, grade="0.91", created_at=CERTIFIED)
YES_UNDATED = YES.model_copy(update={"created_at": None})
NO = CertificateFacts(status="notpassing", is_passing=False, created_at=CERTIFIED)
NO_UNDATED = NO.model_copy(update={"created_at": None})
UNSAID = CertificateFacts(status="generating", is_passing=None, created_at=CERTIFIED)


def grade(passed: bool | None, *, since: datetime | None = None, percent: str | None = "0.80") -> GradeFacts:
    return GradeFacts(
        passed=passed,
        percent=None if percent is None else Decimal(percent),
        passed_at=since,
        modified_at=MODIFIED,
    )


GOOD = grade(True, since=PASSED)
GOOD_UNDATED = grade(True)
BELOW = grade(False, percent="0.48")
BELOW_AGAIN = grade(False, since=PASSED, percent="0.55")
UNSURE = grade(None, percent="0.70")
NONE_YET = grade(None, percent=None)


def enrollment(
    mode: str = "verified",
    certificate: CertificateFacts | None = None,
    graded: GradeFacts | None = None,
    **more: Any,
) -> EnrollmentFacts:
    course = {name: more.pop(name) for name in ("end", "pacing", "upgrade_deadline") if name in more}
    return EnrollmentFacts(
        id="e1",
        customer="acme",
        learner=LearnerFacts(username="ada", email=None, active=True, linked=True),
        course=CourseFacts(course_key="FarmU+SOIL101", run_key="course-v1:FarmU+SOIL101+T1", **course),
        mode=mode,
        is_active=True,
        created_at=None,
        consent=Consent(ConsentState.GRANTED),
        certificate=certificate,
        grade=graded,
        **more,
    )


def verified(certificate: CertificateFacts | None, graded: GradeFacts | None, **more: Any) -> EnrollmentFacts:
    return enrollment("verified", certificate, graded, **more)


def audit(left: int | None, graded: GradeFacts | None, **more: Any) -> EnrollmentFacts:
    return enrollment("audit", None, graded, incomplete_count=left, **more)


P, F, IP, A = Verdict.PASS, Verdict.FAIL, Verdict.IN_PROGRESS, Verdict.AUDIT
NO_DATE, NO_COUNT = "completion-date-unknown", "incomplete-unknown"

PASSED_ROWS = [
    # row, what is known, verdict, date, complete, reason
    ("N1", verified(YES, GOOD), P, CERTIFIED, True, ""),
    ("N1", verified(YES, BELOW_AGAIN), P, CERTIFIED, True, ""),  # the certificate outweighs the grade
    ("N2-paced", verified(YES, GOOD_UNDATED, pacing="instructor_paced"), P, CERTIFIED, True, ""),
    ("N2-paced", verified(YES, None, pacing="instructor_paced"), P, CERTIFIED, True, ""),
    ("N2", verified(YES, GOOD_UNDATED), P, CERTIFIED, False, NO_DATE),
    ("N2", verified(YES, None), P, CERTIFIED, False, NO_DATE),
    ("N3", verified(NO, GOOD), F, CERTIFIED, False, ""),
    ("N4", verified(YES_UNDATED, GOOD), P, PASSED, True, ""),
    ("N4-fail", verified(NO_UNDATED, GOOD), F, PASSED, False, ""),
    ("N5", verified(YES_UNDATED, GOOD_UNDATED), P, None, False, NO_DATE),
    ("N5-fail", verified(NO_UNDATED, BELOW), F, None, False, ""),
    ("N6", verified(None, None), IP, None, False, ""),
    ("N6", verified(None, NONE_YET, end=ENDED), IP, None, False, ""),
    ("N7", verified(None, GOOD, end=ENDED), P, ENDED, True, ""),
    ("N7", verified(None, GOOD, end=NOW), P, NOW, True, ""),
    ("N7-undated", verified(None, GOOD_UNDATED, end=ENDED), P, ENDED, False, NO_DATE),
    ("N8", verified(None, BELOW, end=ENDED), F, ENDED, False, ""),
    ("N9", verified(None, GOOD), P, PASSED, True, ""),
    ("N9", verified(None, GOOD, end=TO_COME), P, PASSED, True, ""),
    ("N9", verified(UNSAID, GOOD), P, PASSED, True, ""),
    ("N9-undated", verified(None, GOOD_UNDATED), P, None, False, NO_DATE),
    ("N10", verified(None, BELOW), IP, None, False, ""),
    ("N10", verified(None, BELOW_AGAIN), IP, None, False, ""),
    ("N10", verified(None, UNSURE, end=ENDED), IP, None, False, ""),  # unknown is not a failure
    ("A7", audit(None, GOOD), IP, None, False, NO_COUNT),
    ("A7", audit(None, None, end=ENDED), IP, None, False, NO_COUNT),
    ("A1", audit(3, None), IP, None, False, ""),
    ("A2", audit(0, NONE_YET), A, MODIFIED, True, ""),
    ("A2", audit(0, None, end=ENDED), A, ENDED, True, ""),
    ("A2", audit(0, None, end=TO_COME, upgrade_deadline=OPEN), A, OPEN, True, ""),
    ("A2", audit(0, None), A, None, False, NO_DATE),
    ("A2-early", audit(0, NONE_YET, upgrade_deadline=DEADLINE), IP, MODIFIED, False, ""),
    ("A3", audit(0, GOOD, end=ENDED), A, ENDED, True, ""),
    ("A3", audit(0, BELOW, end=ENDED, upgrade_deadline=OPEN), A, ENDED, True, ""),
    ("A3-early", audit(2, GOOD, end=ENDED), A, ENDED, False, ""),
    ("A3-early", audit(0, GOOD, end=ENDED, upgrade_deadline=DEADLINE), A, ENDED, False, ""),
    ("A4", audit(0, GOOD), P, PASSED, True, ""),
    ("A4", audit(0, GOOD_UNDATED), P, MODIFIED, True, ""),
    ("A4-early", audit(1, GOOD), P, PASSED, False, ""),
    ("A4-early", audit(0, GOOD, upgrade_deadline=DEADLINE), P, PASSED, False, ""),
    ("A5", audit(0, BELOW), A, MODIFIED, True, ""),
    ("A5", audit(0, UNSURE), A, MODIFIED, True, ""),
    ("A5-early", audit(0, BELOW, upgrade_deadline=DEADLINE), IP, MODIFIED, False, ""),
    ("A6", audit(4, BELOW), IP, None, False, ""),
]

EVIDENCE_ROWS = [
    ("E1", verified(YES, BELOW), P, CERTIFIED, True, ""),
    ("E1", verified(YES_UNDATED, GOOD), P, PASSED, True, ""),
    ("E1", verified(YES_UNDATED, None), P, None, False, NO_DATE),
    ("E2", verified(NO, GOOD), F, CERTIFIED, False, ""),
    ("E3", verified(None, GOOD, end=ENDED), P, PASSED, True, ""),
    ("E3", verified(UNSAID, BELOW_AGAIN), P, PASSED, True, ""),
    ("E4", verified(None, GOOD_UNDATED, end=ENDED), P, None, False, NO_DATE),
    ("E5", verified(None, BELOW, end=ENDED), F, ENDED, False, ""),
    ("E6", verified(None, BELOW, end=TO_COME), IP, None, False, ""),
    ("E6", verified(None, UNSURE, end=ENDED), IP, None, False, ""),
    ("E6", verified(None, None), IP, None, False, ""),
    ("E7", audit(None, GOOD), IP, None, False, NO_COUNT),
    ("E8", audit(0, GOOD, upgrade_deadline=DEADLINE), P, PASSED, True, ""),
    ("E9", audit(0, BELOW, upgrade_deadline=DEADLINE), A, MODIFIED, True, ""),
    ("E9", audit(0, None), A, None, False, NO_DATE),
    ("E10", audit(1, GOOD, end=ENDED), A, ENDED, False, ""),
    ("E11", audit(1, GOOD), IP, None, False, ""),
]

SELF = {"pacing": "self_paced"}
LED = {"pacing": "instructor_paced"}
PACING_ROWS = [
    ("P1", verified(YES, None, **LED), P, CERTIFIED, True, ""),
    ("P1", verified(YES_UNDATED, GOOD, **LED), P, PASSED, True, ""),
    ("P1", verified(YES_UNDATED, None, **LED), P, None, False, NO_DATE),
    ("P2", verified(NO, BELOW, **LED), F, CERTIFIED, True, ""),
    ("P2", verified(NO_UNDATED, BELOW, **LED), F, None, False, NO_DATE),
    ("P3", verified(None, GOOD, end=ENDED, **LED), IP, None, False, ""),
    ("P4", verified(None, GOOD, end=ENDED, **SELF), P, ENDED, True, ""),
    ("P5", verified(None, BELOW, end=ENDED, **SELF), F, ENDED, True, ""),
    ("P6", verified(None, None, end=ENDED, **SELF), IP, None, False, "grade-unknown"),
    ("P7", verified(YES, GOOD, end=TO_COME, **SELF), IP, None, False, ""),
    ("P8", verified(None, GOOD, **SELF), P, PASSED, True, ""),
    ("P8", audit(None, GOOD, **SELF), P, PASSED, True, ""),  # the track makes no difference
    ("P8", verified(None, GOOD_UNDATED, **SELF), P, None, False, NO_DATE),
    ("P9", verified(None, BELOW, **SELF), IP, None, False, ""),
    ("P10", verified(YES, GOOD), IP, None, False, "pacing-unknown"),
    ("P10", verified(YES, GOOD, pacing="daily"), IP, None, False, "pacing-unknown"),
]

CASES = {
    CompletionPolicy.PASSED: PASSED_ROWS,
    CompletionPolicy.EVIDENCE: EVIDENCE_ROWS,
    CompletionPolicy.PACING: PACING_ROWS,
}


@pytest.mark.parametrize(
    ("policy", "row", "facts", "verdict", "date", "complete", "reason"),
    [
        pytest.param(policy, *case, id=f"{policy.value}-{case[0]}")
        for policy, cases in CASES.items()
        for case in cases
    ],
)
def test_a_row(policy, row, facts, verdict, date, complete, reason):
    judgement = judge(policy, facts, Moment(NOW))
    assert judgement.evidence["row"] == row
    assert (judgement.verdict, judgement.completed_at) == (verdict, date)
    assert (judgement.complete, judgement.reason) == (complete, reason)


@pytest.mark.parametrize("policy", CompletionPolicy)
def test_every_row_of_a_table_is_tested(policy):
    assert [row.name for row in TABLES[policy]] == list(dict.fromkeys(case[0] for case in CASES[policy]))


# -- the worked examples of the facts --------------------------------------------------------------


def test_passed_first_and_certified_later():
    judgement = judge(CompletionPolicy.PASSED, verified(YES, GOOD), Moment(NOW))
    assert (judgement.verdict, judgement.completed_at, judgement.complete) == (P, CERTIFIED, True)


def test_failed_after_the_end_is_not_complete():
    judgement = judge(CompletionPolicy.PASSED, verified(None, BELOW, end=ENDED), Moment(NOW))
    assert (judgement.verdict, judgement.completed_at, judgement.complete) == (F, ENDED, False)
    assert judgement.percent == Decimal("0.48")


def test_passed_once_and_below_the_line_now():
    judgement = judge(CompletionPolicy.PASSED, verified(None, BELOW_AGAIN), Moment(NOW))
    assert (judgement.verdict, judgement.complete) == (IP, False)


def test_audit_is_complete_from_the_upgrade_deadline_on():
    facts = audit(0, None, upgrade_deadline=DEADLINE)
    before = Moment(DEADLINE - timedelta(seconds=1))
    assert not judge(CompletionPolicy.PASSED, facts, before).complete
    assert before.next_change_at == DEADLINE
    for later in (DEADLINE, DEADLINE + timedelta(days=9)):
        judgement = judge(CompletionPolicy.PASSED, facts, Moment(later))
        assert (judgement.complete, judgement.completed_at) == (True, DEADLINE)  # does not move with the runs


def test_audit_without_a_verified_seat_after_the_end():
    judgement = judge(CompletionPolicy.PASSED, audit(0, GOOD, end=ENDED), Moment(NOW))
    assert (judgement.verdict, judgement.completed_at, judgement.complete) == (A, ENDED, True)
    assert judgement.percent == Decimal("0.80")


# -- what all policies share -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["audit", "honor"])
def test_modes_of_the_audit_track(mode):
    facts = enrollment(mode, None, BELOW, incomplete_count=0)
    assert judge(CompletionPolicy.PASSED, facts, Moment(NOW)).verdict is A


@pytest.mark.parametrize("mode", ["verified", "professional", "no-id-professional", "credit", "Audit"])
def test_other_modes(mode):
    facts = enrollment(mode, None, GOOD)
    assert judge(CompletionPolicy.PASSED, facts, Moment(NOW)).evidence["row"] == "N9"


@pytest.mark.parametrize(
    ("certificate", "graded", "percent", "origin"),
    [
        ("0.91", "0.8", "0.91", "certificate"),
        ("0", "0.8", "0", "certificate"),  # zero is a grade
        ("1", None, "1", "certificate"),
        ("Pass", "0.8", "0.8", "grade"),
        ("", "0.8", "0.8", "grade"),
        (None, "0.8", "0.8", "grade"),
        ("91", "0.8", "0.8", "grade"),  # of another scale; nobody knows which
        ("NaN", "0.8", "0.8", "grade"),
        ("-0.1", None, None, None),
        (None, "0", "0", "grade"),
        (None, None, None, None),
    ],
)
def test_the_percentage(certificate, graded, percent, origin):
    facts = verified(YES.model_copy(update={"grade": certificate}), grade(True, since=PASSED, percent=graded))
    judgement = judge(CompletionPolicy.PASSED, facts, Moment(NOW))
    assert judgement.percent == (None if percent is None else Decimal(percent))
    assert judgement.evidence["percent_from"] == origin


def test_the_percentage_of_an_audit_learner_is_the_grade():
    facts = enrollment("audit", YES, GOOD, incomplete_count=0)
    assert judge(CompletionPolicy.PASSED, facts, Moment(NOW)).percent == Decimal("0.80")


def test_zero_percent_is_a_grade_and_none_is_not():
    zero = verified(None, grade(False, percent="0"), end=ENDED)
    assert judge(CompletionPolicy.PASSED, zero, Moment(NOW)).percent == 0
    nothing = judge(CompletionPolicy.PASSED, verified(None, NONE_YET, end=ENDED), Moment(NOW))
    assert (nothing.verdict, nothing.percent) == (IP, None)


def test_a_completion_never_lies_in_the_future():
    soon = NOW + timedelta(hours=3)
    facts = verified(YES.model_copy(update={"created_at": soon}), GOOD)
    moment = Moment(NOW)
    judgement = judge(CompletionPolicy.PASSED, facts, moment)
    assert (judgement.complete, judgement.completed_at) == (True, NOW)
    assert judgement.evidence["dates"]["certificate"] == soon.isoformat()
    assert moment.next_change_at == soon
    assert judge(CompletionPolicy.PASSED, facts, Moment(soon)).completed_at == soon


def test_an_end_to_come_is_examined_again_when_it_comes():
    moment = Moment(NOW)
    facts = verified(None, GOOD, end=TO_COME)
    assert judge(CompletionPolicy.PASSED, facts, moment).completed_at == PASSED
    assert moment.next_change_at == TO_COME
    assert judge(CompletionPolicy.PASSED, facts, Moment(TO_COME)).completed_at == TO_COME


@pytest.mark.parametrize("policy", CompletionPolicy)
def test_a_judgement_says_the_same_at_every_run(policy):
    for case in CASES[policy]:
        if case[1].course.upgrade_deadline == DEADLINE or case[1].course.end == TO_COME:
            continue  # these do change, on a day that is known
        first, later = (judge(policy, case[1], Moment(NOW + timedelta(days=days))) for days in (0, 40))
        assert first == later


def test_the_evidence_is_plain_data_that_shows_why():
    facts = verified(YES, GOOD, end=ENDED, pacing="self_paced", upgrade_deadline=OPEN)
    evidence = judge(CompletionPolicy.PASSED, facts, Moment(NOW)).evidence
    assert json.loads(json.dumps(evidence)) == {
        "policy": "passed",
        "row": "N1",
        "mode": "verified",
        "pacing": "self_paced",
        "passed": True,
        "percent": "0.91",
        "percent_from": "certificate",
        "incomplete_count": None,
        "certificate_status": "downloadable",
        "date_from": "certificate",
        "dates": {
            "certificate": "2026-04-12T10:00:00+00:00",
            "first-passed": "2026-04-10T10:00:00+00:00",
            "course-end": "2026-05-15T10:00:00+00:00",
            "grade-modified": "2026-05-20T10:00:00+00:00",
            "upgrade-deadline": "2026-05-01T10:00:00+00:00",
        },
    }


@pytest.mark.parametrize("field", ["passed_at", "modified_at"])
def test_a_naive_date_is_refused_and_an_offset_is_converted(field):
    local = {"passed": True, "percent": "0.5", field: "2026-04-10T12:00:00"}
    with pytest.raises(ValidationError, match="timezone"):
        GradeFacts.model_validate(local)
    aware = GradeFacts.model_validate({**local, field: "2026-04-10T12:00:00+02:00"})
    assert getattr(aware, field) == PASSED
    assert getattr(aware, field).tzinfo is UTC


@pytest.mark.parametrize("percent", ["1.7", "-0.1"])
def test_a_grade_that_is_no_fraction_is_refused(percent):
    with pytest.raises(ValidationError):
        grade(True, percent=percent)


def test_an_audit_learner_without_a_date_is_told_which_dates_would_do():
    undated = GradeFacts(passed=True, percent=Decimal("0.8"))
    found = judge(CompletionPolicy.PASSED, audit(0, undated), Moment(NOW))
    assert (found.complete, found.reason) == (False, "completion-date-unknown")
    for words in ("passed_timestamp", "modified", "upgrade deadline", "certificate"):
        assert words in found.message


def test_a_learner_with_a_dated_certificate_alone_is_told_that_the_date_of_passing_is_missing():
    found = judge(CompletionPolicy.PASSED, verified(YES, GOOD_UNDATED), Moment(NOW))
    assert found.message == "Missing: the grade's date of passing (passed_timestamp)."

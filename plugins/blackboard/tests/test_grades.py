"""Grades against the simulated Learn: whose, where, and what is never done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

import coursewire as cw
from coursewire.testing.misbehave import Misbehaviour
from coursewire.testing.simulator import json_response
from coursewire_blackboard import plugin
from coursewire_blackboard.simulator import BlackboardSimulator

KEY = "RiverU+BOT101"
PAT = "pat@example.org"
FINAL = "edx_final_grade"
QUIZ = "block-v1:RiverU+BOT101+2024T2+type@sequential+block@leafquiz"
Kind = cw.ResultKind


@pytest.fixture
def grade(connected: Callable[..., Any], config_for: Any, made: Any) -> Callable[..., Any]:
    """Write grades in one session; gives the result, or a list of them for several."""

    def run(*outcomes: Any, remote_id: str | None = None, **settings: Any) -> Any:
        config = config_for(**settings)

        async def call(session: cw.Session) -> list[cw.Result]:
            results: list[cw.Result] = []
            for outcome in outcomes:
                payload = made.outcome(outcome, config, remote_id)
                results += await plugin.send_outcomes(session=session, batch=cw.Batch(None, (payload,)))
            return results

        results = connected(call, **settings)
        return results if len(results) > 1 else results[0]

    return run


@pytest.fixture
def pat(learn: BlackboardSimulator) -> Any:
    return learn.gradebook.enroll(KEY, PAT)


def columns(learn: BlackboardSimulator) -> dict[str, Any]:
    return {each["externalId"]: each for each in learn.gradebook.columns.values()}


def data_calls(learn: BlackboardSimulator) -> list[str]:
    found = [
        f"{each.method} {each.path.rpartition('/')[2]}" for each in learn.seen if "oauth2" not in each.path
    ]
    learn.seen.clear()
    return found


def test_a_completion_of_85_percent_is_85_points_in_a_column_that_counts(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    result = grade(made.completion("0.85"))

    assert result.kind is Kind.ACCEPTED
    assert learn.gradebook.score(KEY, FINAL, PAT) == 85.0
    assert columns(learn)[FINAL]["includeInCalculations"] is True
    assert columns(learn)[FINAL]["score"] == {"possible": 100.0}
    assert result.remote_id.endswith(f"/{pat['id']}/85.0")


def test_nine_of_ten_points_are_nine_in_a_column_of_ten_that_does_not_count(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    grade(made.assessment())

    assert learn.gradebook.score(KEY, QUIZ, PAT) == 9.0
    assert columns(learn)[QUIZ]["includeInCalculations"] is False
    assert columns(learn)[QUIZ]["score"] == {"possible": 10.0}


def test_a_zero_is_a_grade(learn: BlackboardSimulator, grade: Any, made: Any, pat: Any) -> None:
    assert grade(made.completion("0")).confirms
    assert learn.gradebook.score(KEY, FINAL, PAT) == 0.0


def test_an_unknown_grade_waits_with_its_field(grade: Any, made: Any) -> None:
    with pytest.raises(cw.NotExportableError) as caught:
        grade(made.completion(None))
    assert caught.value.field == "percent"


@pytest.mark.parametrize(
    ("fields", "field"), [({"points_possible": "0"}, "points_possible"), ({"remote_id": None}, "remote_id")]
)
def test_what_learn_cannot_hold_waits(made: Any, fields: Any, field: str) -> None:
    outcome = made.assessment().model_copy(
        update={
            **fields,
            **(
                {"points_possible": made.assessment().points_possible * 0}
                if field == "points_possible"
                else {}
            ),
        }
    )
    with pytest.raises(cw.NotExportableError) as caught:
        plugin.export_assessment(assessment=outcome)
    assert caught.value.field == field


@pytest.mark.parametrize("percent", ["0.57", "0.333333333", "0.0000001", "1"])
def test_a_difference_within_rounding_is_a_success(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any, percent: str
) -> None:
    assert grade(made.completion(percent)).kind is Kind.ACCEPTED


def test_another_score_than_the_one_sent_is_no_acknowledgement(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    learn.interfere = lambda request: (
        json_response({"userId": pat["id"], "score": 12.0})
        if request.method == "PATCH" and "/users/" in request.path
        else None
    )

    result = grade(made.completion())
    assert (result.kind, result.reason) == (Kind.TRY_LATER, "grade-not-shown")


@pytest.mark.parametrize("body", [{}, {"exception": "x"}, {"score": 85.0}])
def test_a_success_that_is_about_nobody_is_no_acknowledgement(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any, body: Any
) -> None:
    learn.interfere = lambda request: json_response(body) if request.method == "PATCH" else None

    assert grade(made.completion()).kind is Kind.TRY_LATER


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_404_that_is_not_learns_own_settles_no_grade(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any, method: str
) -> None:
    page = web.Response(status=404, text="<h1>Not here</h1>", content_type="text/html")
    learn.interfere = lambda request: page if request.method == method else None

    assert grade(made.completion()).kind is Kind.TRY_LATER


# -- who ---------------------------------------------------------------------------------------------------


def test_capitals_and_blanks_of_an_address_make_no_difference(
    learn: BlackboardSimulator, grade: Any, made: Any
) -> None:
    learn.gradebook.enroll(KEY, "Pat@Example.org")

    assert grade(made.completion(learner=" pat@example.ORG")).confirms


def test_an_instructor_with_the_same_address_is_not_the_learner(
    learn: BlackboardSimulator, grade: Any, made: Any
) -> None:
    learn.gradebook.enroll(KEY, PAT, role="Instructor")

    result = grade(made.completion())
    assert (result.kind, result.reason) == (Kind.BLOCKED, "learner-unmatched")

    student = learn.gradebook.add_user(PAT)
    learn.gradebook.memberships[learn.items[KEY]["id"], student["id"]] = "Student"
    assert grade(made.completion()).remote_id.split("/")[1] == student["id"]


def test_two_students_with_one_address_are_told_apart_by_nobody(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    other = learn.gradebook.add_user(PAT)
    learn.gradebook.memberships[learn.items[KEY]["id"], other["id"]] = "Student"

    result = grade(made.completion())
    assert (result.kind, result.reason) == (Kind.BLOCKED, "learner-ambiguous")
    assert not learn.outcomes


def test_a_student_on_the_third_page_is_found_and_those_without_an_address_do_not_matter(
    learn: BlackboardSimulator, grade: Any, made: Any
) -> None:
    learn.add_course(KEY)
    for number in range(250):
        user = learn.gradebook.add_user(None, **({"visible": False} if number % 2 else {"contact": {}}))
        learn.gradebook.memberships[learn.items[KEY]["id"], user["id"]] = "Student"
    learn.enroll(KEY, PAT)

    assert grade(made.completion()).confirms


def test_roles_of_the_institutions_own_count_as_students_when_named(
    learn: BlackboardSimulator, grade: Any, made: Any
) -> None:
    learn.gradebook.enroll(KEY, PAT, role="Learner_X")

    assert grade(made.completion()).reason == "learner-unmatched"
    assert grade(made.completion(), student_roles=["Student", "Learner_X"]).confirms


@pytest.mark.parametrize("field", ["userName", "externalId"])
def test_a_learner_is_addressed_directly_by_user_name_or_external_id(
    learn: BlackboardSimulator, grade: Any, made: Any, field: str
) -> None:
    user = learn.gradebook.add_user("other@example.org", **{field: "pat/1 ü"})
    learn.gradebook.memberships[learn.add_course(KEY)["id"], user["id"]] = "Student"
    outcome = made.completion(learner="pat/1 ü")

    assert grade(outcome, learner_field=field).confirms
    assert not any(each.path.endswith(f"{KEY}/users") for each in learn.seen)
    assert grade(made.completion(learner="nobody"), learner_field=field).reason == "learner-unmatched"


def test_a_hundred_grades_of_a_course_cost_a_request_each_and_a_few_more(
    learn: BlackboardSimulator, grade: Any, made: Any
) -> None:
    emails = [f"learner{number}@example.org" for number in range(100)]
    for email in emails:
        learn.enroll(KEY, email)
    results = grade(*(made.completion(learner=email) for email in emails))

    assert all(result.confirms for result in results)
    assert len(data_calls(learn)) == 100 + len(["column", "course", "new column", "students"])


# -- where -------------------------------------------------------------------------------------------------


def test_a_column_among_hundreds_is_found_by_one_request_and_not_made_again(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    course = learn.items[KEY]
    for number in range(300):
        learn.gradebook.add_column(course, externalId=f"other-{number}", name="Other")
    learn.gradebook.add_column(course, externalId=FINAL, name="Final")

    assert grade(made.completion()).confirms
    assert len(learn.gradebook.columns) == 301
    assert data_calls(learn)[0] == f"GET externalId:{FINAL}"


def test_a_column_whose_id_cannot_stand_in_a_path_is_searched_for(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    old = made.assessment(subsection_id="i4x://RiverU/BOT101/sequential/leafquiz")

    assert grade(old).confirms
    assert grade(old).confirms
    assert len(learn.gradebook.columns) == 1


def test_an_old_course_key_with_slashes(learn: BlackboardSimulator, grade: Any, made: Any) -> None:
    learn.enroll("RiverU/BOT101/2012", PAT)

    assert grade(made.completion(course_key="RiverU/BOT101/2012")).confirms
    assert grade(made.completion(course_key="RiverU/BOT101/2013")).reason == "course-not-at-lms"


def test_a_counted_column_of_a_subsection_is_taken_out_of_the_total(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    learn.gradebook.add_column(learn.items[KEY], externalId=QUIZ, name="Quiz", includeInCalculations=True)

    assert grade(made.assessment()).confirms
    assert columns(learn)[QUIZ]["includeInCalculations"] is False


def test_an_ultra_course_is_not_told_whether_a_column_counts(
    learn: BlackboardSimulator, grade: Any, made: Any
) -> None:
    learn.ultra = True
    learn.enroll(KEY, PAT)

    assert grade(made.assessment()).confirms
    assert grade(made.assessment()).confirms
    assert "displayName" in columns(learn)[QUIZ]


def test_a_course_that_is_not_there_is_asked_for_once_for_all_its_grades(
    learn: BlackboardSimulator, grade: Any, made: Any
) -> None:
    results = grade(*(made.completion(learner=f"learner{number}@example.org") for number in range(20)))

    assert {(result.kind, result.reason) for result in results} == {(Kind.BLOCKED, "course-not-at-lms")}
    assert len(data_calls(learn)) == 2


def test_a_column_that_another_process_made_meanwhile_is_used(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    def make_it_first(request: web.Request) -> web.Response | None:
        if request.method == "POST" and request.path.endswith("/columns"):
            learn.interfere = lambda _request: None
            learn.gradebook.add_column(learn.items[KEY], externalId=FINAL, name="Final")
        return None

    learn.interfere = make_it_first
    assert grade(made.completion()).confirms
    assert len(learn.gradebook.columns) == 1


def test_a_column_that_learn_refuses_is_asked_for_once(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    learn.interfere = lambda request: (
        json_response({"status": 400, "message": "no more columns"}, status=400)
        if request.method == "POST"
        else None
    )
    results = grade(made.completion(), made.completion())

    assert [result.kind for result in results] == [Kind.REJECTED] * 2
    assert "no more columns" in results[0].message
    assert sum(call.startswith("POST") for call in data_calls(learn)) == 1


def test_a_missing_right_is_blocked_with_the_remedy(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    learn.entitlements.discard("course.gradebook.MODIFY")

    with pytest.raises(cw.BlockedError) as caught:
        grade(made.completion())
    assert "entitlement" in caught.value.next_step


# -- corrections -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("percent", ["0.95", "0.4"])
def test_a_correction_overwrites_ours(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any, percent: str
) -> None:
    first = grade(made.completion("0.85"))

    assert grade(made.completion(percent), remote_id=first.remote_id).kind is Kind.ACCEPTED
    assert learn.gradebook.score(KEY, FINAL, PAT) == float(percent) * 100


def test_a_revoked_completion_takes_its_grade_away_and_the_column_stays(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    first = grade(made.completion())
    revoked = made.completion(complete=False, verdict="In Progress")

    gone = grade(revoked, remote_id=first.remote_id)

    assert gone.kind is Kind.ACCEPTED
    assert learn.gradebook.score(KEY, FINAL, PAT) is None
    assert len(learn.gradebook.columns) == 1
    assert grade(made.completion("0.9"), remote_id=gone.remote_id).kind is Kind.ACCEPTED


def test_a_grade_in_progress_is_sent_where_the_configuration_says_so(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    in_progress = made.completion("0.3", complete=False, verdict="In Progress")

    assert grade(in_progress, send_in_progress=True).confirms
    assert learn.gradebook.score(KEY, FINAL, PAT) == 30.0


def test_what_is_not_there_need_not_be_taken_away(learn: BlackboardSimulator, grade: Any, made: Any) -> None:
    revoked = made.completion(complete=False, verdict="In Progress")

    assert grade(revoked).kind is Kind.ALREADY_SO
    learn.enroll(KEY, "other@example.org")
    assert grade(revoked).kind is Kind.ALREADY_SO
    assert not learn.gradebook.columns


def test_an_instructors_change_stays_unless_the_configuration_says_otherwise(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    first = grade(made.completion("0.85"))
    column = columns(learn)[FINAL]["id"]
    learn.gradebook.grades[column, pat["id"]]["score"] = 99.0

    kept = grade(made.completion("0.9"), remote_id=first.remote_id)
    assert (kept.kind, kept.reason, kept.remote_id) == (
        Kind.BLOCKED,
        "instructor-changed-it",
        first.remote_id,
    )
    assert learn.gradebook.grades[column, pat["id"]]["score"] == 99.0

    assert grade(made.completion("0.99"), remote_id=first.remote_id).kind is Kind.ALREADY_SO
    written = grade(made.completion("0.9"), remote_id=first.remote_id, keep_instructor_changes=False)
    assert written.kind is Kind.ACCEPTED


def test_an_exempt_grade_is_an_instructors_word(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    first = grade(made.completion("0.85"))
    learn.gradebook.grades[columns(learn)[FINAL]["id"], pat["id"]]["exempt"] = True

    assert grade(made.completion("0.9"), remote_id=first.remote_id).reason == "instructor-changed-it"


def test_a_lost_answer_is_sent_again_and_changes_nothing_more(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    learn.misbehave.append(Misbehaviour("reset after accepting", path="/columns"))

    assert grade(made.completion()).confirms
    assert learn.gradebook.score(KEY, FINAL, PAT) == 85.0
    assert len(learn.gradebook.columns) == 1


def test_nobody_is_made_or_enrolled(learn: BlackboardSimulator, grade: Any, made: Any) -> None:
    learn.add_course(KEY)
    grade(made.completion())

    assert not learn.gradebook.users
    assert not learn.gradebook.memberships


# -- the maximum that the column has now -------------------------------------------------------------------


@pytest.mark.parametrize(("possible", "shown"), [(10.0, 8.5), (100.0, 85.0), (50.5, 42.925), (1.0, 0.85)])
def test_a_grade_is_a_part_of_the_maximum_that_the_column_has_now(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any, possible: float, shown: float
) -> None:
    learn.gradebook.add_column(learn.items[KEY], externalId=FINAL, name="Final", score={"possible": possible})

    assert grade(made.completion("0.85")).kind is Kind.ACCEPTED
    assert learn.gradebook.score(KEY, FINAL, PAT) == shown


def test_another_maximum_is_no_change_of_an_instructor(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    told = grade(made.completion("0.85")).remote_id
    columns(learn)[FINAL]["score"] = {"possible": 10.0}

    assert grade(made.completion("0.95"), remote_id=told).kind is Kind.ACCEPTED
    assert learn.gradebook.score(KEY, FINAL, PAT) == 9.5


def test_a_column_without_points_takes_no_grade(
    learn: BlackboardSimulator, grade: Any, made: Any, pat: Any
) -> None:
    learn.gradebook.add_column(learn.items[KEY], externalId=FINAL, name="Final", score={"possible": 0.0})

    result = grade(made.completion("0.85"))
    assert (result.kind, result.reason) == (Kind.BLOCKED, "no-points-possible")
    assert not learn.outcomes


@pytest.mark.parametrize("field", ["email", "userName", "externalId"])
def test_no_column_is_made_for_somebody_who_is_not_in_the_course(
    learn: BlackboardSimulator, grade: Any, made: Any, field: str
) -> None:
    learn.add_course(KEY)
    learn.gradebook.add_user(PAT)

    result = grade(made.completion("0.85"), learner_field=field)

    assert (result.kind, result.reason) == (Kind.BLOCKED, "learner-unmatched")
    assert not learn.gradebook.columns

"""Writing grades, against the simulator over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from pydantic import SecretStr

from coursewire.errors import IncompleteListError, SendError
from coursewire.model.outcomes import Assessment, Completion
from coursewire.model.payload import Batch, Operation, Payload, Result, ResultKind, fingerprint
from coursewire.testing.misbehave import Misbehaviour
from coursewire.toolkit.results import result_from_error
from coursewire_canvas import plugin
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.simulator import CanvasSimulator

if TYPE_CHECKING:
    from coursewire.model.session import Session

COURSE = "RiverU+BOT101"
QUIZ = "block-v1:RiverU+BOT101+2024T2+type@sequential+block@leafquiz"
PAT = "pat@example.org"

CONFIG = CanvasConfig(
    canvas_base_url="https://acme.instructure.com",
    canvas_account_id=17,
    client_id="42",
    client_secret=SecretStr("secret"),
    refresh_token=SecretStr("token"),
)

Send = Callable[..., list[Result]]


def _payload(body: dict[str, Any], operation: Operation, key: str) -> Payload:
    return Payload(key, operation, body, fingerprint(body), remote_key=body["learner"])


def completed(
    learner: str = PAT, percent: str = "0.85", operation: Operation = Operation.CREATE, **fields: Any
) -> Payload:
    outcome = Completion.model_validate(
        {
            "enrollment_id": "1",
            "username": "pat",
            "email": learner,
            "remote_id": learner,
            "course_key": COURSE,
            "course_run_key": "course-v1:RiverU+BOT101+2024T2",
            "verdict": "Pass",
            "complete": True,
            "completed_at": None,
            "percent": percent,
            **fields,
        }
    )
    body = plugin.export_completion(config=CONFIG, completion=outcome)
    return _payload(body, operation, f"{fields.get('enrollment_id', '')} {outcome.course_key} {learner}")


def assessed(learner: str = PAT, percent: str = "0.9", subsection: str = QUIZ) -> Payload:
    outcome = Assessment.model_validate(
        {
            "enrollment_id": "1",
            "username": "pat",
            "email": learner,
            "remote_id": learner,
            "course_key": COURSE,
            "course_run_key": "course-v1:RiverU+BOT101+2024T2",
            "subsection_id": subsection,
            "subsection_name": "Leaf quiz",
            "percent": percent,
            "points_earned": 9,
            "points_possible": 10,
        }
    )
    return _payload(plugin.export_assessment(assessment=outcome), Operation.CREATE, f"{subsection} {learner}")


@pytest.fixture
def send(connected: Callable[..., Any]) -> Send:
    def send_all(*payloads: Payload, **config: Any) -> list[Result]:
        async def call(session: Session) -> list[Result]:
            return await plugin.send_outcomes(session, Batch(payloads[0].operation, payloads))

        results: list[Result] = connected(call, **config)
        assert len(results) == len(payloads)
        return results

    return send_all


def calls(canvas: CanvasSimulator, method: str = "", part: str = "/api") -> list[str]:
    """Method and path of the calls so far, ids left out."""
    return [
        f"{seen.method} {'/'.join(p for p in seen.path.split('/')[3:] if not p.isdecimal())}"
        for seen in canvas.seen
        if part in seen.path and seen.method.startswith(method) and "/login" not in seen.path
    ]


def class_of(canvas: CanvasSimulator, count: int, course: str = COURSE) -> list[str]:
    emails = [f"learner{number}@example.org" for number in range(count)]
    for email in emails:
        canvas.gradebook.enroll(course, email)
    return emails


def refuse(method: str, part: str, status: int, text: str = "") -> Callable[[web.Request], Any]:
    def interfere(request: web.Request) -> web.Response | None:
        strikes = request.method == method and part in request.path
        return web.Response(status=status, text=text) if strikes else None

    return interfere


# -- one grade ---------------------------------------------------------------------------------------


def test_the_first_completion_makes_the_assignment_and_puts_the_grade(
    canvas: CanvasSimulator, send: Send
) -> None:
    user = canvas.gradebook.enroll(COURSE, PAT)

    (result,) = send(completed())

    (assignment,) = canvas.gradebook.assignments.values()
    assert result.kind is ResultKind.ACCEPTED
    assert result.remote_id == f"{canvas.items[COURSE]['id']}/{assignment['id']}/{user['id']}/85.0"
    posts = [seen.body for seen in canvas.seen if seen.method == "POST" and "/api" in seen.path]
    puts = [seen.body for seen in canvas.seen if seen.method == "PUT"]
    assert posts == [{"assignment": completed().body["assignment"]}]
    assert puts == [{"submission": {"posted_grade": 85.0}}]
    assert (assignment["points_possible"], assignment["omit_from_final_grade"]) == (100, False)
    assert canvas.gradebook.grade_of(COURSE, PAT) == 85.0


def test_an_assignment_on_a_later_page_is_found(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    for number in range(130):
        canvas.gradebook.add_assignment(COURSE, None if number % 2 else f"other {number}")
    canvas.gradebook.add_assignment(COURSE, COURSE)

    assert send(completed())[0].kind is ResultKind.ACCEPTED
    assert calls(canvas, "POST") == []
    assert len(calls(canvas, "GET", "/assignments")) == 2 + 1  # two pages, and the submission
    assert canvas.gradebook.grade_of(COURSE, PAT) == 85.0


def test_a_subsection_has_its_points_and_does_not_count(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    canvas.gradebook.enroll(COURSE, "kim@example.org")

    first = send(assessed())
    second = send(assessed("kim@example.org", "0.57"))

    (assignment,) = canvas.gradebook.assignments.values()
    assert [result.kind for result in first + second] == [ResultKind.ACCEPTED] * 2
    assert (assignment["points_possible"], assignment["omit_from_final_grade"]) == (10, True)
    assert canvas.gradebook.grade_of(QUIZ, PAT) == 9.0
    assert canvas.gradebook.grade_of(QUIZ, "kim@example.org") == 5.7
    assert canvas.arrivals[f"assignment {QUIZ}"] == 1


def test_both_kinds_stand_beside_each_other(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)

    send(completed())
    send(assessed())

    counted = [one for one in canvas.gradebook.assignments.values() if not one["omit_from_final_grade"]]
    assert [one["integration_id"] for one in counted] == [COURSE]


def test_a_zero_is_sent(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)

    assert send(completed(percent="0"))[0].kind is ResultKind.ACCEPTED
    assert send(assessed(percent="0"))[0].kind is ResultKind.ACCEPTED
    assert (canvas.gradebook.grade_of(COURSE, PAT), canvas.gradebook.grade_of(QUIZ, PAT)) == (0.0, 0.0)


@pytest.mark.parametrize("percent", ["0.91", "0.4", "0"])
def test_a_grade_of_ours_is_raised_and_lowered(canvas: CanvasSimulator, send: Send, percent: str) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    send(completed())

    (result,) = send(completed(percent=percent, operation=Operation.UPDATE))

    assert result.kind is ResultKind.ACCEPTED
    assert canvas.gradebook.grade_of(COURSE, PAT) == float(percent) * 100


def test_a_grade_that_is_there_already_is_not_written_again(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    send(completed())

    (again,) = send(completed())

    assert again.kind is ResultKind.ALREADY_SO
    assert canvas.arrivals[f"{COURSE} {PAT}"] == 1


def test_grades_that_are_all_there_are_only_read(canvas: CanvasSimulator, send: Send) -> None:
    emails = class_of(canvas, 5)
    send(*map(completed, emails))

    again = send(*map(completed, emails))

    assert {result.kind for result in again} == {ResultKind.ALREADY_SO}
    assert len(calls(canvas, "POST", "update_grades")) == 1


def test_a_revoked_grade_is_taken_away_and_once_gone_stays_so(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    send(completed())

    first = send(completed(operation=Operation.UPDATE, complete=False))[0]
    again = send(completed(operation=Operation.UPDATE, complete=False))[0]

    assert [first.kind, again.kind] == [ResultKind.ACCEPTED, ResultKind.ALREADY_SO]
    assert canvas.gradebook.grade_of(COURSE, PAT) is None
    assert len(canvas.gradebook.assignments) == 1


def test_what_never_was_there_need_not_be_taken_away(canvas: CanvasSimulator, send: Send) -> None:
    assert send(completed(operation=Operation.UPDATE, complete=False))[0].kind is ResultKind.ALREADY_SO
    canvas.gradebook.enroll(COURSE, PAT)
    assert send(completed(operation=Operation.UPDATE, complete=False))[0].kind is ResultKind.ALREADY_SO
    assert canvas.gradebook.assignments == {}


# -- the right learner -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "email",
    [
        "pat+canvas@example.org",
        "o'neil@example.org",
        "päivi@exämple.org",
        "a&b=c@example.org",
        "50%@example.org",
    ],
)
def test_any_address_is_found(canvas: CanvasSimulator, send: Send, email: str) -> None:
    canvas.gradebook.enroll(COURSE, email.replace("+canvas", ""))
    canvas.gradebook.enroll(COURSE, email)

    (result,) = send(completed(email))

    searches = [parse_qs(seen.query)["search_term"] for seen in canvas.seen if "search_term" in seen.query]
    assert result.kind is ResultKind.ACCEPTED
    assert searches == [[email]]
    assert canvas.gradebook.grade_of(COURSE, email) == 85.0


@pytest.mark.parametrize("together", [False, True])
def test_a_similar_address_is_another_learner(canvas: CanvasSimulator, send: Send, together: bool) -> None:
    canvas.gradebook.enroll(COURSE, "kpat@example.org")
    canvas.gradebook.enroll(COURSE, PAT)
    canvas.gradebook.enroll(COURSE, "pat@example.org.uk")
    others = class_of(canvas, 5) if together else []

    results = send(completed(), *map(completed, others))

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert canvas.gradebook.grade_of(COURSE, PAT) == 85.0
    assert canvas.gradebook.grade_of(COURSE, "kpat@example.org") is None
    assert canvas.gradebook.grade_of(COURSE, "pat@example.org.uk") is None


@pytest.mark.parametrize("together", [False, True])
def test_capitals_make_no_difference_and_a_login_will_do(
    canvas: CanvasSimulator, send: Send, together: bool
) -> None:
    canvas.gradebook.enroll(COURSE, "Pat@Example.org")
    sso = canvas.gradebook.add_user(None, login="S-4711")
    canvas.gradebook.enrollments[canvas.items[COURSE]["id"], sso["id"]] = "active"

    sent = [completed("PAT@example.ORG"), completed("s-4711")]
    results = send(*sent) if together else [*send(sent[0]), *send(sent[1])]

    assert [result.kind for result in results] == [ResultKind.ACCEPTED] * 2


@pytest.mark.parametrize("together", [False, True])
def test_learners_whom_canvas_does_not_place_are_told_apart(
    canvas: CanvasSimulator, send: Send, together: bool
) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    canvas.gradebook.add_user("twin@example.org", login="twin1")
    canvas.gradebook.add_user("someone@example.org", login="twin@example.org")
    canvas.gradebook.add_user("idle@example.org")
    canvas.gradebook.enroll(COURSE, "left@example.org", state="inactive")
    names = ["nobody@example.org", "twin@example.org", "idle@example.org", "left@example.org", PAT]

    sent = [completed(name) for name in names]
    results = send(*sent) if together else [send(one)[0] for one in sent]

    assert [result.reason for result in results] == [
        "learner-unmatched",
        "learner-ambiguous",
        "learner-not-enrolled",
        "learner-not-enrolled",
        "",
    ]
    assert {result.kind for result in results[:4]} == {ResultKind.BLOCKED}
    assert all(result.message for result in results[:4])
    assert len(canvas.gradebook.submissions) == 1
    assert len(canvas.gradebook.enrollments) == 2


@pytest.mark.parametrize("together", [False, True])
def test_an_id_too_short_to_search_for_holds_nobody_else_up(
    canvas: CanvasSimulator, send: Send, together: bool
) -> None:
    others = class_of(canvas, 5 if together else 1)

    results = [send(completed("ab"))[0], *send(*map(completed, ["ab", *others][: 6 if together else 2]))]

    assert {result.reason for result in results[:2]} == {"learner-unmatched"}
    assert {result.kind for result in results[2:]} == {ResultKind.ACCEPTED}


def test_two_students_with_one_address_get_nothing(canvas: CanvasSimulator, send: Send) -> None:
    others = class_of(canvas, 5)
    for login in ("one", "two"):
        user = canvas.gradebook.add_user(PAT, login=login)
        canvas.gradebook.enrollments[canvas.items[COURSE]["id"], user["id"]] = "active"

    results = send(completed(), *map(completed, others))

    assert results[0].reason == "learner-ambiguous"
    assert canvas.gradebook.grade_of(COURSE, PAT) is None


def test_a_learner_with_many_courses_is_enrolled(canvas: CanvasSimulator, send: Send) -> None:
    for number in range(30):
        canvas.gradebook.enroll(f"RiverU+{number}", PAT)
    canvas.gradebook.enroll(COURSE, PAT)

    assert send(completed())[0].kind is ResultKind.ACCEPTED


@pytest.mark.parametrize("together", [False, True])
def test_hidden_addresses_never_lead_to_a_guess(canvas: CanvasSimulator, send: Send, together: bool) -> None:
    emails = class_of(canvas, 5 if together else 1)
    canvas.rights -= {"read_email_addresses", "view_user_logins"}

    with pytest.raises(SendError, match="primary email"):
        send(*map(completed, emails))
    assert canvas.gradebook.submissions == {}


@pytest.mark.parametrize("state", [None, "deleted"])
def test_a_course_that_canvas_does_not_have(canvas: CanvasSimulator, send: Send, state: str | None) -> None:
    if state:
        canvas.add_course(COURSE, workflow_state=state)

    (result,) = send(completed())

    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "course-not-at-lms")


# -- many grades -------------------------------------------------------------------------------------


def test_a_hundred_grades_of_one_course_cost_eight_requests(canvas: CanvasSimulator, send: Send) -> None:
    emails = class_of(canvas, 100)

    results = send(*(completed(email, f"0.{number:02}") for number, email in enumerate(emails)))

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert [canvas.gradebook.grade_of(COURSE, email) for email in emails] == [float(n) for n in range(100)]
    assert calls(canvas) == [
        f"GET courses/sis_integration_id:{COURSE}",
        "GET courses/users",
        "GET courses/assignments",
        "POST courses/assignments",
        "GET courses/students/submissions",
        "POST courses/submissions/update_grades",
        "GET progress",
        "GET courses/students/submissions",
    ]


def test_in_the_next_batch_a_hundred_grades_cost_four(
    canvas: CanvasSimulator, connected: Callable[..., Any]
) -> None:
    emails = class_of(canvas, 200)
    first, second = ([completed(email) for email in some] for some in (emails[:100], emails[100:]))

    async def call(session: Session) -> int:
        await plugin.send_outcomes(session, Batch(Operation.CREATE, tuple(first)))
        before = len(canvas.seen)
        await plugin.send_outcomes(session, Batch(Operation.CREATE, tuple(second)))
        return len(canvas.seen) - before

    assert connected(call) == 4
    assert sum(canvas.arrivals[f"{COURSE} {email}"] for email in emails) == 200


def test_twenty_thousand_grades(canvas: CanvasSimulator, connected: Callable[..., Any]) -> None:
    canvas.keep_bodies = False
    courses = [f"RiverU+{number}" for number in range(20)]
    payloads = []
    for course in courses:
        made = canvas.add_course(course, workflow_state="available")
        for number in range(1000):
            user = canvas.gradebook.add_user(f"l{number}.{course}@example.org")
            canvas.gradebook.enrollments[made["id"], user["id"]] = "active"
            payloads.append(completed(user["email"], course_key=course))

    async def call(session: Session) -> list[Result]:
        results = []
        for start in range(0, len(payloads), 200):
            batch = Batch(Operation.CREATE, tuple(payloads[start : start + 200]))
            results += await plugin.send_outcomes(session, batch)
        return results

    results = connected(call)

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    a_course = 1 + 10 + 2  # look-up, pages of students, list and creation of the assignment
    a_batch = 2 + 1 + 1 + 2  # pages of submissions, grades, progress, pages of submissions
    assert len(calls(canvas)) == 20 * a_course + 100 * a_batch


def test_all_subsections_of_one_course_travel_with_one_request(canvas: CanvasSimulator, send: Send) -> None:
    emails = class_of(canvas, 6)
    sent = [assessed(email, "0.5", f"block-{number}") for email in emails for number in range(3)]

    results = send(*reversed(sent))

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert [canvas.gradebook.grade_of(f"block-{n}", emails[5]) for n in range(3)] == [5.0] * 3
    assert len(calls(canvas, "POST", "update_grades")) == 1


def test_few_grades_of_a_large_course_do_not_fetch_its_students(canvas: CanvasSimulator, send: Send) -> None:
    emails = class_of(canvas, 1000)

    send(*map(completed, emails[:3]))

    assert "GET courses/users" not in calls(canvas)
    asked = len(["course", "assignments", "is the first learner in the course", "new assignment"])
    assert len(calls(canvas)) == asked + 3 * len(["user", "submission", "grade"])


def test_together_wrong_learners_do_not_touch_the_others(canvas: CanvasSimulator, send: Send) -> None:
    emails = class_of(canvas, 49)

    results = send(*map(completed, [*emails[:20], "nobody@example.org", *emails[20:]]))

    assert [result.kind for result in results].count(ResultKind.ACCEPTED) == 49
    assert results[20].reason == "learner-unmatched"


@pytest.mark.parametrize("polls", [1, 5])
def test_canvas_is_asked_until_it_is_done(canvas: CanvasSimulator, send: Send, polls: int) -> None:
    canvas.gradebook.progress_polls = polls

    results = send(*map(completed, class_of(canvas, 5)))

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert len(calls(canvas, "GET", "/progress")) == polls + 1


def test_a_progress_that_does_not_end_is_looked_at_later_and_settles_itself(
    canvas: CanvasSimulator, send: Send
) -> None:
    emails = class_of(canvas, 5)
    canvas.gradebook.progress_polls = None

    late = send(*map(completed, emails))

    assert {(result.kind, result.reason) for result in late} == {(ResultKind.TRY_LATER, "grading-under-way")}
    assert len(calls(canvas, "GET", "/progress")) == 12
    canvas.gradebook.progress_polls = 0
    assert {result.kind for result in send(*map(completed, emails))} == {ResultKind.ACCEPTED}
    assert len(canvas.gradebook.submissions) == 5


def test_a_failed_bulk_is_refused_as_a_whole_but_for_what_the_gradebook_shows(
    canvas: CanvasSimulator, send: Send
) -> None:
    emails = class_of(canvas, 5)
    send(completed(emails[0]))
    canvas.gradebook.fail_bulks = True

    results = send(*map(completed, emails))

    assert results[0].kind is ResultKind.ALREADY_SO
    assert {(r.kind, r.reason, r.batch_refused) for r in results[1:]} == {
        (ResultKind.REJECTED, "bulk-failed", True)
    }
    assert "the job was stopped" in results[1].message


def test_a_student_who_left_meanwhile_fails_alone(canvas: CanvasSimulator, send: Send) -> None:
    emails = class_of(canvas, 5)

    def leave(request: web.Request) -> None:
        if request.path.endswith("update_grades"):
            course = canvas.items[COURSE]["id"]
            users = [user for where, user in canvas.gradebook.enrollments if where == course]
            canvas.gradebook.enrollments[course, users[0]] = "inactive"

    canvas.interfere = leave

    results = send(*map(completed, emails))

    assert [result.kind for result in results[1:]] == [ResultKind.ACCEPTED] * 4
    assert results[0].kind is ResultKind.REJECTED
    assert results[0].batch_refused


def test_a_refused_bulk_goes_on_in_smaller_ones(canvas: CanvasSimulator, send: Send) -> None:
    canvas.interfere = refuse("POST", "update_grades", 400, '{"errors":[{"message":"no"}]}')

    results = send(*map(completed, class_of(canvas, 5)))

    assert {(r.kind, r.batch_refused, r.http_status) for r in results} == {(ResultKind.REJECTED, True, 400)}


@pytest.mark.parametrize("together", [False, True])
def test_only_a_grade_that_the_gradebook_shows_is_accepted(
    canvas: CanvasSimulator, send: Send, together: bool
) -> None:
    emails = class_of(canvas, 5 if together else 1)
    canvas.gradebook._write = lambda *_: None  # type: ignore[method-assign]  # it says yes and forgets

    results = send(*map(completed, emails))

    assert {(r.kind, r.reason) for r in results} == {(ResultKind.TRY_LATER, "grade-not-shown")}


def test_a_learner_who_took_the_course_twice_has_the_better_grade(
    canvas: CanvasSimulator, send: Send
) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    first = completed(percent="0.9", enrollment_id="1")
    second = completed(percent="0.6", enrollment_id="2")

    results = send(first, second)

    assert [result.reason for result in results] == ["", "covered"]
    assert canvas.gradebook.grade_of(COURSE, PAT) == 90.0


# -- an instructor's change --------------------------------------------------------------------------


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("together", [False, True])
def test_an_instructor_s_grade_stays(
    canvas: CanvasSimulator, send: Send, together: bool, complete: bool
) -> None:
    emails = class_of(canvas, 5 if together else 1)
    send(*map(completed, emails))
    canvas.gradebook.change_grade(COURSE, emails[0], 70.0)

    results = send(*(completed(email, "0.95", complete=complete) for email in emails))

    assert (results[0].kind, results[0].reason) == (ResultKind.BLOCKED, "instructor-changed-it")
    assert canvas.gradebook.grade_of(COURSE, emails[0]) == 70.0
    assert all(result.kind is ResultKind.ACCEPTED for result in results[1:])


@pytest.mark.parametrize("together", [False, True])
def test_it_is_overwritten_where_the_configuration_says_so(
    canvas: CanvasSimulator, send: Send, together: bool
) -> None:
    emails = class_of(canvas, 5 if together else 1)
    send(*map(completed, emails))
    canvas.gradebook.change_grade(COURSE, emails[0], 70.0)

    results = send(*(completed(email, "0.95") for email in emails), keep_instructor_changes=False)

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert canvas.gradebook.grade_of(COURSE, emails[0]) == 95.0


def test_an_instructor_who_gave_the_same_grade_changed_nothing(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    send(completed())
    canvas.gradebook.change_grade(COURSE, PAT, 85.0)

    assert send(completed())[0].kind is ResultKind.ALREADY_SO


def test_an_excuse_is_an_instructor_s_decision(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    send(completed())
    canvas.gradebook.change_grade(COURSE, PAT, 85.0)
    (submission,) = canvas.gradebook.submissions.values()
    submission |= {"excused": True, "score": None}

    assert send(completed())[0].reason == "instructor-changed-it"


def test_a_score_that_nobody_gave_is_overwritten(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    send(completed(percent="0.5"))
    (submission,) = canvas.gradebook.submissions.values()
    submission |= {"grader_id": None, "score": 0.0}  # as a policy for missing work does

    assert send(completed())[0].kind is ResultKind.ACCEPTED


# -- what goes wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "part", "status", "kind"),
    [
        ("GET", "/assignments", 500, ResultKind.TRY_LATER),
        ("POST", "/assignments", 400, ResultKind.REJECTED),
        ("POST", "/assignments", 200, ResultKind.TRY_LATER),
        ("PUT", "/submissions/", 500, ResultKind.TRY_LATER),
        ("PUT", "/submissions/", 400, ResultKind.REJECTED),
        ("PUT", "/submissions/", 200, ResultKind.TRY_LATER),
        ("PUT", "/submissions/", 403, ResultKind.BLOCKED),
        ("GET", "/accounts/17/users", 500, ResultKind.TRY_LATER),
    ],
)
def test_what_canvas_refuses_has_its_status_and_words(
    canvas: CanvasSimulator, send: Send, method: str, part: str, status: int, kind: ResultKind
) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    canvas.interfere = refuse(method, part, status, '{"errors":[{"message":"out of order"}]}')

    try:
        (result,) = send(completed())
    except (SendError, IncompleteListError) as error:
        result = result_from_error(error)

    assert result.kind is kind
    assert result.message


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    "name",
    ["200 with error body", "HTML error page", "empty answer", "bad gateway", "reset before accepting"],
)
def test_a_broken_answer_settles_nothing(
    canvas: CanvasSimulator, send: Send, name: str, together: bool
) -> None:
    emails = class_of(canvas, 5 if together else 1)
    send(completed(emails[-1]))
    canvas.misbehave.append(Misbehaviour(name, times=None, path="/submissions"))

    try:
        results = send(*(completed(email, "0.7") for email in emails))
    except (SendError, IncompleteListError) as error:
        results = [result_from_error(error)]

    assert {result.kind for result in results} == {ResultKind.TRY_LATER}


@pytest.mark.parametrize("name", ["reset after accepting", "bad gateway"])
def test_an_assignment_in_doubt_is_looked_for_before_another_is_made(
    canvas: CanvasSimulator, connected: Callable[..., Any], name: str
) -> None:
    canvas.gradebook.enroll(COURSE, PAT)

    async def call(session: Session) -> list[ResultKind]:
        kinds = []
        for _ in range(2):
            try:
                (result,) = await plugin.send_outcomes(session, Batch(Operation.CREATE, (completed(),)))
            except (SendError, IncompleteListError) as error:
                result = result_from_error(error)
            kinds.append(result.kind)
        return kinds

    # The creation is the second request to this path: the list is the first.
    canvas.misbehave.append(Misbehaviour(name, path="/assignments", every=2))

    assert connected(call) == [ResultKind.IN_DOUBT, ResultKind.ACCEPTED]
    assert len(canvas.gradebook.assignments) == 1


def test_a_lost_answer_to_a_bulk_is_repeated(canvas: CanvasSimulator, send: Send) -> None:
    canvas.misbehave.append(Misbehaviour("reset after accepting", path="update_grades"))

    results = send(*map(completed, class_of(canvas, 5)))

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert len(calls(canvas, "POST", "update_grades")) == 2


@pytest.mark.parametrize(
    "right", ["read_roster", "view_all_grades", "manage_grades", "manage_assignments_add"]
)
@pytest.mark.parametrize("together", [False, True])
def test_a_missing_right_is_named(canvas: CanvasSimulator, send: Send, right: str, together: bool) -> None:
    canvas.rights.discard(right)

    with pytest.raises(SendError) as refusal:
        send(*map(completed, class_of(canvas, 5 if together else 1)))

    assert refusal.value.code == "blocked"
    assert canvas.gradebook.submissions == {}


def test_who_we_are_is_asked_once_and_only_when_somebody_graded(
    canvas: CanvasSimulator, connected: Callable[..., Any]
) -> None:
    emails = class_of(canvas, 5)

    async def call(session: Session) -> list[int]:
        asked = []
        for percent in ("0.5", "0.6", "0.7"):
            batch = Batch(Operation.CREATE, tuple(completed(email, percent) for email in emails))
            await plugin.send_outcomes(session, batch)
            asked.append(len(calls(canvas, "GET", "/users/self")))
        return asked

    assert connected(call) == [0, 1, 1]


def test_who_we_are_must_be_known_before_a_grade_is_overwritten(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    send(completed())
    canvas.interfere = refuse("GET", "/users/self", 500)

    with pytest.raises(SendError):
        send(completed(percent="0.9"))
    assert canvas.gradebook.grade_of(COURSE, PAT) == 85.0


# -- the maximum that the gradebook has now ----------------------------------------------------------------


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("points", "shown"), [(10, 8.5), (100, 85), (50.4, 42.84), (1, 0.85)])
def test_a_grade_is_a_part_of_the_maximum_that_the_assignment_has_now(
    canvas: CanvasSimulator, send: Send, together: bool, points: float, shown: float
) -> None:
    emails = class_of(canvas, 5 if together else 1)
    canvas.gradebook.add_assignment(COURSE, COURSE, points_possible=points)

    results = send(*map(completed, emails))

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert canvas.gradebook.grade_of(COURSE, emails[0]) == shown


@pytest.mark.parametrize("points", [0, None])
def test_an_assignment_without_points_takes_no_grade(
    canvas: CanvasSimulator, send: Send, points: float | None
) -> None:
    canvas.gradebook.enroll(COURSE, PAT)
    canvas.gradebook.add_assignment(COURSE, COURSE, points_possible=points)

    (result,) = send(completed())

    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "no-points-possible")
    assert not canvas.outcomes


def test_bonus_points_above_the_maximum_are_taken(canvas: CanvasSimulator, send: Send) -> None:
    canvas.gradebook.enroll(COURSE, PAT)

    assert send(assessed(percent="1.1"))[0].kind is ResultKind.ACCEPTED
    assert canvas.gradebook.grade_of(QUIZ, PAT) == 11


@pytest.mark.parametrize("together", [False, True])
def test_no_assignment_is_made_for_somebody_who_is_not_in_the_course(
    canvas: CanvasSimulator, send: Send, together: bool
) -> None:
    canvas.add_course(COURSE, workflow_state="available")
    strangers = [f"stranger{number}@example.org" for number in range(5 if together else 1)]
    for stranger in strangers:
        canvas.gradebook.add_user(stranger)

    results = send(*map(completed, strangers))

    assert {result.reason for result in results} == {"learner-not-enrolled"}
    assert not canvas.gradebook.assignments

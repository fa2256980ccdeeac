"""Final grades: payloads, batches, and writing them against the simulator over real HTTP."""

from __future__ import annotations

from decimal import Decimal

import pytest
from aiohttp import web

from coursewire.errors import BlockedError, NotExportableError, RejectedError, UnreachableError
from coursewire.model.kinds import Kind
from coursewire.model.outcomes import Completion
from coursewire.model.payload import Operation, ResultKind
from coursewire_moodle import plugin
from coursewire_moodle.client import FIND
from coursewire_moodle.config import MoodleConfig
from coursewire_moodle.outcomes import ASSIGNMENTS, GRADE, MODULE, PAGE, PARTICIPANTS

from .conftest import COMPLETE, as_core, calls, form_of, make_batches

EVERY_RELEASE = True

COURSE = "BrackenX+TIDE101"
LEE = "lee.moor@example.org"
NAME = "(edX integration) Final Grade"
OUTCOME = {
    "enrollment_id": "77",
    "username": "lee",
    "email": LEE,
    "remote_id": LEE,
    "course_key": COURSE,
    "course_run_key": f"course-v1:{COURSE}+2T2031",
    "completed_at": None,
}


# -- payloads ----------------------------------------------------------------------------------------


def test_the_payload_is_what_moodle_is_told_and_nothing_else(completed):
    assert dict(completed().body) == {
        "courseID": COURSE,
        "userID": LEE,
        "grade": 0.875,
        "assignment": NAME,
    }
    options = {"grade_scale": 10, "grade_assignment_cmid": 9, "grade_assignment_name": "End"}
    body = completed(config=options).body
    assert (body["scale"], body["cmid"], body["assignment"]) == (10, 9, "End")


def test_a_zero_is_a_grade_and_an_unknown_grade_is_none(completed):
    assert completed(percent="0").body["grade"] == 0.0
    with pytest.raises(NotExportableError, match="percent"):
        completed(percent=None)
    with pytest.raises(NotExportableError, match="remote_id"):
        completed(learner="")


def test_grades_travel_by_course(completed, make_config):
    mixed = [completed(f"{n}@example.org", course=f"C{n % 2}", enrollment=str(n)) for n in range(402)]

    def batches(**options):
        made = make_batches(
            config=make_config(**options),
            kind=Kind.COMPLETIONS,
            operation=Operation.CREATE,
            payloads=mixed,
        )
        return [({p.body["courseID"] for p in batch.payloads}, len(batch)) for batch in made]

    assert batches() == [({"C0"}, 200), ({"C0"}, 1), ({"C1"}, 200), ({"C1"}, 1)]
    assert {size for _, size in batches(transmission_chunk_size=3)} == {3}
    content = make_batches(
        config=make_config(), kind=Kind.CONTENT, operation=Operation.CREATE, payloads=mixed
    )
    assert {len(batch) for batch in content} == {25, 2}


def test_a_learners_enrollments_in_one_course_travel_together(completed, make_config):
    emails = [LEE, *(f"learner{number}@example.org" for number in range(200)), LEE]
    payloads = [completed(email, enrollment=str(number)) for number, email in enumerate(emails)]

    made = make_batches(
        config=make_config(), kind=Kind.COMPLETIONS, operation=Operation.CREATE, payloads=payloads
    )

    twice = [sum(payload.body["userID"] == LEE for payload in batch.payloads) for batch in made]
    assert sorted(twice) == [0, 2]


# -- writing -----------------------------------------------------------------------------------------


def test_a_grade_takes_four_calls_and_no_more_for_five_hundred(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)

    (result,) = grade(completed())

    held = moodle.items[COURSE]["id"]
    (cmid,) = moodle.grades.modules
    user = moodle.grades.user_of(LEE)["id"]
    assert (result.kind, result.remote_id) == (ResultKind.ACCEPTED, f"{held}/{cmid}/{user}")
    assert moodle.grades.grade_of(COURSE, LEE) == 87.5
    assert calls(moodle) == ["token", FIND, ASSIGNMENTS, PARTICIPANTS, GRADE]
    form = form_of(moodle, GRADE)
    for basic in ("wstoken", "moodlewsrestformat", "moodlewssettingraw", "wsfunction"):
        form.pop(basic)
    assert form == {
        "source": "assign",
        "courseid": str(held),
        "component": "mod_assign",
        "activityid": str(cmid),
        "itemnumber": "0",
        "grades[0][studentid]": str(user),
        "grades[0][grade]": "87.5",
    }


def test_batches_of_one_course_share_what_was_read(moodle, connected, completed):
    emails = [f"learner{number}@example.org" for number in range(500)]
    for email in emails:
        moodle.enroll(COURSE, email)

    async def send(session):
        made = make_batches(
            config=session.config,
            kind=Kind.COMPLETIONS,
            operation=Operation.CREATE,
            payloads=[completed(email, enrollment=email) for email in emails],
        )
        return [result for batch in made for result in await plugin.send_outcomes(session, batch)]

    assert {result.kind for result in connected(send)} == {ResultKind.ACCEPTED}
    assert calls(moodle) == ["token", FIND, ASSIGNMENTS, PARTICIPANTS, GRADE, GRADE, GRADE]
    assert len(moodle.outcomes) == 500


@pytest.mark.parametrize(
    ("maximum", "scale", "percent", "sent"),
    [
        (100, None, "0.875", "87.5"),
        (100, 100, "0.92", "92"),
        (10, None, "0.875", "8.75"),
        (10, 10, "1", "10"),
        (100, 50, "0.5", "25"),
        (100, None, "0", "0"),
        (100, None, "0.333333333333", "33.33333"),
        (100, None, "0.0000001", "0.00001"),
        (1000, None, "1", "1000"),
    ],
)
def test_a_grade_is_in_points_of_the_assignment(moodle, grade, completed, maximum, scale, percent, sent):
    moodle.makes_assignments = False
    moodle.enroll(COURSE, LEE)
    moodle.grades.add_assignment(moodle.items[COURSE]["id"], grade=maximum)

    (result,) = grade(completed(percent=percent, config={"grade_scale": scale}))

    assert result.confirms
    assert form_of(moodle, GRADE)["grades[0][grade]"] == sent
    assert Decimal(str(moodle.grades.grade_of(COURSE, LEE))) == Decimal(sent)


def test_a_scale_above_the_maximum_is_refused_and_not_cut(moodle, grade, completed):
    moodle.makes_assignments = False
    moodle.enroll(COURSE, LEE)
    moodle.grades.add_assignment(moodle.items[COURSE]["id"], grade=10)

    with pytest.raises(BlockedError, match="grade_scale is 100, and the assignment is out of 10"):
        grade(completed(config={"grade_scale": 100}))
    assert not moodle.outcomes


def test_a_corrected_grade_overwrites_in_either_direction(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)
    for percent in ("0.5", "0.9", "0.1"):
        (result,) = grade(completed(percent=percent))
        assert result.confirms
        assert moodle.grades.grade_of(COURSE, LEE) == float(percent) * 100


@pytest.mark.parametrize(
    ("change", "reason"), [({"locked": True}, "grade-locked"), ({"grade_locked": True}, "grade-refused")]
)
def test_codes_of_failure_have_reasons_of_their_own(moodle, grade, completed, change, reason):
    moodle.enroll(COURSE, LEE)
    (module,) = moodle.grades.modules.values()
    (module if "locked" in change else moodle.grades.user_of(LEE)).update(change)

    (result,) = grade(completed())

    assert (result.kind, result.reason, result.batch_refused) == (ResultKind.BLOCKED, reason, False)


def test_several_grade_items_are_told(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)
    moodle.answer_for = lambda function, _: web.Response(text="2") if function == GRADE else None

    (result,) = grade(completed())

    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "several-grade-items")


def test_a_grade_that_is_refused_is_found_in_smaller_batches(moodle, grade, completed):
    for email in (LEE, "b@example.org"):
        moodle.enroll(COURSE, email)
    moodle.grades.user_of(LEE)["grade_locked"] = True

    results = grade(completed(), completed("b@example.org", enrollment="78"))

    assert [result.batch_refused for result in results] == [True, True]


@pytest.mark.parametrize("text", ["The instance of this module does not exist\n0", "3", '"odd"', "[]"])
def test_only_a_clean_zero_is_an_acknowledgement(moodle, grade, completed, text):
    moodle.enroll(COURSE, LEE)
    moodle.answer_for = lambda function, _: (
        web.Response(text=text, content_type="text/html") if function == GRADE else None
    )

    with pytest.raises(UnreachableError, match="did not say that the grades are written"):
        grade(completed())


def test_grades_in_xml(moodle, grade, completed):
    moodle.reply_format = "xml"
    moodle.enroll(COURSE, LEE)

    (result,) = grade(completed())

    assert result.confirms
    assert moodle.grades.grade_of(COURSE, LEE) == 87.5


# -- whom and where ----------------------------------------------------------------------------------


def test_a_course_an_assignment_and_a_learner_that_are_missing_have_three_reasons(moodle, grade, completed):
    (no_course,) = grade(completed())
    moodle.makes_assignments = False
    held = moodle.courses.add(COURSE)
    moodle.grades.add_assignment(held["id"], name="Quiz night", modname="quiz")
    moodle.grades.add_assignment(held["id"], name="Homework")
    (no_place,) = as_core(grade, completed())
    moodle.grades.add_assignment(held["id"])
    (no_learner,) = grade(completed())

    assert [(result.kind, result.reason) for result in (no_course, no_place, no_learner)] == [
        (ResultKind.BLOCKED, "course-not-at-lms"),
        (ResultKind.BLOCKED, "no-such-assignment"),
        (ResultKind.BLOCKED, "learner-unmatched"),
    ]
    assert "'Homework'" in no_place.message
    assert "Quiz" not in no_place.message
    assert GRADE not in calls(moodle)


def test_one_missing_learner_does_not_stop_the_others(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)

    results = grade(completed("gone@example.org", enrollment="1"), completed())

    assert [result.reason for result in results] == ["learner-unmatched", ""]
    assert moodle.grades.grade_of(COURSE, LEE) == 87.5


def test_capitals_of_an_address_do_not_matter_and_two_hits_are_none(moodle, grade, completed):
    moodle.enroll(COURSE, "Lee.Moor@Example.org")
    (found,) = grade(completed())
    twin = moodle.grades.add_user(LEE)
    moodle.grades.enrolments[moodle.items[COURSE]["id"]][twin["id"]] = None
    (twice,) = grade(completed(percent="0.1"))

    assert found.confirms
    assert (twice.kind, twice.reason) == (ResultKind.BLOCKED, "learner-ambiguous")
    assert moodle.grades.grade_of(COURSE, "Lee.Moor@Example.org") == 87.5


def test_a_user_of_the_site_who_is_not_in_the_course_gets_no_grade(moodle, grade, completed):
    moodle.courses.add(COURSE)
    moodle.grades.add_user(LEE)

    (result,) = grade(completed())

    assert result.reason == "learner-unmatched"
    assert not moodle.outcomes


@pytest.mark.parametrize("field", ["username", "idnumber"])
def test_learners_are_known_by_user_name_or_id_number(moodle, grade, completed, field):
    moodle.enroll(COURSE, LEE)
    moodle.grades.user_of(LEE)[field] = "s-4711"

    (result,) = grade(completed("S-4711"), learner_id="employee_id")

    assert result.confirms
    options = form_of(moodle, PARTICIPANTS)
    assert options["options[0][value]"] == "id,username,idnumber"


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
def test_participants_are_read_page_by_page_to_the_last(moodle, grade, completed, count):
    for number in range(count - 1):
        moodle.enroll(COURSE, f"learner{number}@example.org")
    moodle.enroll(COURSE, LEE)  # the last one

    (result,) = grade(completed())

    assert result.confirms
    assert calls(moodle).count(PARTICIPANTS) == count // PAGE + 1
    forms = [form_of(moodle, PARTICIPANTS, number) for number in range(count // PAGE + 1)]
    assert [form["options[1][value]"] for form in forms] == [str(PAGE * n) for n in range(len(forms))]


def test_a_page_of_participants_that_is_refused_concludes_nothing(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)
    moodle.rights.discard("moodle/course:viewparticipants")

    with pytest.raises(BlockedError, match="moodle/course:viewparticipants"):
        grade(completed())


def test_a_site_that_hides_addresses_is_told(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)
    moodle.rights.discard("moodle/course:useremail")

    with pytest.raises(BlockedError, match="does not show participants' email"):
        grade(completed())


def test_a_learner_with_two_enrollments_in_a_course_has_the_better_grade(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)

    results = grade(
        completed(percent="0.9", enrollment="1"),
        completed(percent="0.6", enrollment="2"),
        completed(percent="0.7"),
    )

    assert [result.reason for result in results] == ["", "covered", "covered"]
    assert moodle.grades.grade_of(COURSE, LEE) == 90


def test_two_enrollments_with_the_same_grade_are_both_confirmed(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)

    results = grade(completed(enrollment="1"), completed(enrollment="2"))

    assert [result.kind for result in results] == [ResultKind.ACCEPTED] * 2
    assert "grades[1][studentid]" not in form_of(moodle, GRADE)


def test_a_better_grade_that_was_refused_is_not_said_to_be_sent(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)
    moodle.grades.user_of(LEE)["grade_locked"] = True

    results = grade(completed(percent="0.9", enrollment="1"), completed(percent="0.6", enrollment="2"))

    assert [result.reason for result in results] == ["grade-refused", "grade-refused"]


def test_a_completion_that_is_revoked_has_the_grade_of_now(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)
    grade(completed(percent="0.9"))
    body = {**completed(percent="0.3").body}
    revoked = Completion.model_validate({**OUTCOME, "verdict": "Fail", "complete": False, "percent": "0.3"})

    assert plugin.export_completion(config=MoodleConfig.model_validate(COMPLETE), completion=revoked) == body
    grade(completed(percent="0.3"))
    assert moodle.grades.grade_of(COURSE, LEE) == 30
    assert plugin.declare_channel().capabilities.revoke.usable


def test_a_right_to_grade_that_is_missing_is_named(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)
    moodle.rights.discard("moodle/grade:edit")

    with pytest.raises(BlockedError, match="moodle/grade:edit"):
        grade(completed())


# -- the assignment ----------------------------------------------------------------------------------


@pytest.fixture
def two_courses(moodle):
    """Lee in two courses; the module ids of the first one's and the second one's assignment."""
    moodle.makes_assignments = False
    for course in (COURSE, "OTHER"):
        moodle.enroll(course, LEE)
    return [moodle.grades.add_assignment(moodle.items[key]["id"])["cmid"] for key in (COURSE, "OTHER")]


def test_an_id_holds_for_its_course_and_the_name_for_the_others(moodle, grade, completed, two_courses):
    config = {"grade_assignment_cmid": two_courses[0]}

    (first,) = grade(completed(config=config))
    (second,) = grade(completed(course="OTHER", config=config))

    assert first.remote_id.split("/")[1] == str(two_courses[0])
    assert second.remote_id.split("/")[1] == str(two_courses[1])


def test_an_assignment_that_was_renamed_is_found_by_its_id(moodle, grade, completed, two_courses):
    moodle.grades.modules[two_courses[0]]["name"] = "Renamed & moved"

    (result,) = grade(completed(config={"grade_assignment_cmid": two_courses[0]}))

    assert result.confirms


def test_the_id_of_a_quiz_is_refused_by_its_type_before_anything_is_written(
    moodle, grade, completed, two_courses
):
    quiz = moodle.grades.add_assignment(moodle.items[COURSE]["id"], modname="quiz")

    with pytest.raises(BlockedError, match=f"module {quiz['cmid']} is not an assignment but a quiz"):
        grade(completed(config={"grade_assignment_cmid": quiz["cmid"]}))
    assert GRADE not in calls(moodle)
    (other,) = grade(completed(course="OTHER", config={"grade_assignment_cmid": quiz["cmid"]}))
    assert other.confirms


def test_an_id_that_is_nobodys_is_refused(moodle, grade, completed, two_courses):
    with pytest.raises(BlockedError, match="Correct grade_assignment_cmid"):
        grade(completed(config={"grade_assignment_cmid": 99999}))


def test_an_id_in_a_course_that_is_closed_to_us_is_passed_over(moodle, grade, completed, two_courses):
    moodle.items["OTHER"]["visible"] = 0
    moodle.rights.discard("moodle/course:viewhiddencourses")

    (result,) = grade(completed(config={"grade_assignment_cmid": two_courses[1]}))

    assert result.confirms
    assert calls(moodle).count(MODULE) == 1


@pytest.mark.parametrize(
    "name", ["(edX integration) final grade", "(edX integration) Final Grade ", "Final Grade"]
)
def test_a_name_is_compared_letter_by_letter(moodle, grade, completed, name):
    moodle.makes_assignments = False
    moodle.enroll(COURSE, LEE)
    moodle.grades.add_assignment(moodle.items[COURSE]["id"], name=name)

    with pytest.raises(BlockedError, match="Final Grade"):
        grade(completed())


def test_a_name_with_signs_that_html_escapes_is_found(moodle, grade, completed):
    moodle.makes_assignments = False
    moodle.enroll(COURSE, LEE)
    moodle.grades.add_assignment(moodle.items[COURSE]["id"], name='Q&A < "End"')

    (result,) = grade(completed(config={"grade_assignment_name": 'Q&A < "End"'}))

    assert result.confirms


def test_two_assignments_of_one_name_are_refused_with_both_ids(moodle, grade, completed, two_courses):
    other = moodle.grades.add_assignment(moodle.items[COURSE]["id"])

    with pytest.raises(BlockedError, match="has 2 assignments") as caught:
        grade(completed())
    assert all(str(cmid) in str(caught.value) for cmid in (two_courses[0], other["cmid"]))


@pytest.mark.parametrize("maximum", [0, -2])
def test_an_assignment_without_points_is_refused(moodle, grade, completed, maximum):
    moodle.enroll(COURSE, LEE)
    (module,) = moodle.grades.modules.values()
    module["grade"] = maximum

    with pytest.raises(BlockedError, match="not graded in points"):
        grade(completed())


@pytest.mark.parametrize("right", ["mod/assign:view", "moodle/course:viewhiddenactivities"])
def test_a_hidden_assignment_needs_the_right_to_see_it(moodle, grade, completed, right):
    moodle.enroll(COURSE, LEE)
    (module,) = moodle.grades.modules.values()
    module["visible"] = 0
    (seen,) = grade(completed())
    moodle.rights.discard(right)

    assert seen.confirms
    with pytest.raises(BlockedError, match=r"it shows these: none.*mod/assign:view"):
        grade(completed())


def test_an_error_where_the_assignments_should_be_is_not_an_empty_list(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)
    moodle.functions.discard(ASSIGNMENTS)

    with pytest.raises(BlockedError, match=f"Moodle refused {ASSIGNMENTS} .accessexception"):
        grade(completed())


def test_a_course_is_read_before_any_learner_is_tried(moodle, connected, completed):
    moodle.makes_assignments = False
    for number in range(5):
        moodle.enroll(COURSE, f"learner{number}@example.org")

    async def send(session):
        made = make_batches(
            config=session.config.model_copy(update={"transmission_chunk_size": 2}),
            kind=Kind.COMPLETIONS,
            operation=Operation.CREATE,
            payloads=[completed(f"learner{n}@example.org", enrollment=str(n)) for n in range(5)],
        )
        for batch in made:
            with pytest.raises(BlockedError):
                await plugin.send_outcomes(session, batch)

    connected(send)
    assert PARTICIPANTS not in calls(moodle)
    assert GRADE not in calls(moodle)


def test_a_refused_write_marks_the_batch(moodle, grade, completed):
    moodle.enroll(COURSE, LEE)
    moodle.answer_for = lambda function, _: (
        web.Response(text='{"exception":"x","errorcode":"invalidparameter","message":"m"}')
        if function == GRADE
        else None
    )

    with pytest.raises(RejectedError, match="invalidparameter"):
        grade(completed())


def test_a_learners_address_is_in_no_log(moodle, grade, completed, caplog):
    caplog.set_level("DEBUG")
    moodle.enroll(COURSE, LEE)

    results = grade(completed(), completed("gone@example.org", enrollment="1"))

    assert [result.confirms for result in results] == [True, False]
    assert "example.org" not in caplog.text
    assert not any("example.org" in f"{result.message}{result.excerpt}" for result in results)

"""The simulator refuses what Moodle refuses, and answers as Moodle was seen to answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from coursewire_moodle.simulator import MoodleSimulator

CREATE = "core_course_create_courses"
UPDATE = "core_course_update_courses"
DELETE = "core_course_delete_courses"
FIND = "core_course_get_courses_by_field"
GRADE = "core_grades_update_grades"
PARTICIPANTS = "core_enrol_get_enrolled_users"
ASSIGNMENTS = "mod_assign_get_assignments"


@pytest.fixture(scope="module")
def post() -> Iterator[Any]:
    with httpx.Client() as client:
        yield client.post


@pytest.fixture
def call(moodle: MoodleSimulator, post: Any) -> Any:
    """Call a function with a good token; the answer as plain data."""
    token = moodle.make_token()

    def ask(function: str, **form: Any) -> Any:
        data = {"wstoken": token, "moodlewsrestformat": "json", "wsfunction": function, **form}
        response = post(f"{moodle.url}/webservice/rest/server.php", data=data)
        assert response.status_code == 200
        return json.loads(response.text) if response.text.startswith(("{", "[", "n")) else response.text

    return ask


def course(number: int = 0, **fields: Any) -> dict[str, Any]:
    given = {
        "fullname": "Tides",
        "shortname": f"T{number}",
        "categoryid": 1,
        "idnumber": f"K{number}",
        **fields,
    }
    return {f"courses[{number}][{name}]": value for name, value in given.items() if value is not ...}


def code(answer: Any) -> str:
    return str(answer["errorcode"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"fullname": ...}, "invalidparameter"),
        ({"colour": "red"}, "invalidparameter"),
        ({"fullname": "<b>T</b>"}, "invalidparameter"),
        ({"fullname": "I <3 x"}, "invalidparameter"),
        ({"fullname": " "}, "errorinvalidparam"),
        ({"fullname": "a <- b"}, "invalidparameter"),
        ({"fullname": "a <"}, "invalidparameter"),
        ({"fullname": "x" * 1334}, "dmlwriteexception"),
        ({"shortname": "x" * 256}, "dmlwriteexception"),
        ({"idnumber": "x" * 101}, "dmlwriteexception"),
        ({"categoryid": "one"}, "invalidparameter"),
        ({"categoryid": "1 "}, "invalidparameter"),
        ({"categoryid": 99}, "errorcatcontextnotvalid"),
        ({"startdate": "2031-03-01"}, "invalidparameter"),
        ({"startdate": "1930123800.0"}, "invalidparameter"),
        ({"enddate": 5}, "nostartdatenoenddate"),
        ({"startdate": 9, "enddate": 5}, "enddatebeforestartdate"),
        ({"visible": "true"}, "invalidparameter"),
        ({"lang": "xx"}, "errorinvalidparam"),
        ({"lang": ""}, "errorinvalidparam"),
    ],
)
def test_a_course_that_moodle_refuses_is_refused(moodle, call, fields, expected):
    assert code(call(CREATE, **course(**fields))) == expected
    assert not moodle.items


@pytest.mark.parametrize("name", ["a < b", "->", "&amp;", '"q"', "😀", "two\nlines", "x" * 254])
def test_a_name_that_moodle_takes_is_taken(moodle, call, name):
    (made,) = call(CREATE, **course(fullname=name))
    assert moodle.items["K0"]["id"] == made["id"]
    assert moodle.items["K0"]["fullname"] == name


def test_creating_is_all_or_nothing(moodle, call):
    call(CREATE, **course(0))
    assert code(call(CREATE, **course(1), **course(2, idnumber="K0"))) == "courseidnumbertaken"
    assert code(call(CREATE, **course(1), **course(2, idnumber="K0", shortname="T0"))) == "shortnametaken"
    assert set(moodle.items) == {"K0"}


@pytest.mark.parametrize("sensitive", [False, True])
def test_capitals_count_as_in_the_sites_database(moodle, call, sensitive):
    moodle.case_sensitive = sensitive
    call(CREATE, **course(0))
    again = call(CREATE, **course(1, idnumber="k0", shortname="t0"))
    assert isinstance(again, list) is sensitive
    assert len(call(FIND, field="idnumber", value="k0")["courses"]) == 1


def test_updating_goes_on_after_a_course_that_fails(moodle, call):
    first, second = (moodle.courses.add(key)["id"] for key in ("K0", "K1"))
    answer = call(
        UPDATE,
        **{"courses[0][id]": 99999, "courses[0][visible]": 0},
        **{"courses[1][id]": second, "courses[1][visible]": 0},
        **{"courses[2][id]": first, "courses[2][shortname]": "short K1"},
    )
    assert [(each["itemid"], each["warningcode"]) for each in answer["warnings"]] == [
        (99999, "invalidrecordunknown"),
        (first, "shortnametaken"),
    ]
    assert moodle.items["K1"]["visible"] == 0


def test_an_unknown_category_is_warned_of_and_half_applied(moodle, call):
    held = moodle.courses.add("K0")
    answer = call(UPDATE, **{"courses[0][id]": held["id"], "courses[0][categoryid]": 99})
    assert answer["warnings"][0]["warningcode"] == "invalidrecordunknown"
    assert (held["categoryid"], held["visible"]) == (99, 0)


def test_a_wrong_parameter_stops_the_whole_update(moodle, call):
    held = moodle.courses.add("K0")
    form = {"courses[0][id]": held["id"], "courses[0][visible]": 0, "courses[1][id]": "x"}
    assert code(call(UPDATE, **form)) == "invalidparameter"
    assert held["visible"] == 1


def test_deleting_what_is_unknown_is_a_warning_and_an_empty_list_no_list(moodle, call):
    held = moodle.courses.add("K0")
    answer = call(DELETE, **{"courseids[0]": 99999, "courseids[1]": held["id"]})
    assert [each["warningcode"] for each in answer["warnings"]] == ["unknowncourseidnumber"]
    assert not moodle.items
    assert code(call(DELETE)) == "invalidparameter"
    assert code(call(DELETE, courseids="")) == "invalidparameter"


def test_looking_up_an_empty_id_number_gives_those_without_one(moodle, call):
    moodle.courses.add("")
    moodle.courses.add("K0")
    assert [each["idnumber"] for each in call(FIND, field="idnumber", value="")["courses"]] == [""]
    assert len(call(FIND)["courses"]) == 2
    assert code(call(FIND, field="fullname", value="x")) == "invalidparameter"


def test_rights_decide_which_fields_are_shown(moodle, call):
    moodle.courses.add("K0")
    moodle.rights.discard("moodle/course:update")
    (shown,) = call(FIND, field="idnumber", value="K0")["courses"]
    assert "visible" in shown
    assert "idnumber" not in shown
    moodle.rights.discard("moodle/course:view")
    (shown,) = call(FIND, field="idnumber", value="K0")["courses"]
    assert "visible" not in shown


def test_names_are_escaped_unless_raw_is_asked_for(moodle, call):
    moodle.courses.add("K&0", fullname="A & B < 2")
    (shown,) = call(FIND, field="idnumber", value="K&0")["courses"]
    assert (shown["fullname"], shown["idnumber"]) == ("A &amp; B &lt; 2", "K&0")
    (shown,) = call(FIND, field="idnumber", value="K&0", moodlewssettingraw=1)["courses"]
    assert shown["fullname"] == "A & B < 2"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"activityid": 0}, "invalidcoursemodule"),
        ({"component": "mod_quiz"}, "invalidcoursemodule"),
        ({"courseid": 99999}, "invalidrecordunknown"),
        ({"courseid": 99999, "activityid": 0}, "invalidcoursemodule"),
        ({"grades[0][grade]": "87,5"}, "invalidparameter"),
        ({"grades[0][grade]": "87%"}, "invalidparameter"),
        ({"grades[0][grade]": ""}, "invalidparameter"),
        ({"grades[0][studentid]": "x"}, "invalidparameter"),
        ({"grades[0][colour]": "x"}, "invalidparameter"),
    ],
)
def test_a_grade_that_moodle_refuses_is_refused(moodle, call, changes, expected):
    assert code(call(GRADE, **{**graded(moodle), **changes})) == expected
    assert not moodle.outcomes


def graded(moodle: MoodleSimulator, grade: object = 87.5) -> dict[str, Any]:
    moodle.enroll("K0", "lee@example.org")
    (cmid,) = moodle.grades.modules
    return {
        "source": "assign",
        "courseid": moodle.items["K0"]["id"],
        "component": "mod_assign",
        "activityid": cmid,
        "itemnumber": 0,
        "grades[0][studentid]": moodle.grades.user_of("lee@example.org")["id"],
        "grades[0][grade]": grade,
    }


@pytest.mark.parametrize(
    ("grade", "held"), [(150, 100), (-5, 0), ("8.75e1", 87.5), (".5", 0.5), (87.123456789, 87.12346)]
)
def test_a_grade_is_kept_as_moodle_keeps_it(moodle, call, grade, held):
    assert call(GRADE, **graded(moodle, grade)) == "0"
    assert moodle.grades.grade_of("K0", "lee@example.org") == held


def test_grades_of_strangers_are_taken_and_those_of_nobody_not(moodle, call):
    form = graded(moodle)
    assert call(GRADE, **{**form, "grades[0][studentid]": 4711}) == "0"
    assert call(GRADE, **{**form, "grades[0][studentid]": 0}) == "1"
    (module,) = moodle.grades.modules.values()
    module["locked"] = True
    assert call(GRADE, **form) == "4"


def test_an_overridden_grade_stays(moodle, call):
    form = graded(moodle)
    call(GRADE, **form)
    moodle.grades.overridden.add((form["activityid"], form["grades[0][studentid]"]))
    assert call(GRADE, **{**form, "grades[0][grade]": 1}) == "0"
    assert moodle.grades.grade_of("K0", "lee@example.org") == 87.5


def test_a_module_of_another_course_soils_the_answer(moodle, call):
    form = graded(moodle)
    other = moodle.courses.add("K1")["id"]
    answer = call(GRADE, **{**form, "courseid": other})
    assert answer == "The instance of this module does not exist\n0"
    assert moodle.grades.stray == [(other, form["activityid"])]


def test_formats_and_state_of_the_site(moodle, post):
    url, token = f"{moodle.url}/webservice/rest/server.php", moodle.make_token()
    form = {"wstoken": token, "wsfunction": FIND, "field": "idnumber", "value": "K0"}
    for given in ({}, {"moodlewsrestformat": "JSON"}):
        assert post(url, data={**form, **given}).text.startswith("<?xml")
    assert 'errorcode":"invalidtoken' in post(url, data={"moodlewsrestformat": "json"}).text
    assert "<ERRORCODE>invalidtoken</ERRORCODE>" in post(url, json=form).text
    moodle.refuses = "sitemaintenance"
    assert "sitemaintenance" in post(url, data=form).text
    assert "invalidtoken" in post(url, data={**form, "wstoken": "x"}).text
    moodle.refuses, moodle.web_services = "", False
    refused = post(url, data=form)
    assert (refused.status_code, refused.text) == (403, "")


def test_an_expired_token_is_first_a_missing_right_and_then_unknown(moodle, post):
    url, token = f"{moodle.url}/webservice/rest/server.php", moodle.make_token(lasts_s=-1)
    form = {"wstoken": token, "moodlewsrestformat": "json", "wsfunction": FIND}
    assert [post(url, data=form).json()["errorcode"] for _ in range(2)] == [
        "accessexception",
        "invalidtoken",
    ]


def test_fields_beyond_what_php_takes_are_dropped(moodle, call):
    form: dict[str, Any] = {}
    for number in range(260):
        form |= course(number)
    made = call(CREATE, **form)
    assert code(made) == "invalidparameter"


# -- releases ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "answers_as"),
    [
        ("3.11.3", (3, 11)),
        ("4.1", (3, 11)),
        ("4.5.6", (4, 5)),
        ("5.0", (5, 0)),
        ("5.1.2", (5, 0)),
        ("5.0dev+", (5, 0)),
    ],
)
def test_a_release_answers_as_the_newest_that_is_not_newer(number, answers_as):
    site = MoodleSimulator(release=number)
    assert (site.release, site.answers_as.number) == (number, answers_as)


@pytest.mark.parametrize("number", ["", "five", "5", "2.9"])
def test_a_release_that_is_none_is_refused(number):
    with pytest.raises(ValueError, match="release"):
        MoodleSimulator(release=number)


@pytest.mark.parametrize(
    ("release", "code_", "named", "namespace"),
    [
        ("3.11.3", "invalidrecord", " table course", ""),
        ("4.5.6", "invalidrecord", " table course", "core\\exception\\"),
        ("5.0", "invalidrecordunknown", "", "core\\exception\\"),
    ],
    indirect=["release"],
)
def test_a_missing_record_and_the_classes_of_errors_by_release(
    moodle, call, release, code_, named, namespace
):
    (warning,) = call(UPDATE, **{"courses[0][id]": 99, "courses[0][visible]": 0})["warnings"]
    assert warning["warningcode"] == code_
    assert warning["message"] == f"Can't find data record in database{named}."
    assert code(call("core_no_function")) == code_
    assert code(call(PARTICIPANTS, courseid=99)) == code_
    assert call("core_no_function")["exception"] == "dml_missing_record_exception"
    assert call(CREATE)["exception"] == f"{namespace}invalid_parameter_exception"
    assert call("core_user_get_users")["exception"] == "webservice_access_exception"


TODAY = 1924992000  # 2031-01-01


@pytest.mark.parametrize(
    ("release", "fields", "expected"),
    [
        ("3.11.3", {}, (TODAY, TODAY + 365 * 86400)),
        ("3.11.3", {"startdate": 0}, (0, 365 * 86400)),
        ("3.11.3", {"enddate": TODAY + 5}, "nostartdatenoenddate"),
        ("4.5.6", {}, (TODAY, TODAY + 365 * 86400)),
        ("4.5.6", {"startdate": 0}, "nostartdatenoenddate"),
        ("4.5.6", {"enddate": TODAY + 5}, (TODAY, TODAY + 5)),
        ("4.5.6", {"enddate": 5}, "enddatebeforestartdate"),
        ("5.0", {}, (0, 0)),
        ("5.0", {"startdate": 5}, (5, 0)),
        ("5.0", {"enddate": TODAY + 5}, "nostartdatenoenddate"),
    ],
    indirect=["release"],
)
def test_dates_that_are_not_sent_by_release(moodle, call, release, fields, expected):
    moodle.clock = lambda: datetime(2031, 1, 1, 9, 30, tzinfo=UTC)
    answer = call(CREATE, **course(**fields))
    if isinstance(expected, str):
        assert code(answer) == expected
    else:
        held = moodle.items["K0"]
        assert (held["startdate"], held["enddate"]) == expected


@pytest.mark.parametrize(
    ("release", "longest"), [("3.11.3", 254), ("4.5.6", 254), ("5.0", 1333)], indirect=["release"]
)
def test_the_room_of_a_full_name_by_release(moodle, call, release, longest):
    assert code(call(CREATE, **course(fullname="x" * (longest + 1)))) == "dmlwriteexception"
    assert call(CREATE, **course(fullname="x" * longest))[0]["shortname"] == "T0"


@pytest.mark.parametrize(
    ("release", "suspended"),
    [("3.11.3", "accessexception"), ("4.5.6", "wsaccessusersuspended"), ("5.0", "wsaccessusersuspended")],
    indirect=["release"],
)
def test_a_suspended_account_by_release(moodle, call, release, suspended):
    moodle.refuses = "wsaccessusersuspended"
    assert code(call(FIND)) == suspended


@pytest.mark.parametrize(("release", "members"), [("3.11.3", 40), ("5.0", 41)], indirect=["release"])
def test_lists_have_the_members_that_moodle_gives(moodle, call, release, members):
    held = moodle.courses.add("K0")
    (shown,) = call(FIND, field="idnumber", value="K0")["courses"]
    (category, *_) = call("core_course_get_categories")
    (listed,) = call(ASSIGNMENTS, includenotenrolledcourses=1, **{"courseids[0]": held["id"]})["courses"]
    assert (len(shown), len(category), len(listed)) == (members, 9, 5)
    assert ("courseimage" in shown) is (members == 41)


# -- further answers that were seen ------------------------------------------------------------------


def test_the_front_page_is_no_course(moodle, call):
    (warning,) = call(UPDATE, **{"courses[0][id]": 1, "courses[0][visible]": 0})["warnings"]
    assert warning["warningcode"] == "invalidcourse"
    assert call(DELETE, **{"courseids[0]": 1})["warnings"][0]["warningcode"] == "cannotdeletecategorycourse"


def test_no_function_and_one_that_is_not_in_the_service(call):
    assert code(call("")) == "invalidparameter"
    assert code(call("core_user_get_users")) == "accessexception"


def test_courses_are_found_by_a_list_of_ids_that_are_all_known(moodle, call):
    ids = [str(moodle.courses.add(key)["id"]) for key in ("K0", "K1")]
    assert len(call(FIND, field="ids", value=",".join(ids))["courses"]) == 2
    for wrong in ("99999", "x", ""):
        answer = call(FIND, field="ids", value=f"{ids[0]},{wrong}")
        assert answer["exception"] == "Error"
        assert "errorcode" not in answer


def test_an_unknown_member_of_people_matters_only_where_there_are_people(moodle, call):
    moodle.courses.add("K0")
    wanted = {
        "courseid": moodle.items["K0"]["id"],
        "options[0][name]": "userfields",
        "options[0][value]": "id,colour",
    }
    assert call(PARTICIPANTS, **wanted) == []
    moodle.enroll("K0", "lee@example.org")
    assert code(call(PARTICIPANTS, **wanted)) == "invaliduserfield"


def test_a_language_that_the_site_has_is_taken(moodle, call):
    assert call(CREATE, **course(lang="en"))[0]["shortname"] == "T0"


@pytest.mark.parametrize("field", ["idnumber", "shortname"])
@pytest.mark.parametrize(("held", "sent"), [("accent", "áccent"), ("Straße", "strasse"), ("x", "x ")])
@pytest.mark.parametrize("sensitive", [False, True])
def test_accents_capitals_and_trailing_blanks_count_as_in_the_sites_database(
    moodle, call, field, held, sent, sensitive
):
    moodle.case_sensitive = sensitive
    call(CREATE, **course(0, **{field: held}))
    again = call(CREATE, **course(1, **{field: sent}))
    assert isinstance(again, list) is sensitive


def test_it_forgets(moodle, call):
    graded(moodle)
    moodle.reset()
    for memory in (moodle.items, moodle.courses.held, moodle.grades.users, moodle.tokens, moodle.outcomes):
        assert not memory

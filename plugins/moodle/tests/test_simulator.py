"""The simulator refuses what Moodle refuses, and answers as Moodle was seen to answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from coursewire_moodle.simulator import MoodleSimulator

CREATE = "core_course_create_courses"
UPDATE = "core_course_update_courses"
DELETE = "core_course_delete_courses"
FIND = "core_course_get_courses_by_field"
GRADE = "core_grades_update_grades"


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
        ({"fullname": "x" * 255}, "dmlwriteexception"),
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
        (99999, "invalidrecord"),
        (first, "shortnametaken"),
    ]
    assert moodle.items["K1"]["visible"] == 0


def test_an_unknown_category_is_warned_of_and_half_applied(moodle, call):
    held = moodle.courses.add("K0")
    answer = call(UPDATE, **{"courses[0][id]": held["id"], "courses[0][categoryid]": 99})
    assert answer["warnings"][0]["warningcode"] == "invalidrecord"
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
        ({"courseid": 99999}, "invalidrecord"),
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


def test_classes_of_errors_differ_by_release(moodle, call):
    assert call("core_no_function")["exception"] == "core\\exception\\moodle_exception"
    moodle.release = "3.11.3"
    assert call("core_no_function")["exception"] == "moodle_exception"


def test_it_forgets(moodle, call):
    graded(moodle)
    moodle.reset()
    for memory in (moodle.items, moodle.courses.held, moodle.grades.users, moodle.tokens, moodle.outcomes):
        assert not memory

"""Sending courses, against the simulator over real HTTP."""

from __future__ import annotations

import asyncio
import itertools
import time
from urllib.parse import urlencode

import pytest
from aiohttp import web

from coursewire.errors import (
    BlockedError,
    CredentialsError,
    OutcomeUnknownError,
    SendError,
    UnreachableError,
)
from coursewire.model.payload import Batch, Operation, ResultKind
from coursewire.testing.misbehave import Misbehaviour
from coursewire.toolkit.results import result_from_error
from coursewire_moodle import plugin
from coursewire_moodle.client import CATEGORIES, CREATE, DELETE, FIND, UPDATE
from coursewire_moodle.forms import bracketed

from .conftest import as_core, calls, form_of

EVERY_RELEASE = True

KEY = "BrackenX+TIDE101"


def test_a_course_is_created_with_one_call_and_exact_form_keys(moodle, send, course):
    (result,) = send(course())

    held = moodle.items[KEY]
    assert result.kind is ResultKind.ACCEPTED
    assert (result.remote_id, result.http_status) == (str(held["id"]), 200)
    assert calls(moodle) == ["token", CREATE]
    form = form_of(moodle, CREATE)
    assert next(iter(form)) == "wstoken"
    assert set(form) == {
        "wstoken",
        "moodlewsrestformat",
        "moodlewssettingraw",
        "wsfunction",
        *(f"courses[0][{field}]" for field in ("fullname", "shortname", "idnumber", "summary", "categoryid")),
    }
    assert held["visible"] == 1
    assert all(seen.method == "POST" and not seen.query for seen in moodle.seen)


def test_many_courses_are_one_call_with_an_index_each(moodle, send, course):
    results = send(*(course(f"K{number}") for number in range(25)))

    assert all(result.confirms for result in results)
    assert [result.remote_id for result in results] == [str(moodle.items[f"K{n}"]["id"]) for n in range(25)]
    assert calls(moodle) == ["token", CREATE]
    assert form_of(moodle, CREATE)["courses[24][idnumber]"] == "K24"


@pytest.mark.parametrize("strategy", ["hide", "delete"])
def test_create_retire_create_again_ends_visible(moodle, send, course, strategy):
    (made,) = send(course(), retire_strategy=strategy)
    (retired,) = send(course(operation=Operation.RETIRE, remote_id=made.remote_id), retire_strategy=strategy)
    assert retired.kind is ResultKind.ACCEPTED
    assert moodle.items.get(KEY, {"visible": 0})["visible"] == 0

    (again,) = send(course(remote_id=retired.remote_id, title="New"), retire_strategy=strategy)

    assert again.kind is ResultKind.ACCEPTED
    assert moodle.items[KEY]["visible"] == 1
    assert moodle.items[KEY]["shortname"] == f"New ({KEY})"
    assert (again.remote_id == made.remote_id) is (strategy == "hide")
    assert moodle.arrivals[KEY] == (1 if strategy == "hide" else 2)


def test_a_hidden_course_whose_id_is_not_known_is_found_and_shown(moodle, send, course):
    held = moodle.courses.add(KEY, visible=0)

    (result,) = send(course())

    assert (result.kind, result.remote_id) == (ResultKind.ACCEPTED, str(held["id"]))
    assert moodle.items[KEY]["visible"] == 1
    assert calls(moodle)[1:] == [CREATE, FIND, CATEGORIES, UPDATE]


def test_a_hidden_course_that_the_account_cannot_see_blocks_its_create(moodle, send, course):
    moodle.courses.add(KEY, visible=0)
    moodle.rights.discard("moodle/course:viewhiddencourses")

    (result,) = as_core(send, course())

    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "courseidnumbertaken")
    assert "moodle/course:viewhiddencourses" in result.message
    assert moodle.items[KEY]["visible"] == 0


def test_a_short_name_that_a_stranger_has_is_a_conflict_and_no_success(moodle, send, course):
    stranger = moodle.courses.add("OTHER", shortname=f"Course {KEY} ({KEY})")

    (result,) = as_core(send, course())

    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "shortnametaken")
    assert "Rename the other course" in result.message
    assert stranger["fullname"] == "A course"
    assert KEY not in moodle.items


@pytest.mark.parametrize("number", [KEY.lower(), f"{KEY} ", "BrackenX+TÌDE101"])
def test_a_course_that_the_database_takes_for_ours_is_named(moodle, send, course, number):
    held = moodle.courses.add(number)

    (result,) = as_core(send, course())

    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "courseidnumbertaken")
    assert f"the same as {number!r}, the ID number of course {held['id']}" in result.message
    assert calls(moodle) == ["token", CREATE, FIND]


def test_a_batch_with_courses_that_are_there_adopts_them_and_makes_the_others(moodle, send, course):
    for number in (2, 5):
        moodle.courses.add(f"K{number}", visible=0)

    results = send(*(course(f"K{number}") for number in range(8)))

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert [result.remote_id for result in results] == [str(moodle.items[f"K{n}"]["id"]) for n in range(8)]
    assert all(held["visible"] for held in moodle.items.values())
    assert len(moodle.items) == 8
    assert calls(moodle) == ["token", CREATE, FIND, CREATE, CATEGORIES, UPDATE]


def test_a_category_that_is_taken_over_is_listed_once(moodle, connected, course):
    numbers = range(12)
    for number in numbers:
        if number != 7:
            moodle.courses.add(f"K{number}", shortname=f"by hand {number}")

    async def send_in_three(session):
        results = []
        for start in (0, 4, 8):
            batch = Batch(Operation.CREATE, tuple(course(f"K{number}") for number in range(start, start + 4)))
            results += await plugin.send_content(session, batch)
        return results

    results = connected(send_in_three)

    assert [result.remote_id for result in results] == [str(moodle.items[f"K{n}"]["id"]) for n in numbers]
    assert len(moodle.courses.held) == 12
    later = ["core_course_create_courses", UPDATE, UPDATE]
    assert calls(moodle) == ["token", CREATE, FIND, CATEGORIES, UPDATE, *later]
    assert form_of(moodle, FIND)["field"] == "category"


def test_of_two_courses_with_our_id_number_none_is_adopted_from_the_list(moodle, send, course):
    moodle.courses.add("K1")
    moodle.courses.add("K1", shortname="double")

    results = as_core(send, course("K0"), course("K1"))

    assert {result.reason for result in results} == {"several-courses"}
    assert all(result.batch_refused for result in results)
    assert UPDATE not in calls(moodle)


def test_courses_of_ours_in_another_category_are_found_one_by_one(moodle, send, course):
    for number in range(3):
        moodle.courses.add(f"K{number}", categoryid=5)

    results = send(*(course(f"K{number}") for number in range(3)))

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert {held["categoryid"] for held in moodle.courses.held.values()} == {1}
    assert calls(moodle) == ["token", CREATE, FIND, FIND, FIND, FIND, CATEGORIES, UPDATE]


@pytest.mark.parametrize("field", ["idnumber", "shortname"])
def test_a_clash_in_a_batch_marks_all_of_them_until_it_is_alone(moodle, send, course, field):
    moodle.rights.discard("moodle/course:viewhiddencourses")
    taken = {"idnumber": "K1", "shortname": "Course K1 (K1)"}
    other = {"idnumber": "", "categoryid": 5, "visible": 0, field: taken[field]}
    moodle.courses.add(**other)

    results = as_core(send, *(course(f"K{number}") for number in range(3)))

    assert [(result.kind, result.batch_refused) for result in results] == [(ResultKind.BLOCKED, True)] * 3
    (alone,) = as_core(send, course("K1"))
    others = send(course("K0"), course("K2"))
    assert (alone.kind, alone.batch_refused) == (ResultKind.BLOCKED, False)
    assert [result.kind for result in others] == [ResultKind.ACCEPTED] * 2


@pytest.mark.parametrize("second", ["a+one", "Á+ONE", "A+ONE "])
def test_two_of_ours_that_the_database_cannot_tell_apart_are_named(moodle, send, course, second):
    keys = ["A+ONE", "B+GOOD1", second, "B+GOOD2"]

    results = send(*(course(key, title=f"Title {number}") for number, key in enumerate(keys)))

    assert [result.kind for result in results] == [
        ResultKind.ACCEPTED,
        ResultKind.ACCEPTED,
        ResultKind.BLOCKED,
        ResultKind.ACCEPTED,
    ]
    assert (results[2].reason, results[2].batch_refused) == ("courseidnumbertaken", False)
    assert f"the key {second!r} is the same as 'A+ONE'" in results[2].message
    assert calls(moodle) == ["token", CREATE, FIND]


def test_a_key_that_is_like_one_of_the_category_is_looked_up_once_it_is_listed(moodle, connected, course):
    moodle.courses.add("K0")
    moodle.courses.add("stranger")

    async def send_both(session):
        first = Batch(Operation.CREATE, (course("K0"), course("K1")))
        second = Batch(Operation.CREATE, (course("K2"), course("Stranger")))
        return [*await plugin.send_content(session, first), *await plugin.send_content(session, second)]

    results = connected(send_both)

    assert [result.kind for result in results] == [ResultKind.ACCEPTED] * 3 + [ResultKind.BLOCKED]
    assert "the same as 'stranger'" in results[3].message
    assert calls(moodle)[-2:] == [CREATE, FIND]


def test_a_look_up_that_fails_does_not_take_the_others_with_it(moodle, send, course):
    def broken(function, _):
        return web.Response(status=500) if function == FIND else None

    moodle.answer_for = broken

    results = send(course("A+ONE"), course("a+one"))

    assert [result.kind for result in results] == [ResultKind.ACCEPTED, ResultKind.TRY_LATER]
    assert set(moodle.items) == {"A+ONE"}


def test_two_of_ours_that_the_database_can_tell_apart_are_both_made(moodle, send, course):
    moodle.case_sensitive = True

    results = send(*(course(key) for key in ("A+ONE", "a+one", "A+ONE ")))

    assert [result.kind for result in results] == [ResultKind.ACCEPTED] * 3
    assert set(moodle.items) == {"A+ONE", "a+one", "A+ONE "}


def test_of_two_that_are_alike_the_one_that_is_there_is_adopted(moodle, send, course):
    held = moodle.courses.add("a+one")

    results = as_core(send, course("A+ONE"), course("a+one"))

    assert [(result.kind, result.reason) for result in results] == [
        (ResultKind.BLOCKED, "courseidnumbertaken"),
        (ResultKind.ACCEPTED, ""),
    ]
    assert results[1].remote_id == str(held["id"])


# -- shown and hidden --------------------------------------------------------------------------------


def test_an_update_leaves_a_course_hidden_that_an_administrator_hid(moodle, send, course):
    (made,) = send(course())
    moodle.items[KEY]["visible"] = 0

    update = course(
        operation=Operation.UPDATE, remote_id=made.remote_id, title="Tides II", confirmed=course().body
    )
    (result,) = send(update)

    assert result.kind is ResultKind.ACCEPTED
    assert moodle.items[KEY]["fullname"].startswith("Tides II")
    assert moodle.items[KEY]["visible"] == 0
    assert "courses[0][visible]" not in form_of(moodle, UPDATE)


def test_an_update_of_which_it_is_not_known_what_moodle_holds_shows_the_course(moodle, send, course):
    held = moodle.courses.add(KEY, visible=0)

    send(course(operation=Operation.UPDATE, remote_id=str(held["id"])))

    assert held["visible"] == 1


def test_a_course_that_comes_back_after_its_retirement_is_shown(moodle, send, course):
    (made,) = send(course())
    send(course(operation=Operation.RETIRE, remote_id=made.remote_id))

    (restored,) = send(course(remote_id=made.remote_id))

    assert (restored.kind, restored.remote_id) == (ResultKind.ACCEPTED, made.remote_id)
    assert moodle.items[KEY]["visible"] == 1


# -- gone --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.UPDATE])
def test_a_course_that_was_deleted_at_moodle_is_made_again(moodle, send, course, operation):
    (made,) = send(course())
    moodle.lose(KEY)

    (again,) = send(course(operation=operation, remote_id=made.remote_id))

    assert again.kind is ResultKind.ACCEPTED
    assert again.remote_id == str(moodle.items[KEY]["id"]) != made.remote_id


def test_gone_courses_of_a_batch_are_made_again_beside_the_others(moodle, send, course):
    made = send(*(course(f"K{number}") for number in range(4)))
    moodle.lose("K1")
    moodle.lose("K2")

    results = send(
        *(
            course(f"K{n}", Operation.UPDATE, result.remote_id, title=f"New {n}")
            for n, result in enumerate(made)
        )
    )

    assert [result.remote_id for result in results] == [str(moodle.items[f"K{n}"]["id"]) for n in range(4)]
    assert all(held["fullname"].startswith("New") for held in moodle.items.values())


def test_a_call_refused_for_one_course_marks_the_batch_and_makes_nothing(moodle, send, course):
    bad = course("BAD")
    bad.body["lang"] = "xx"

    results = as_core(send, course("K1"), bad, course("K2"))

    assert all(result.batch_refused for result in results)
    assert {(result.kind, result.reason) for result in results} == {
        (ResultKind.REJECTED, "errorinvalidparam")
    }
    assert not moodle.items


def test_an_update_goes_by_the_known_id(moodle, send, course):
    (made,) = send(course())
    moodle.seen.clear()

    (result,) = send(course(operation=Operation.UPDATE, remote_id=made.remote_id, title="Tides II"))

    assert result.kind is ResultKind.ACCEPTED
    assert calls(moodle) == ["token", CATEGORIES, UPDATE]
    assert form_of(moodle, UPDATE)["courses[0][id]"] == made.remote_id
    assert moodle.items[KEY]["fullname"].startswith("Tides II")


def test_an_update_without_an_id_looks_it_up(moodle, send, course):
    send(course())
    moodle.seen.clear()

    (result,) = send(course(operation=Operation.UPDATE, title="Tides II"))

    assert result.kind is ResultKind.ACCEPTED
    assert calls(moodle) == ["token", FIND, CATEGORIES, UPDATE]


def test_an_update_of_a_course_that_is_gone_creates_it(moodle, send, course):
    for remote_id in (None, "4711"):
        (result,) = send(course(f"K{remote_id}", Operation.UPDATE, remote_id))

        assert (result.kind, result.remote_id) == (
            ResultKind.ACCEPTED,
            str(moodle.items[f"K{remote_id}"]["id"]),
        )


def test_an_update_of_a_course_that_has_another_id_now_finds_it(moodle, send, course):
    held = moodle.courses.add(KEY)

    (result,) = send(course(operation=Operation.UPDATE, remote_id="4711"))

    assert (result.kind, result.remote_id) == (ResultKind.ACCEPTED, str(held["id"]))
    assert len(moodle.courses.held) == 1


def test_warnings_are_the_results_of_their_courses_alone(moodle, send, course):
    made = send(course("K1"), course("K2"), course("K3"))
    moodle.courses.add("X", shortname="Course K9 (K9)")
    taken = course("K9", Operation.UPDATE, made[1].remote_id)

    results = send(
        course("K1", Operation.UPDATE, made[0].remote_id, title="A"),
        taken,
        course("K3", Operation.UPDATE, made[2].remote_id, title="C"),
    )

    assert [result.kind for result in results] == [
        ResultKind.ACCEPTED,
        ResultKind.BLOCKED,
        ResultKind.ACCEPTED,
    ]
    assert (results[1].reason, results[1].batch_refused) == ("shortnametaken", False)
    assert moodle.items["K3"]["fullname"].startswith("C")


def test_a_right_that_is_missing_for_an_update_is_named(moodle, send, course):
    (made,) = send(course())
    moodle.rights.discard("moodle/course:changefullname")

    (result,) = send(course(operation=Operation.UPDATE, remote_id=made.remote_id, title="B"))

    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "nopermissions")
    assert "moodle/course:changefullname" in result.message


def test_an_unknown_category_moves_and_hides_nothing(moodle, send, course):
    (made,) = send(course())
    moodle.courses.categories = {5: "Partners"}
    moodle.seen.clear()

    with pytest.raises(Exception, match="no category 1"):
        send(course(operation=Operation.UPDATE, remote_id=made.remote_id))

    assert UPDATE not in calls(moodle)
    assert moodle.items[KEY]["visible"] == 1


def test_a_start_alone_says_that_there_is_no_end(moodle, send, course):
    (made,) = send(course(content_type="courserun", start="2031-03-01T09:30:00+02:00"))
    assert (moodle.items[KEY]["startdate"], moodle.items[KEY]["enddate"]) == (1930116600, 0)

    moodle.items[KEY]["enddate"] = 1
    send(course(operation=Operation.UPDATE, remote_id=made.remote_id, start="2031-03-01T00:00:00Z"))
    assert moodle.items[KEY]["enddate"] == 0


def test_a_course_without_dates_leaves_those_at_moodle(moodle, send, course):
    held = moodle.courses.add(KEY, startdate=5, enddate=9)
    send(course(operation=Operation.UPDATE, remote_id=str(held["id"])))
    assert (held["startdate"], held["enddate"]) == (5, 9)


@pytest.mark.parametrize("strategy", ["hide", "delete"])
@pytest.mark.parametrize("remote_id", [None, "4711"])
def test_retiring_what_is_not_there_is_success_and_changes_nothing(moodle, send, course, strategy, remote_id):
    moodle.courses.add("OTHER")

    (result,) = send(course(operation=Operation.RETIRE, remote_id=remote_id), retire_strategy=strategy)

    assert result.kind is ResultKind.ALREADY_SO
    assert moodle.items["OTHER"]["visible"] == 1


@pytest.mark.parametrize("answer", ["null", '{"warnings":[]}'])
def test_deleting_answered_with_null_is_success_too(moodle, send, course, answer):
    held = moodle.courses.add(KEY)
    moodle.answer_for = lambda function, _: web.Response(text=answer) if function == DELETE else None

    (result,) = send(course(operation=Operation.RETIRE, remote_id=str(held["id"])), retire_strategy="delete")

    assert result.kind is ResultKind.ACCEPTED
    assert form_of(moodle, DELETE)["courseids[0]"] == str(held["id"])


def test_a_delete_that_stops_half_way_is_tried_in_smaller_batches(moodle, send, course):
    held = [moodle.courses.add(f"K{number}") for number in range(3)]
    held[1]["visible"] = 0
    moodle.rights.discard("moodle/course:viewhiddencourses")
    payloads = [course(f"K{n}", Operation.RETIRE, str(held[n]["id"])) for n in range(3)]

    results = as_core(send, *payloads, retire_strategy="delete")

    assert all(result.batch_refused for result in results)
    assert "K0" not in moodle.items
    assert "K2" in moodle.items
    (first,) = send(payloads[0], retire_strategy="delete")
    (second,) = send(payloads[2], retire_strategy="delete")
    assert (first.kind, second.kind) == (ResultKind.ALREADY_SO, ResultKind.ACCEPTED)


def test_two_courses_with_our_id_number_are_a_conflict_for_a_person(moodle, send, course):
    moodle.courses.add(KEY)
    moodle.courses.add(KEY, shortname="double")

    with pytest.raises(Exception, match="have the same ID number") as caught:
        send(course(operation=Operation.UPDATE))
    assert "Delete all but one" in str(caught.value)


def test_a_site_that_hides_id_numbers_is_not_believed(moodle, send, course):
    moodle.courses.add(KEY)
    moodle.rights.discard("moodle/course:update")

    with pytest.raises(Exception, match="does not show the ID numbers") as caught:
        send(course(operation=Operation.UPDATE))
    assert "moodle/course:update" in str(caught.value)


def test_find_and_list_see_hidden_courses(moodle, connected):
    moodle.courses.add(KEY, visible=0)
    moodle.courses.add("", shortname="by hand")
    moodle.courses.add("FAR", categoryid=5)

    async def look(session):
        return (
            await plugin.find_remote(session, KEY),
            await plugin.find_remote(session, "absent"),
            await plugin.list_remote(session),
        )

    found, absent, listed = connected(look)
    assert (found.remote_key, found.live, absent) == (KEY, False, None)
    assert [item.remote_key for item in listed] == [KEY]


# -- answers -----------------------------------------------------------------------------------------


def test_an_error_with_http_200_is_no_success(moodle, send, course):
    moodle.rights.discard("moodle/course:create")

    with pytest.raises(BlockedError, match="moodle/course:create") as caught:
        send(course())

    assert caught.value.reason == "nopermissions"
    assert not moodle.items


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("sitemaintenance", UnreachableError),
        ("dbconnectionfailed", UnreachableError),
        ("upgraderunning", UnreachableError),
        ("wsaccessuserunconfirmed", CredentialsError),
        ("servicerequireslogin", CredentialsError),
    ],
)
def test_what_the_site_is_in_the_way_of(moodle, send, course, code, kind):
    moodle.tokens["given"] = None
    moodle.refuses = code

    with pytest.raises(kind, match=code):
        send(course(), token="given", username=..., password=...)


def test_a_php_error_without_a_code_is_tried_again(moodle, send, course):
    moodle.answer_for = lambda *_: web.Response(
        text='{"exception":"Error","message":"Attempt to assign <b>property</b>"}'
    )

    with pytest.raises(SendError, match=r"Attempt to assign  property") as caught:
        send(course())
    assert result_from_error(caught.value).kind is ResultKind.TRY_LATER


def test_values_that_debugging_shows_are_not_repeated(moodle, send, course):
    moodle.answer_for = lambda *_: web.Response(
        text='{"exception":"dml_write_exception","errorcode":"dmlwriteexception","message":"Error writing to database '
        "(INSERT INTO mdl_user VALUES ('planted-person'))\\nmore planted-person\"}"
    )

    with pytest.raises(SendError, match="Error writing to database") as caught:
        send(course())
    assert "planted" not in f"{caught.value} {caught.value.excerpt}"
    assert result_from_error(caught.value).kind is ResultKind.TRY_LATER


def test_a_page_with_status_200_is_not_an_answer(moodle, send, course):
    moodle.answer_for = lambda *_: web.Response(text="<html><p>Log in</p></html>", content_type="text/html")

    with pytest.raises(OutcomeUnknownError):
        send(course())
    with pytest.raises(UnreachableError):
        send(course(operation=Operation.UPDATE, remote_id="5"))


def test_web_services_that_are_off_are_told_with_the_remedy(moodle, send, course):
    moodle.tokens["given"] = None
    moodle.web_services = False

    with pytest.raises(BlockedError, match="web services are enabled"):
        send(course(), token="given", username=..., password=...)


def test_a_site_at_another_address_is_named(moodle, send, course):
    moodle.answer_for = lambda *_: web.Response(
        status=303, headers={"Location": "https://www.moodle.example.org/"}
    )

    with pytest.raises(OutcomeUnknownError, match=r"redirects to https://www\.moodle\.example\.org/"):
        send(course())


def test_warnings_that_php_prints_before_the_answer_are_passed_over(moodle, send, course):
    text = '<b>Warning</b>: something\n[{"id":9,"shortname":"Course BrackenX+TIDE101 (BrackenX+TIDE101)"}]'
    moodle.answer_for = lambda *_: web.Response(text=text, content_type="text/html")

    (result,) = send(course())

    assert (result.kind, result.remote_id) == (ResultKind.ACCEPTED, "9")


def test_a_course_that_the_answer_does_not_name_is_in_doubt(moodle, send, course):
    moodle.answer_for = lambda *_: web.Response(text='[{"id":9,"shortname":"Another"}]')

    (result,) = send(course())

    assert (result.kind, result.reason) == (ResultKind.IN_DOUBT, "no-acknowledgement")


def test_a_warning_about_something_else_confirms_nothing(moodle, send, course):
    warning = '{"warnings":[{"item":"course","itemid":99,"warningcode":"odd","message":"odd"}]}'
    moodle.answer_for = lambda function, _: web.Response(text=warning) if function == UPDATE else None

    with pytest.raises(SendError, match="something else"):
        send(course(operation=Operation.UPDATE, remote_id="5"))


def test_a_create_whose_answer_is_lost_is_in_doubt_and_not_repeated(moodle, send, course):
    moodle.misbehave.append(Misbehaviour("reset after accepting", path="server.php"))

    with pytest.raises(OutcomeUnknownError):
        send(course())
    assert calls(moodle) == ["token", CREATE]


def test_an_update_whose_answer_is_lost_is_repeated(moodle, send, course):
    held = moodle.courses.add(KEY)
    moodle.misbehave.append(Misbehaviour("reset after accepting", path="server.php"))

    (result,) = send(course(operation=Operation.RETIRE, remote_id=str(held["id"])))

    assert result.kind is ResultKind.ACCEPTED


def test_replies_in_xml_are_read_as_well(moodle, send, connected, course):
    moodle.reply_format = "xml"
    title = 'Café "Tides" & Currents é 你好'
    (made,) = send(course(title=title))
    (again,) = send(course(title=f"{title} 2"))
    (retired,) = send(course(operation=Operation.RETIRE, remote_id=made.remote_id))
    found = connected(lambda session: plugin.find_remote(session, KEY))

    assert {made.kind, again.kind, retired.kind} == {ResultKind.ACCEPTED}
    assert made.remote_id == again.remote_id == str(moodle.items[KEY]["id"])
    assert (found.live, found.fields["shortname"]) == (False, f"{title} 2 ({KEY})")
    moodle.rights.discard("moodle/course:create")
    with pytest.raises(BlockedError, match="moodle/course:create"):
        send(course("K2"))


@pytest.mark.parametrize("wanted", ["json", "xml"])
def test_moodle_is_asked_for_the_configured_format(moodle, send, course, wanted):
    (result,) = send(course(), reply_format=wanted)

    assert result.kind is ResultKind.ACCEPTED
    assert form_of(moodle, CREATE)["moodlewsrestformat"] == wanted


@pytest.mark.parametrize("text", ["<?xml version='1.0'?><broken", "<?xml version='1.0'?><html/>", ""])
def test_xml_that_is_not_moodles_is_not_an_answer(moodle, send, course, text):
    moodle.answer_for = lambda *_: web.Response(text=text)
    with pytest.raises(OutcomeUnknownError):
        send(course())


@pytest.mark.parametrize("path", ["", "/", "/lms", "/lms/"])
def test_a_sub_directory_of_the_base_url_is_kept(moodle, send, course, path):
    (result,) = send(course(), moodle_base_url=f"{moodle.url}{path}")

    assert result.confirms
    assert {seen.path for seen in moodle.seen} == {
        f"{path.rstrip('/')}/login/token.php",
        f"{path.rstrip('/')}/webservice/rest/server.php",
    }


def test_creates_go_one_after_the_other(moodle, connected, course):
    arrived: list[float] = []
    moodle.answer_for = lambda function, _: arrived.append(time.monotonic()) if function == CREATE else None
    moodle.misbehave.append(Misbehaviour("slow answer", path="server.php", times=None, seconds=0.05))

    async def call(session):
        batches = [Batch(Operation.CREATE, (course(f"K{number}"),)) for number in range(3)]
        return await asyncio.gather(*(plugin.send_content(session, batch) for batch in batches))

    assert all(result.confirms for (result,) in connected(call))
    assert all(later - earlier >= 0.05 for earlier, later in itertools.pairwise(arrived))


def test_a_body_of_twenty_five_long_courses_is_small_enough_for_any_server(course):
    payloads = [course(f"K{n}", full_description="潮" * 1600, title="潮" * 300) for n in range(25)]
    form = urlencode(bracketed({"courses": [payload.body for payload in payloads]}))

    assert len(form) < 2**20  # what nginx takes unless told otherwise

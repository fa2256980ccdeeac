"""Sending courses, against the simulator over real HTTP."""

from __future__ import annotations

import pytest

from coursewire.model.payload import Operation, ResultKind
from coursewire.testing.misbehave import Misbehaviour
from coursewire_moodle import plugin
from coursewire_moodle.client import CATEGORIES, CREATE, DELETE, FIND, UPDATE

from .conftest import calls, form_of

KEY = "BrackenX+TIDE101"


def test_a_course_is_created_with_one_call_and_exact_form_keys(moodle, send, course):
    (result,) = send(course())

    held = moodle.items[KEY]
    assert result.kind is ResultKind.ACCEPTED
    assert (result.remote_id, result.http_status) == (str(held["id"]), 200)
    assert calls(moodle) == ["token", CREATE]
    form = form_of(moodle, CREATE)
    assert list(form)[0] == "wstoken"
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

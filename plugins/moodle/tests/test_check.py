"""The preflight names what is missing, and writes nothing."""

from __future__ import annotations

import pytest
from aiohttp import web

from coursewire.errors import BlockedError, CredentialsError, UnreachableError
from coursewire_moodle import plugin
from coursewire_moodle.client import CATEGORIES, CREATE, DELETE, FIND, UPDATE
from coursewire_moodle.outcomes import ASSIGNMENTS, GRADE, MODULE, PARTICIPANTS

from .conftest import calls

EVERY_RELEASE = True


@pytest.fixture
def preflight(connected):
    return lambda **fields: connected(plugin.check_connection, **fields)


def test_what_works_is_said_and_nothing_is_written(moodle, preflight):
    moodle.enroll("BrackenX+TIDE101", "lee.moor@example.org")
    before = str(moodle.courses.held)

    said = preflight()

    assert len(said) == 3
    assert f"Moodle {moodle.release}" in said[0]
    assert moodle.username not in str(said)
    assert "7 functions" in said[1]
    assert "tried on course" in said[2]
    assert str(moodle.courses.held) == before
    assert not moodle.outcomes
    assert UPDATE not in calls(moodle)
    assert GRADE not in calls(moodle)


def test_an_empty_category_is_no_fault(preflight):
    assert "no course to try them on" in preflight()[2]


def test_every_function_that_is_missing_is_named_at_once(moodle, preflight):
    moodle.functions -= {UPDATE, FIND, GRADE, DELETE, MODULE}

    with pytest.raises(BlockedError) as caught:
        preflight()
    message = str(caught.value)
    assert all(name in message for name in (UPDATE, FIND, GRADE))
    assert DELETE not in message
    assert MODULE not in message
    assert "External services" in message


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"retire_strategy": "delete"}, DELETE), ({"grade_assignment_cmid": 9}, MODULE)],
)
def test_a_function_is_asked_for_where_the_configuration_needs_it(moodle, preflight, fields, name):
    moodle.functions.discard(name)
    assert preflight()
    with pytest.raises(BlockedError, match=name):
        preflight(**fields)


def test_without_learner_data_no_function_for_it_is_asked_for(moodle, preflight):
    moodle.functions -= {ASSIGNMENTS, PARTICIPANTS, GRADE}

    assert "4 functions" in preflight(disable_learner_data_transmissions=True)[1]


@pytest.mark.parametrize(
    "right",
    [
        "moodle/course:create",
        "moodle/course:view",
        "moodle/course:update",
        "moodle/course:viewhiddencourses",
        "moodle/course:viewparticipants",
        "moodle/course:useremail",
    ],
)
def test_a_right_that_is_missing_is_named(moodle, preflight, right):
    moodle.enroll("BrackenX+TIDE101", "lee.moor@example.org")
    moodle.courses.add("K2", visible=0)
    moodle.rights.discard(right)

    with pytest.raises(BlockedError, match=right) as caught:
        preflight()
    assert "Define roles" in str(caught.value)


def test_several_rights_are_named_together(moodle, preflight):
    moodle.courses.add("K2")
    moodle.rights -= {"moodle/course:create", "moodle/course:update"}

    with pytest.raises(BlockedError, match=r"moodle/course:create.*moodle/course:update"):
        preflight()


def test_a_category_that_is_not_there_is_told(preflight):
    with pytest.raises(BlockedError, match="no category 99"):
        preflight(category_id=99)


def test_wrong_credentials_are_told_before_anything_else(moodle, preflight):
    with pytest.raises(CredentialsError, match="invalidlogin"):
        preflight(password="wrong")
    assert calls(moodle) == ["token"]


def test_it_works_in_xml_too(moodle, preflight):
    moodle.reply_format = "xml"
    moodle.enroll("BrackenX+TIDE101", "lee.moor@example.org")

    assert len(preflight()) == 3
    assert calls(moodle).count(CREATE) == 1
    assert CATEGORIES in calls(moodle)


def test_a_site_that_is_closed_for_maintenance_has_nothing_to_correct(moodle, preflight):
    moodle.interfere = lambda _: web.Response(status=503, text="<p>Maintenance</p>", content_type="text/html")

    with pytest.raises(UnreachableError, match="in order again") as caught:
        preflight()
    assert "moodle_base_url" not in str(caught.value)

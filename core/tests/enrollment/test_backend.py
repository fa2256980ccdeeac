"""Choosing the backend: by setting, at every call, and never with a raw error."""

from __future__ import annotations

import pytest

from coursewire.enrollment import EnrollmentApi
from coursewire.enrollment.errors import (
    CourseEnrollmentError,
    CourseModeNotFoundError,
    EnrollmentApiLoadError,
)

SOIL = "course-v1:FarmU+SOIL101+2026_T1"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SMALL = """
MODES = ["professional"]

class Small:
    def __init__(self, engine, settings, clock):
        self.engine, self.calls = engine, []

    def get_course_enrollment_info(self, course_id, *, include_expired=False):
        self.calls.append(include_expired)
        return {"course_id": course_id, "course_modes": [{"slug": slug} for slug in MODES]}

    def create_course_enrollment(self, username, course_id, mode, is_active, **how):
        return {"mode": mode, "is_active": is_active, "user": username, "course_details": None, "created": None}

    def update_course_enrollment(self, username, course_id, *, mode=None, is_active=None):
        return {"mode": mode, "is_active": is_active, "user": username, "course_details": None, "created": None}

    def get_course_enrollments(self, username, *, include_inactive=False): return []
    def get_course_enrollment(self, username, course_id): return None
    def add_or_update_enrollment_attr(self, username, course_id, attributes): pass
    def get_enrollment_attributes(self, username, course_id): return []
    def unenroll_user_from_all_courses(self, username): return set()
    def get_user_roles(self, username): return []

make = Small
"""


@pytest.fixture
def bare_api(engine, settings, clock):
    return EnrollmentApi(engine, settings, clock=clock)


def choose(api, name):
    api.settings = api.settings.model_copy(update={"enrollment_data": name})


def test_choice_and_validation_of_a_mode_ask_the_same_backend(api, install_backend):
    """The database has this run with audit; the backend in force has it with professional alone."""
    install_backend("small", SMALL)
    choose(api, "small")
    with pytest.raises(CourseModeNotFoundError) as caught:
        api.add_enrollment("ada", SOIL)
    assert caught.value.data["course_modes"] == [{"slug": "professional"}]
    assert api.add_enrollment("ada", SOIL, "professional")["mode"] == "professional"


def test_updating_without_a_mode_asks_for_no_course(bare_api, install_backend):
    install_backend("small", SMALL)
    choose(bare_api, "small")
    assert bare_api.update_enrollment("ada", SOIL, is_active=False)["is_active"] is False
    assert bare_api.backend.calls == []
    bare_api.update_enrollment("ada", SOIL, "professional", False)
    assert bare_api.backend.calls == [True]


def test_switching_takes_effect_with_the_next_call(api, install_backend):
    install_backend("small", SMALL)
    offered = []
    for name in ("database", "small", "database"):
        choose(api, name)
        details = api.get_course_enrollment_details(SOIL)
        offered.append([mode["slug"] for mode in details["course_modes"]])
    assert offered == [["audit", "verified"], ["professional"], ["audit", "verified"]]


def test_a_backend_is_made_once_for_the_same_settings(bare_api, engine):
    assert bare_api.backend is bare_api.backend
    choose(bare_api, "databse")
    with pytest.raises(EnrollmentApiLoadError, match="Did you mean database"):
        bare_api.get_enrollments("ada")
    choose(bare_api, "database")
    assert bare_api.get_enrollments("ada") == []


@pytest.mark.parametrize("value", ["enrollment.data", "", None, ".relative", 7, "no.such.module"])
def test_a_value_that_names_no_backend(bare_api, value):
    choose(bare_api, value)
    with pytest.raises(EnrollmentApiLoadError) as caught:
        bare_api.get_enrollment("ada", SOIL)
    assert caught.value.data == value
    assert isinstance(caught.value, CourseEnrollmentError)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("", ":make", "is not there"),
        (SMALL, ":other", "something that is not there"),
        ("def make(:", ":make", "SyntaxError"),
        ("raise ValueError('secret')", ":make", "ValueError"),
        ("def make(engine): ...", ":make", "TypeError"),
        ("make = None", ":make", "TypeError"),
        ("def make(engine, settings, clock): raise OSError('secret')", ":make", "OSError"),
        (SMALL.replace("def get_user_roles", "def get_users_roles"), ":make", "it lacks get_user_roles"),
        (SMALL + "Small.get_user_roles = None", ":make", "it lacks get_user_roles"),
        ("def make(engine, settings, clock): return None", ":make", "it lacks get_course_enrollments, "),
    ],
)
def test_a_backend_that_cannot_be_used(bare_api, install_backend, source, target, why):
    install_backend("faulty", source, target)
    choose(bare_api, "faulty")
    with pytest.raises(EnrollmentApiLoadError, match="enrollment backend 'faulty' cannot be used") as caught:
        bare_api.get_enrollments("ada")
    assert why in caught.value.why


def test_a_fault_of_a_backend_while_it_works_is_its_own(bare_api, install_backend):
    install_backend("small", SMALL + "def fail(*args, **how): raise OSError\nSmall.get_user_roles = fail\n")
    choose(bare_api, "small")
    with pytest.raises(OSError):  # noqa: PT011 - no message to match
        bare_api.get_user_roles("ada")

"""Choosing the backend: by setting, at every call, and never with a raw error."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from coursewire.enrollment import EnrollmentApi
from coursewire.enrollment import api as functions
from coursewire.enrollment.errors import (
    CourseEnrollmentError,
    CourseModeNotFoundError,
    EnrollmentApiLoadError,
    EnrollmentNotFoundError,
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
        ("make = None", ":make", "it lacks get_course_enrollments"),
        ("def make(engine, settings, clock): raise OSError('secret')", ":make", "OSError"),
        (
            SMALL.replace("def get_enrollment_attributes", "def attributes"),
            ":make",
            "it lacks get_enrollment_attributes",
        ),
        (SMALL + "Small.get_enrollment_attributes = None", ":make", "it lacks get_enrollment_attributes"),
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


SEVEN = """
ENROLLED = {}

def get_course_enrollments(user_id):
    return [one for (user, _), one in ENROLLED.items() if user == user_id]

def get_course_enrollment(user_id, course_id):
    return ENROLLED.get((user_id, course_id))

def create_course_enrollment(user_id, course_id, mode, is_active):
    ENROLLED[user_id, course_id] = {
        "created": None, "mode": mode, "is_active": is_active, "user": user_id,
        "course": {"course_id": course_id},
    }
    return ENROLLED[user_id, course_id]

def update_course_enrollment(user_id, course_id, mode=None, is_active=None):
    found = ENROLLED.get((user_id, course_id))
    if found is not None:
        found.update({k: v for k, v in {"mode": mode, "is_active": is_active}.items() if v is not None})
    return found

def add_or_update_enrollment_attr(user_id, course_id, attributes):
    ENROLLED[user_id, course_id]["attributes"] = attributes

def get_enrollment_attributes(user_id, course_id):
    return ENROLLED[user_id, course_id]["attributes"]

def get_course_enrollment_info(course_id, include_expired=False):
    return {"course_id": course_id, "course_modes": [{"slug": "audit"}, {"slug": "honor"}]}
"""
RUN = "course-v1:FarmU+SOIL101+2026_T1"


@pytest.fixture
def seven(tmp_path, monkeypatch):
    """A host's own module with the seven functions of the known interface, and nothing else."""
    package = tmp_path / "myhost"
    (package / "enrollment").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "enrollment" / "__init__.py").touch()
    (package / "enrollment" / "data.py").write_text(SEVEN)
    (package / "made.py").write_text(
        "from myhost.enrollment import data\n"
        "class OfNothing:\n    def __getattr__(self, name): return getattr(data, name)\n"
        "def of_three(engine, settings, clock): return data\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "myhost"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "name",
    ["myhost.enrollment.data", "myhost.made.OfNothing", "myhost.made:OfNothing", "myhost.made:of_three"],
)
def test_a_dotted_path_names_a_module_a_class_or_a_function(bare_api, seven, name):
    choose(bare_api, name)
    assert bare_api.add_enrollment("Bob", RUN)["mode"] == "audit"
    assert bare_api.get_enrollment("Bob", RUN)["is_active"] is True


def test_a_module_with_the_seven_functions_is_a_backend(engine, settings, clock, seven):
    api = EnrollmentApi(engine, settings, clock=clock, backend=import_module("myhost.enrollment.data"))
    number = [{"namespace": "order", "name": "n", "value": 100}]
    assert api.add_enrollment("Bob", RUN, "honor", True, number, enterprise_uuid="c")["mode"] == "honor"
    assert api.get_enrollment_attributes("Bob", RUN) == [{"namespace": "order", "name": "n", "value": "100"}]
    assert api.update_enrollment("Bob", RUN, "audit", None, None, False)["mode"] == "audit"
    assert [one["user"] for one in api.get_enrollments("Bob")] == ["Bob"]
    assert api.unenroll_user_from_all_courses("Bob") == {"FarmU"}
    assert api.get_enrollment("Bob", RUN)["is_active"] is False


def test_what_such_a_module_cannot_do_is_said(engine, settings, clock, seven):
    api = EnrollmentApi(engine, settings, clock=clock, backend=import_module("myhost.enrollment.data"))
    with pytest.raises(CourseEnrollmentError, match=r"knows no roles.*get_user_roles"):
        api.get_user_roles("Bob")
    with pytest.raises(CourseEnrollmentError, match="cannot be asked for include_inactive"):
        api.get_enrollments("Bob", include_inactive=True)
    with pytest.raises(CourseEnrollmentError, match="cannot be asked for force_enrollment"):
        api.add_enrollment("Bob", RUN, force_enrollment=True)


def test_an_entry_point_may_name_a_module(bare_api, install_backend):
    install_backend("seven", SEVEN, "")
    choose(bare_api, "seven")
    assert bare_api.add_enrollment("Bob", RUN)["user"] == "Bob"


def test_the_events_are_logged_and_no_learner_is_named(engine, settings, clock, seven, caplog):
    caplog.set_level("DEBUG", "coursewire.enrollment")
    api = EnrollmentApi(engine, settings, clock=clock, backend=import_module("myhost.enrollment.data"))
    api.add_enrollment("Bob", RUN)
    api.update_enrollment("Bob", RUN, "honor")
    with pytest.raises(EnrollmentNotFoundError):
        api.update_enrollment("Cleo", RUN, "honor")
    with pytest.raises(CourseModeNotFoundError):
        api.add_enrollment("Bob", RUN, "verified")
    api.get_course_enrollment_details(RUN)
    api.get_course_enrollment_details(RUN)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"enrolled somebody in {RUN}, mode audit",
        f"updating an enrollment in {RUN}: mode honor, active None",
        f"updated an enrollment in {RUN}",
        f"updating an enrollment in {RUN}: mode honor, active None",
        f"an enrollment in {RUN} was to be updated, and there is none",
        f"the mode verified is not offered by {RUN}",
        f"details of {RUN} come from the backend",
        f"details of {RUN} come from the cache",
    ]
    broken = EnrollmentApi(engine, settings, clock=clock)
    choose(broken, "no.such.module")
    caplog.clear()
    with pytest.raises(EnrollmentApiLoadError):
        broken.get_enrollment("Bob", RUN)
    (record,) = caplog.records
    assert (record.levelname, "cannot be loaded" in record.getMessage()) == ("ERROR", True)


class TestFunctions:
    """The module of functions beside the class."""

    @pytest.fixture(autouse=True)
    def _chosen(self, engine, settings, clock, seven):
        functions.use(
            EnrollmentApi(engine, settings, clock=clock, backend=import_module("myhost.enrollment.data"))
        )
        yield
        functions.use(None)

    def test_the_known_names_and_positions(self):
        assert functions.add_enrollment("Bob", RUN, "honor", True, None)["mode"] == "honor"
        assert functions.update_enrollment("Bob", RUN, "audit", True, None, False)["mode"] == "audit"
        assert functions.get_enrollment("Bob", RUN) == functions.get_enrollments("Bob")[0]
        assert functions.get_verified_enrollments("Bob") == []
        functions.set_enrollment_attributes("Bob", RUN, [{"namespace": "a", "name": "b", "value": "c"}])
        assert functions.get_enrollment_attributes("Bob", RUN)[0]["value"] == "c"
        assert functions.get_course_enrollment_details(RUN, True)["course_id"] == RUN
        functions.validate_course_mode(RUN, "audit", None, False)
        assert functions.unenroll_user_from_all_courses("Bob") == {"FarmU"}
        assert functions.serialize_enrollments(functions.get_enrollments("Bob")) == functions.get_enrollments(
            "Bob"
        )
        assert functions._default_course_mode(RUN) == "audit"
        assert functions._data_api().__name__ == "myhost.enrollment.data"

    def test_every_method_has_its_function(self):
        methods = {name for name in vars(EnrollmentApi) if not name.startswith("_")} - {"backend", "close"}
        assert methods <= vars(functions).keys()

    def test_the_installation_is_what_they_work_on_by_default(self, tmp_path, monkeypatch):
        functions.use(None)
        monkeypatch.setenv("COURSEWIRE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("COURSEWIRE_ENROLLMENT_DATA", "myhost.enrollment.data")
        assert functions.add_enrollment("Cleo", RUN)["user"] == "Cleo"
        functions.current().close()

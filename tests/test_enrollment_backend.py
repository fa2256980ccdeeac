"""The backend that docs/how-to/enrollment-backend.md teaches works as it is printed there."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from coursewire.enrollment import EnrollmentApi
from coursewire.enrollment.errors import (
    CourseEnrollmentExistsError,
    CourseModeNotFoundError,
    CourseNotFoundError,
    EnrollmentNotFoundError,
    UserNotFoundError,
)
from coursewire.enrollment.shapes import Course, Mode
from coursewire.settings import Settings
from coursewire.storage.database.engine import open_engine

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "enrollment-backend.md"
T1 = "course-v1:Tiny+T1+2026"


def blocks():
    """The page's blocks of code: those that are files by name, the others by number."""
    found = re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return {name or number: (language, text) for number, (language, name, text) in enumerate(found)}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """What ``pip install`` makes of the page's two files."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "tiny_backend.py").write_text(blocks()["tiny_backend.py"][1], "utf-8")
    project = tomllib.loads(blocks()["pyproject.toml"][1])["project"]
    info = folder / "tiny_backend-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(folder))
    yield
    sys.modules.pop("tiny_backend", None)


@pytest.fixture
def api(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_ENROLLMENT_DATA", "tiny")
    settings = Settings.load(data_dir=tmp_path)
    engine = open_engine(settings.database_url)
    yield EnrollmentApi(engine, settings)
    engine.dispose()


def test_every_block_is_python_or_toml_that_can_be_read():
    for language, text in blocks().values():
        assert language in ("python", "toml")
        (ast.parse if language == "python" else tomllib.loads)(text)


def test_enroll_change_leave_and_come_back(api):
    added = api.add_enrollment("ada", T1)
    assert (added["mode"], added["is_active"]) == ("audit", True)
    with pytest.raises(CourseEnrollmentExistsError) as caught:
        api.add_enrollment("ada", T1)
    assert caught.value.enrollment == added
    assert api.update_enrollment("ada", T1, "verified")["mode"] == "verified"
    assert len(api.get_verified_enrollments("ada")) == 1
    assert api.unenroll_user_from_all_courses("ada") == {"Tiny"}
    assert api.get_enrollments("ada") == []
    assert api.add_enrollment("ada", T1)["created"] == added["created"]
    assert api.get_enrollments("bob") == []
    assert api.get_user_roles("ada") == []


def test_attributes(api):
    attribute = {"namespace": "credit", "name": "provider_id", "value": "asu"}
    api.set_enrollment_attributes("ada", T1, [attribute])
    assert api.get_enrollment_attributes("ada", T1) == []
    api.add_enrollment("ada", T1, enrollment_attributes=[attribute])
    api.set_enrollment_attributes("ada", T1, [{**attribute, "value": "mit"}])
    assert api.get_enrollment_attributes("ada", T1) == [{**attribute, "value": "mit"}]


def test_what_it_refuses(api):
    with pytest.raises(CourseModeNotFoundError, match="audit, verified"):
        api.add_enrollment("ada", T1, "honor")
    with pytest.raises(CourseNotFoundError):
        api.add_enrollment("ada", "course-v1:No+Such+Run")
    with pytest.raises(UserNotFoundError):
        api.add_enrollment("nobody", T1)
    with pytest.raises(EnrollmentNotFoundError):
        api.update_enrollment("bob", T1, is_active=False)
    assert api.get_enrollment("bob", T1) is None


def test_details_have_every_field(api):
    details = api.get_course_enrollment_details(T1)
    assert set(details) == set(Course.__annotations__)
    assert all(set(mode) == set(Mode.__annotations__) for mode in details["course_modes"])

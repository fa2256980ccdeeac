"""The Enrollment API as a module of functions, for a host that calls it by name.

::

    from coursewire.enrollment import api

    api.add_enrollment("ada", "course-v1:FarmU+SOIL101+2026_T1", mode="audit")

Names and positions of the arguments are those that callers of such an API know. The functions work on the
installation that the environment and the settings file describe; :func:`use` chooses another
:class:`~coursewire.enrollment.enrollments.EnrollmentApi`, such as one with a backend or a cache of the host's own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coursewire.enrollment.enrollments import EnrollmentApi
from coursewire.enrollment.modes import default_mode
from coursewire.settings import Settings
from coursewire.storage.database.engine import open_engine

if TYPE_CHECKING:
    from coursewire.enrollment.shapes import Attribute, Course, Enrollment, Role
    from coursewire.model.payload import JsonObject

_lock = threading.Lock()
_in_use: EnrollmentApi | None = None


def use(enrollments: EnrollmentApi | None) -> None:
    """Choose what the functions of this module work on.

    Args:
        enrollments: The API to use from now on; None for that of the installation, which is made at the next call.
    """
    global _in_use  # noqa: PLW0603 - a module of functions has nowhere else to keep its choice
    with _lock:
        _in_use = enrollments


def current() -> EnrollmentApi:
    """Return the API that the functions of this module work on; it is made at the first call.

    Raises:
        SettingsError: The settings of the installation cannot be used.
    """
    global _in_use  # noqa: PLW0603
    with _lock:
        if _in_use is None:
            settings = Settings.load()
            _in_use = EnrollmentApi(open_engine(settings.database_url), settings)
        return _in_use


def get_enrollments(username: str, include_inactive: bool = False) -> list[Enrollment]:
    """Return a user's enrollments; see :meth:`EnrollmentApi.get_enrollments`."""
    return current().get_enrollments(username, include_inactive)


def get_verified_enrollments(username: str, include_inactive: bool = False) -> list[Enrollment]:
    """Return a user's verified enrollments; see :meth:`EnrollmentApi.get_verified_enrollments`."""
    return current().get_verified_enrollments(username, include_inactive)


def get_enrollment(username: str, course_id: str) -> Enrollment | None:
    """Return one enrollment or None; see :meth:`EnrollmentApi.get_enrollment`."""
    return current().get_enrollment(username, course_id)


def add_enrollment(  # noqa: PLR0917 - the positions that callers know
    username: str,
    course_id: str,
    mode: str | None = None,
    is_active: bool = True,
    enrollment_attributes: Sequence[Mapping[str, Any]] | None = None,
    enterprise_uuid: str | None = None,
    force_enrollment: bool = False,
    include_expired: bool = False,
) -> Enrollment:
    """Enroll a user; see :meth:`EnrollmentApi.add_enrollment`, which says what is raised."""
    return current().add_enrollment(
        username,
        course_id,
        mode,
        is_active,
        enrollment_attributes,
        enterprise_uuid=enterprise_uuid,
        force_enrollment=force_enrollment,
        include_expired=include_expired,
    )


def update_enrollment(  # noqa: PLR0917 - the positions that callers know
    username: str,
    course_id: str,
    mode: str | None = None,
    is_active: bool | None = None,
    enrollment_attributes: Sequence[Mapping[str, Any]] | None = None,
    include_expired: bool = False,
) -> Enrollment:
    """Change an enrollment; see :meth:`EnrollmentApi.update_enrollment`, which says what is raised."""
    return current().update_enrollment(
        username, course_id, mode, is_active, enrollment_attributes, include_expired
    )


def get_course_enrollment_details(course_id: str, include_expired: bool = False) -> Course:
    """Return a course run with its modes; see :meth:`EnrollmentApi.get_course_enrollment_details`."""
    return current().get_course_enrollment_details(course_id, include_expired)


def set_enrollment_attributes(username: str, course_id: str, attributes: Sequence[Mapping[str, Any]]) -> None:
    """Add or replace attributes; see :meth:`EnrollmentApi.set_enrollment_attributes`."""
    current().set_enrollment_attributes(username, course_id, attributes)


def get_enrollment_attributes(username: str, course_id: str) -> list[Attribute]:
    """Return the attributes of an enrollment; see :meth:`EnrollmentApi.get_enrollment_attributes`."""
    return current().get_enrollment_attributes(username, course_id)


def validate_course_mode(
    course_id: str, mode: str, is_active: bool | None = None, include_expired: bool = False
) -> None:
    """Make sure that a course offers a mode; see :meth:`EnrollmentApi.validate_course_mode`."""
    current().validate_course_mode(course_id, mode, is_active, include_expired)


def unenroll_user_from_all_courses(username: str) -> set[str]:
    """Make all enrollments of a user inactive; see :meth:`EnrollmentApi.unenroll_user_from_all_courses`."""
    return current().unenroll_user_from_all_courses(username)


def get_user_roles(username: str) -> list[Role]:
    """Return a user's roles in courses; see :meth:`EnrollmentApi.get_user_roles`."""
    return current().get_user_roles(username)


def serialize_enrollments(enrollments: Iterable[Enrollment]) -> list[JsonObject]:
    """Return enrollments of a backend as JSON can carry them; see :meth:`EnrollmentApi.serialize_enrollments`."""
    return EnrollmentApi.serialize_enrollments(enrollments)


def _default_course_mode(course_id: str) -> str:
    """Return the mode of an enrollment for which nobody names one."""
    enrollments = current()
    course = enrollments.backend.get_course_enrollment_info(course_id, include_expired=False)
    return default_mode(course, enrollments.settings.default_course_mode)


def _data_api() -> Any:
    """Return the data backend in force; settings are read at every call, so that a test may switch it."""
    return current().backend

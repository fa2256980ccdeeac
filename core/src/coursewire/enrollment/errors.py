"""The errors of the Enrollment API.

::

    CoursewireError
    ├── CourseEnrollmentError         base of the family; ``data`` says more, for programs
    │   ├── UserNotFoundError
    │   ├── CourseEnrollmentClosedError
    │   ├── CourseEnrollmentFullError
    │   ├── CourseEnrollmentExistsError   ``enrollment`` is the one that is there
    │   ├── CourseModeNotFoundError       ``data`` is the course, with the modes it offers
    │   ├── EnrollmentNotFoundError
    │   ├── InvalidEnrollmentAttribute
    │   └── EnrollmentApiLoadError        ``data`` is the setting's value
    └── CourseNotFoundError           not of the family, as callers of such APIs expect

No message names a learner: whoever called knows whom they asked about, and messages end in logs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursewire.errors import CoursewireError

if TYPE_CHECKING:
    from coursewire.enrollment.shapes import Enrollment


class CourseEnrollmentError(CoursewireError):
    """Base of the family.

    Attributes:
        data: What a program needs to go on, such as the course with its modes; None when there is nothing.
    """

    code = "enrollment"

    def __init__(
        self, message: str, data: Any = None, *, where: str = "", why: str = "", next_step: str = ""
    ) -> None:
        self.data = data
        super().__init__(message, where=where, why=why, next_step=next_step)


class UserNotFoundError(CourseEnrollmentError):
    """The backend does not know this user."""

    code = "enrollment-user-unknown"


class CourseEnrollmentClosedError(CourseEnrollmentError):
    """The course run takes nobody now, or only who is invited."""

    code = "enrollment-closed"


class CourseEnrollmentFullError(CourseEnrollmentError):
    """The course run has as many learners as it takes."""

    code = "enrollment-full"


class CourseEnrollmentExistsError(CourseEnrollmentError):
    """The user has an active enrollment already.

    Attributes:
        enrollment: It.
    """

    code = "enrollment-exists"

    def __init__(self, message: str, enrollment: Enrollment) -> None:
        self.enrollment = enrollment
        super().__init__(message, next_step="Use update_enrollment to change its mode.")


class CourseModeNotFoundError(CourseEnrollmentError):
    """The course run does not offer this mode now."""

    code = "enrollment-mode-unknown"


class EnrollmentNotFoundError(CourseEnrollmentError):
    """The user is not enrolled, so there is nothing to update."""

    code = "enrollment-unknown"


class InvalidEnrollmentAttribute(CourseEnrollmentError):  # noqa: N818 - the name that callers know
    """An attribute lacks its namespace, name or value. Nothing was stored."""

    code = "enrollment-attribute"


class EnrollmentApiLoadError(CourseEnrollmentError):
    """The backend that the settings name cannot be used."""

    code = "enrollment-backend"
    exit_status = 2


class CourseNotFoundError(CoursewireError):
    """The backend does not know this course run."""

    code = "enrollment-course-unknown"

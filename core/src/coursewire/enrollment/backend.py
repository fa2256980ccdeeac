"""The data backend of the Enrollment API: what one offers, and finding the one that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from coursewire.enrollment.errors import EnrollmentApiLoadError
from coursewire.errors import SettingsError
from coursewire.model.instant import Clock
from coursewire.plugins.faults import describe
from coursewire.plugins.loading import load_named

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from coursewire.enrollment.shapes import Attribute, Course, Enrollment, Role
    from coursewire.settings import Settings

GROUP = "coursewire.enrollment_data"
"""The entry point group of backends."""


class EnrollmentData(Protocol):
    """A backend. ``course_id`` is a course run key; errors are those of :mod:`coursewire.enrollment.errors`."""

    def get_course_enrollments(self, username: str, *, include_inactive: bool = False) -> list[Enrollment]:
        """The user's enrollments, oldest first; those whose course is gone with no ``course_details``."""
        ...

    def get_course_enrollment(self, username: str, course_id: str) -> Enrollment | None:
        """One enrollment, active or not; None when there is none."""
        ...

    def create_course_enrollment(
        self,
        username: str,
        course_id: str,
        mode: str,
        is_active: bool,
        *,
        enterprise_uuid: str | None = None,
        force_enrollment: bool = False,
    ) -> Enrollment:
        """Enroll a user, or bring an inactive enrollment back in this mode.

        Args:
            username: Who.
            course_id: Where.
            mode: One that the API has found among the course's.
            is_active: False records somebody who has left.
            enterprise_uuid: The customer who enrolls; None when the learner does.
            force_enrollment: Also after the end of enrollment.

        Raises:
            UserNotFoundError: Nobody has this name.
            CourseNotFoundError: There is no such course run.
            CourseEnrollmentExistsError: An active enrollment is there.
            CourseEnrollmentClosedError: The course run takes nobody now.
            CourseEnrollmentFullError: It has no place left.
        """
        ...

    def update_course_enrollment(
        self, username: str, course_id: str, *, mode: str | None = None, is_active: bool | None = None
    ) -> Enrollment | None:
        """Change what is not None; answer None when the user is not enrolled.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        ...

    def add_or_update_enrollment_attr(
        self, username: str, course_id: str, attributes: Sequence[Attribute]
    ) -> None:
        """Set attributes by namespace and name; do nothing when the user is not enrolled.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        ...

    def get_enrollment_attributes(self, username: str, course_id: str) -> list[Attribute]:
        """The enrollment's attributes, by namespace and name."""
        ...

    def get_course_enrollment_info(self, course_id: str, *, include_expired: bool = False) -> Course:
        """A course run with its modes; a run without any (that has not expired) offers the default mode.

        Raises:
            CourseNotFoundError: There is no such course run.
        """
        ...

    def unenroll_user_from_all_courses(self, username: str) -> set[str]:
        """Make all the user's enrollments inactive; answer the organisations of those that were active.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        ...

    def get_user_roles(self, username: str) -> list[Role]:
        """The user's roles in courses, in a stable order."""
        ...


MakeBackend = Callable[["Engine", "Settings", Clock], EnrollmentData]
"""What an entry point names: a class or function that makes a backend of the installation's engine,
settings and clock."""

FUNCTIONS = tuple(name for name in vars(EnrollmentData) if not name.startswith("_"))
"""What every backend must have."""


def load_backend(engine: Engine, settings: Settings, clock: Clock) -> EnrollmentData:
    """Make the backend that the setting ``enrollment_data`` names.

    Raises:
        EnrollmentApiLoadError: It names none that is installed, or one that cannot be imported, made, or
            lacks a function.
    """
    name: Any = settings.enrollment_data
    if not isinstance(name, str) or not name:
        raise _unusable(name, "it is not the name of an entry point")
    try:
        make = cast("MakeBackend", load_named(GROUP, name))
    except SettingsError as error:
        raise _unusable(name, error.why or error.what, error.next_step) from error
    try:
        backend = make(engine, settings, clock)
    except Exception as error:  # a backend of somebody else's may raise anything while it is made
        raise _unusable(name, describe(error)) from error
    lacking = [function for function in FUNCTIONS if not callable(getattr(backend, function, None))]
    if lacking:
        raise _unusable(name, f"it lacks {', '.join(lacking)}")
    return backend


def _unusable(name: object, why: str, next_step: str = "") -> EnrollmentApiLoadError:
    return EnrollmentApiLoadError(
        f"the enrollment backend {name!r} cannot be used",
        name,
        where="setting enrollment_data",
        why=why,
        next_step=next_step or f"Name a backend of the entry point group {GROUP}, such as 'database'.",
    )

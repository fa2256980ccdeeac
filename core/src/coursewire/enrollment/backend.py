"""The data backend of the Enrollment API: its functions, and finding the one that the settings name."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from coursewire.enrollment.errors import CourseEnrollmentError, EnrollmentApiLoadError
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


MakeBackend = Callable[["Engine", "Settings", Clock], object]
"""The class or function that an entry point or a dotted path names: it makes a backend of the installation's engine,
settings and clock."""

OPTIONAL = frozenset({"unenroll_user_from_all_courses", "get_user_roles"})
"""The functions that a backend may lack: the first is then done one enrollment at a time, the second refused."""

FUNCTIONS = tuple(name for name in vars(EnrollmentData) if not name.startswith("_") and name not in OPTIONAL)
"""The seven functions that every backend has."""

_UNIMPORTANT = frozenset({"enterprise_uuid"})
"""Arguments that a backend which does not know them need not be told: it only keeps no note of the customer."""


class Backend:
    """A data backend with the signatures of :class:`EnrollmentData`, whichever the host's own has.

    Keyword arguments that a function of the host's does not have are left out. Asking for something by such an
    argument (``include_inactive=True``, ``force_enrollment=True``) is refused rather than silently not done.

    Args:
        target: A module or an object with at least the functions of :data:`FUNCTIONS`.
        name: The way in which the host named it, for messages.

    Attributes:
        target: The module or object itself.

    Raises:
        EnrollmentApiLoadError: A function is missing.
    """

    def __init__(self, target: object, name: object) -> None:
        self.target = target
        self._name = name
        self._keywords: dict[str, frozenset[str] | None] = {}
        lacking = [function for function in FUNCTIONS if not callable(getattr(target, function, None))]
        if lacking:
            raise _unusable(name, f"it lacks {', '.join(lacking)}")

    def get_course_enrollments(self, username: str, *, include_inactive: bool = False) -> list[Enrollment]:
        """See :meth:`EnrollmentData.get_course_enrollments`."""
        found: list[Enrollment] = self._call(
            "get_course_enrollments", username, include_inactive=include_inactive
        )
        return found

    def get_course_enrollment(self, username: str, course_id: str) -> Enrollment | None:
        """See :meth:`EnrollmentData.get_course_enrollment`."""
        found: Enrollment | None = self._call("get_course_enrollment", username, course_id)
        return found

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
        """See :meth:`EnrollmentData.create_course_enrollment`."""
        made: Enrollment = self._call(
            "create_course_enrollment",
            username,
            course_id,
            mode,
            is_active,
            enterprise_uuid=enterprise_uuid,
            force_enrollment=force_enrollment,
        )
        return made

    def update_course_enrollment(
        self, username: str, course_id: str, *, mode: str | None = None, is_active: bool | None = None
    ) -> Enrollment | None:
        """See :meth:`EnrollmentData.update_course_enrollment`."""
        changed: Enrollment | None = self._call(
            "update_course_enrollment", username, course_id, mode=mode, is_active=is_active
        )
        return changed

    def add_or_update_enrollment_attr(
        self, username: str, course_id: str, attributes: Sequence[Attribute]
    ) -> None:
        """See :meth:`EnrollmentData.add_or_update_enrollment_attr`."""
        self._call("add_or_update_enrollment_attr", username, course_id, attributes)

    def get_enrollment_attributes(self, username: str, course_id: str) -> list[Attribute]:
        """See :meth:`EnrollmentData.get_enrollment_attributes`."""
        found: list[Attribute] = self._call("get_enrollment_attributes", username, course_id)
        return found

    def get_course_enrollment_info(self, course_id: str, *, include_expired: bool = False) -> Course:
        """See :meth:`EnrollmentData.get_course_enrollment_info`."""
        course: Course = self._call("get_course_enrollment_info", course_id, include_expired=include_expired)
        return course

    def unenroll_user_from_all_courses(self, username: str) -> set[str]:
        """See :meth:`EnrollmentData.unenroll_user_from_all_courses`."""
        if callable(getattr(self.target, "unenroll_user_from_all_courses", None)):
            return set(self._call("unenroll_user_from_all_courses", username))
        organisations = set()
        for enrollment in self.get_course_enrollments(username):
            course = enrollment.get("course_details") or enrollment.get("course")
            course_id = course.get("course_id") if isinstance(course, Mapping) else None
            if isinstance(course_id, str) and enrollment["is_active"]:
                self.update_course_enrollment(username, course_id, is_active=False)
                organisations.add(_organisation(course_id))
        return organisations

    def get_user_roles(self, username: str) -> list[Role]:
        """See :meth:`EnrollmentData.get_user_roles`.

        Raises:
            CourseEnrollmentError: The backend knows no roles.
        """
        if not callable(getattr(self.target, "get_user_roles", None)):
            raise CourseEnrollmentError(
                f"the enrollment backend {self._name!r} knows no roles",
                where="get_user_roles",
                why="it has no function of this name",
                next_step="Add get_user_roles(username) to the backend, or do not ask for roles.",
            )
        found: list[Role] = self._call("get_user_roles", username)
        return found

    def _call(self, function: str, *args: Any, **keywords: Any) -> Any:
        """Call a function of the host's with those keyword arguments that it has."""
        target = getattr(self.target, function)
        if function not in self._keywords:
            self._keywords[function] = _keywords_of(target)
        known = self._keywords[function]
        taken = keywords if known is None else {k: v for k, v in keywords.items() if k in known}
        for keyword in keywords.keys() - taken.keys() - _UNIMPORTANT:
            if keywords[keyword]:
                raise CourseEnrollmentError(
                    f"the enrollment backend {self._name!r} cannot be asked for {keyword}",
                    where=function,
                    why="its function has no such argument",
                    next_step=f"Add the keyword argument {keyword} to the backend's {function}, or leave it out.",
                )
        return target(*args, **taken)


def load_backend(engine: Engine, settings: Settings, clock: Clock) -> Backend:
    """Return the backend that the setting ``enrollment_data`` names.

    The setting is the name of an entry point, or a dotted path: ``myhost.enrollment.data`` (a module with the
    functions), ``myhost.enrollment.data.Backend`` or ``myhost.enrollment.data:Backend`` (a class, which is made of
    engine, settings and clock, or of nothing where it takes nothing).

    Raises:
        EnrollmentApiLoadError: The setting names no backend, or one that cannot be imported, made, or lacks a function.
    """
    name: Any = settings.enrollment_data
    if not isinstance(name, str) or not name:
        raise _unusable(name, "it is neither the name of an entry point nor a dotted path")
    target = _import(name) if "." in name or ":" in name else _entry_point(name)
    if isinstance(target, ModuleType) or not callable(target):
        return Backend(target, name)
    make = cast("MakeBackend", target)
    try:
        parameters = inspect.signature(make).parameters
        made = make(engine, settings, clock) if parameters else cast("Callable[[], object]", make)()
    except Exception as error:  # a backend of somebody else's may raise anything while it is made
        raise _unusable(name, describe(error)) from error
    return Backend(made, name)


def _entry_point(name: str) -> object:
    try:
        return load_named(GROUP, name)
    except SettingsError as error:
        raise _unusable(name, error.why or error.what, error.next_step) from error


def _import(name: str) -> object:
    try:
        return pkgutil.resolve_name(name)
    except Exception as error:  # a module of somebody else's may raise anything while it is imported
        raise _unusable(
            name,
            describe(error),
            "Name a module or class that can be imported by this process, as package.module or package.module:Class.",
        ) from error


def _keywords_of(function: Callable[..., object]) -> frozenset[str] | None:
    """Return the names by which arguments can be given; None where every name is taken."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function written in C may tell nothing
        return None
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return frozenset(each.name for each in parameters if each.kind is not each.POSITIONAL_ONLY)


def _organisation(course_id: str) -> str:
    """Return the organisation that a course run key begins with, such as ``FarmU``."""
    return course_id.rpartition(":")[2].partition("+")[0].partition("/")[0]


def _unusable(name: object, why: str, next_step: str = "") -> EnrollmentApiLoadError:
    return EnrollmentApiLoadError(
        f"the enrollment backend {name!r} cannot be used",
        name,
        where="setting enrollment_data",
        why=why,
        next_step=next_step or f"Name a backend of the entry point group {GROUP}, such as 'database'.",
    )

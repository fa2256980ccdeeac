"""The Enrollment API: who is enrolled where and how, over a backend that the settings choose."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from coursewire.enrollment.backend import Backend, load_backend
from coursewire.enrollment.cache import MISSING, Cache, MemoryCache
from coursewire.enrollment.errors import (
    CourseEnrollmentError,
    CourseEnrollmentExistsError,
    CourseModeNotFoundError,
    EnrollmentNotFoundError,
    InvalidEnrollmentAttribute,
)
from coursewire.enrollment.modes import default_mode, require_mode, takes_expired
from coursewire.model.instant import Clock, iso_utc, utc_now
from coursewire.model.payload import JsonObject

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from coursewire.enrollment.shapes import Attribute, Course, Enrollment, Role
    from coursewire.settings import Settings

_log = logging.getLogger(__name__)

T = TypeVar("T")

_ATTRIBUTE_KEYS = ("namespace", "name", "value")

MAX_ATTRIBUTE_KEY = 255
"""Characters of an attribute's namespace and of its name."""


class EnrollmentApi:
    """The enrollments of one installation.

    ``course_id`` is a course run key everywhere. Whatever is returned, or carried by an error, can be written as JSON
    as it is: instants are ISO 8601 text in UTC, such as
    ``2026-05-17T12:30:15.123456Z``. The methods work synchronously;
    call them from a thread (``asyncio.to_thread``) in asynchronous code. One object may serve many threads.

    Args:
        engine: The installation's database, which a backend is given when it is made.
        settings: Read at every call: ``enrollment_data``, ``default_course_mode``, ``enrollment_details_cache_s``.
        clock: Tells the present instant.
        cache: Keeps course details, such as Django's cache; a cache in memory when left out.
        backend: The data backend itself, an object or module with the functions of
            :class:`~coursewire.enrollment.backend.EnrollmentData`. When left out, the setting ``enrollment_data``
            names one.

    Attributes:
        settings: Assign other settings, and the next call follows them, the choice of the backend included.

    Example:
        >>> api = EnrollmentApi(engine, settings, backend=my_host.enrollment.data)  # doctest: +SKIP
        >>> api.get_enrollment("ada", "course-v1:FarmU+SOIL101+2026_T1")["mode"]  # doctest: +SKIP
        'audit'
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        clock: Clock = utc_now,
        cache: Cache | None = None,
        backend: object | None = None,
    ) -> None:
        self.settings = settings
        self._engine = engine
        self._clock = clock
        self._cache = cache if cache is not None else MemoryCache(clock)
        self._given = None if backend is None else Backend(backend, "backend")
        self._made: tuple[Settings, Backend] | None = None

    @property
    def backend(self) -> Any:
        """The host's own backend: the object or module that was handed over, or that the settings name now.

        Raises:
            EnrollmentApiLoadError: The named backend cannot be used.
        """
        return self._backend.target

    @property
    def _backend(self) -> Backend:
        if self._given is not None:
            return self._given
        settings, made = self.settings, self._made
        if made is None or made[0] is not settings:
            try:
                made = (settings, load_backend(self._engine, settings, self._clock))
            except CourseEnrollmentError as error:
                _log.error("the enrollment backend cannot be loaded: %s", error)
                raise
            self._made = made
        return made[1]

    def close(self) -> None:
        """Let go of the database's connections; only for who made the engine for this object alone."""
        self._engine.dispose()

    def get_enrollments(self, username: str, include_inactive: bool = False) -> list[Enrollment]:
        """Return a user's enrollments, oldest first.

        Args:
            username: The user's name.
            include_inactive: Also return the enrollments that the user has left.

        Returns:
            The enrollments. Those in courses that are gone are left out, and their number is logged.
        """
        found = self._backend.get_course_enrollments(username, include_inactive=include_inactive)
        # A backend of a host's own may leave the course out altogether; only None says that the course is gone.
        there = [enrollment for enrollment in found if enrollment.get("course_details", "") is not None]
        if len(there) < len(found):
            _log.warning("%d enrollments are in courses that are gone; left out", len(found) - len(there))
        return _plain(there)

    def get_verified_enrollments(self, username: str, include_inactive: bool = False) -> list[Enrollment]:
        """Return those of :meth:`get_enrollments` whose mode is ``verified``."""
        return [
            enrollment
            for enrollment in self.get_enrollments(username, include_inactive=include_inactive)
            if enrollment["mode"] == "verified"
        ]

    def get_enrollment(self, username: str, course_id: str) -> Enrollment | None:
        """Return one enrollment, active or not, even if its course is gone; None when the user is not enrolled."""
        return _plain(self._backend.get_course_enrollment(username, course_id))

    def add_enrollment(
        self,
        username: str,
        course_id: str,
        mode: str | None = None,
        is_active: bool = True,
        enrollment_attributes: Sequence[Mapping[str, Any]] | None = None,
        *,
        enterprise_uuid: str | None = None,
        force_enrollment: bool = False,
        include_expired: bool = False,
    ) -> Enrollment:
        """Enroll a user, or bring an inactive enrollment back. What is wrong is found before anything is stored.

        Args:
            username: Who.
            course_id: Where.
            mode: None for the default: the installation's if the course offers it, else audit, else honor.
            is_active: False records somebody who has left; an expired mode will then do.
            enrollment_attributes: Set with the enrollment.
            enterprise_uuid: The customer who enrolls; None when the learner does.
            force_enrollment: Also after the end of enrollment.
            include_expired: An expired mode will do.

        Returns:
            The new enrollment.

        Raises:
            CourseModeNotFoundError: The course does not offer the mode; its ``data`` is the course.
            CourseEnrollmentExistsError: An active enrollment is there; its ``enrollment`` is that one.
            InvalidEnrollmentAttribute: An attribute is incomplete.
            UserNotFoundError: Nobody has this name.
            CourseNotFoundError: There is no such course run.
            CourseEnrollmentClosedError: The course run takes nobody now.
            CourseEnrollmentFullError: It has no place left.
        """
        attributes = _checked(enrollment_attributes)
        if mode is None:
            offered = self._backend.get_course_enrollment_info(course_id, include_expired=False)
            mode = default_mode(offered, self.settings.default_course_mode)
        self.validate_course_mode(course_id, mode, is_active=is_active, include_expired=include_expired)
        try:
            enrollment = self._backend.create_course_enrollment(
                username,
                course_id,
                mode,
                is_active,
                enterprise_uuid=enterprise_uuid,
                force_enrollment=force_enrollment,
            )
        except CourseEnrollmentExistsError as error:
            error.enrollment = _plain(error.enrollment)
            raise
        if attributes:
            self._backend.add_or_update_enrollment_attr(username, course_id, attributes)
        _log.info("enrolled somebody in %s, mode %s", course_id, mode)
        return _plain(enrollment)

    def update_enrollment(  # noqa: PLR0917 - the positions that callers know
        self,
        username: str,
        course_id: str,
        mode: str | None = None,
        is_active: bool | None = None,
        enrollment_attributes: Sequence[Mapping[str, Any]] | None = None,
        include_expired: bool = False,
    ) -> Enrollment:
        """Change an enrollment; what is None stays. To unenroll is to make it inactive: nothing is deleted.

        Args:
            username: Who.
            course_id: Where.
            mode: Validated when it is given.
            is_active: With False an expired mode will do.
            enrollment_attributes: Added or replaced by namespace and name.
            include_expired: An expired mode will do.

        Returns:
            The enrollment as it is now.

        Raises:
            EnrollmentNotFoundError: The user is not enrolled.
            CourseModeNotFoundError: The course does not offer the mode; its ``data`` is the course.
            InvalidEnrollmentAttribute: An attribute is incomplete; nothing was stored.
            UserNotFoundError: Nobody has this name.
        """
        _log.info("updating an enrollment in %s: mode %s, active %s", course_id, mode, is_active)
        attributes = _checked(enrollment_attributes)
        if mode is not None:
            self.validate_course_mode(course_id, mode, is_active=is_active, include_expired=include_expired)
        enrollment = self._backend.update_course_enrollment(
            username, course_id, mode=mode, is_active=is_active
        )
        if enrollment is None:
            _log.warning("an enrollment in %s was to be updated, and there is none", course_id)
            raise EnrollmentNotFoundError(
                "the user is not enrolled", where=course_id, next_step="Use add_enrollment."
            )
        if attributes:
            self._backend.add_or_update_enrollment_attr(username, course_id, attributes)
        _log.info("updated an enrollment in %s", course_id)
        return _plain(enrollment)

    def get_course_enrollment_details(self, course_id: str, include_expired: bool = False) -> Course:
        """A course run with its modes, up to ``enrollment_details_cache_s`` seconds old.

        Args:
            course_id: Which.
            include_expired: With the modes that have expired; kept apart in the cache.

        Raises:
            CourseNotFoundError: There is no such course run.
            CourseEnrollmentError: The cache could not be written. A cache that cannot be read only costs
                time, but one that cannot be written would let every call through to the backend unseen.
        """
        name = "given" if self._given is not None else self.settings.enrollment_data
        key = f"enrollment.course.details.{name}.{course_id}.{include_expired}"
        held = self._read_cache(key)
        # None is what most caches answer for nothing, Django's among them; no course is None.
        if held is not MISSING and held is not None:
            _log.debug("details of %s come from the cache", course_id)
            course: Course = held
            return course
        course = _plain(self._backend.get_course_enrollment_info(course_id, include_expired=include_expired))
        _log.debug("details of %s come from the backend", course_id)
        try:
            self._cache.set(key, course, self.settings.enrollment_details_cache_s)
        except Exception as error:  # a cache of the host's own may raise anything
            _log.exception("the cache of course details could not be written")
            raise CourseEnrollmentError(
                "the cache of course details could not be written",
                where=course_id,
                why=type(error).__name__,
                next_step="Put the cache right; the log has the details.",
            ) from error
        return course

    def set_enrollment_attributes(
        self, username: str, course_id: str, attributes: Sequence[Mapping[str, Any]]
    ) -> None:
        """Add attributes, or replace those of the same namespace and name. Nothing when not enrolled.

        Raises:
            InvalidEnrollmentAttribute: One is incomplete; none was stored.
            UserNotFoundError: Nobody has this name.
        """
        self._backend.add_or_update_enrollment_attr(username, course_id, _checked(attributes))

    def get_enrollment_attributes(self, username: str, course_id: str) -> list[Attribute]:
        """The enrollment's attributes, by namespace and name; empty when the user is not enrolled."""
        return self._backend.get_enrollment_attributes(username, course_id)

    def validate_course_mode(
        self, course_id: str, mode: str, is_active: bool | None = None, include_expired: bool = False
    ) -> None:
        """Make sure that a course offers a mode, by what the backend says now, not by the cache.

        Args:
            course_id: Which course run.
            mode: Which mode.
            is_active: False for somebody who leaves: an expired mode will do.
            include_expired: An expired mode will do.

        Raises:
            CourseModeNotFoundError: It does not; the error's ``data`` is the course.
            CourseNotFoundError: There is no such course run.
        """
        expired = takes_expired(is_active=is_active, include_expired=include_expired)
        course = _plain(self._backend.get_course_enrollment_info(course_id, include_expired=expired))
        try:
            require_mode(course, mode)
        except CourseModeNotFoundError:
            _log.warning("the mode %s is not offered by %s", mode, course_id)
            raise

    def unenroll_user_from_all_courses(self, username: str) -> set[str]:
        """Make all the user's enrollments inactive.

        Returns:
            The organisations of those that were active.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        return self._backend.unenroll_user_from_all_courses(username)

    def get_user_roles(self, username: str) -> list[Role]:
        """The user's roles in courses."""
        return self._backend.get_user_roles(username)

    @staticmethod
    def serialize_enrollments(enrollments: Iterable[Enrollment]) -> list[JsonObject]:
        """Return enrollments, or courses, as JSON can carry them: instants become ISO 8601 text.

        What this API returns needs it no more; it is for dictionaries that came from a backend directly.
        """
        return [_plain(dict(one)) for one in enrollments]

    def _read_cache(self, key: str) -> Any:
        try:
            return self._cache.get(key)
        except Exception:  # noqa: BLE001 - a cache of the host's own may raise anything
            _log.warning("the cache of course details could not be read", exc_info=True)
            return MISSING


def _plain(value: T) -> T:
    """Return plain data with its instants as ISO 8601 text in UTC."""
    found: Any = value
    if isinstance(found, datetime):
        found = iso_utc(found, timespec="auto")
    elif isinstance(found, Mapping):
        found = {key: _plain(each) for key, each in found.items()}
    elif isinstance(found, list | tuple):
        found = [_plain(each) for each in found]
    result: T = found
    return result


def _checked(attributes: Sequence[Mapping[str, Any]] | None) -> list[Attribute]:
    """Return the attributes, each complete; numbers become text.

    Raises:
        InvalidEnrollmentAttribute: An attribute lacks a part, or has one that is no text or number, or too long.
    """
    checked: list[Attribute] = []
    for number, attribute in enumerate(attributes or ()):
        for key in _ATTRIBUTE_KEYS:
            if attribute.get(key) is None:
                raise InvalidEnrollmentAttribute(
                    f"attribute {number} has no {key}",
                    why="each has a namespace, a name and a value",
                    next_step="Complete it; nothing was stored.",
                )
            if not isinstance(attribute[key], str | int | float | Decimal):
                raise InvalidEnrollmentAttribute(
                    f"the {key} of attribute {number} is neither text nor a number",
                    why=f"it is of the type {type(attribute[key]).__name__}",
                    next_step="Give it as text; nothing was stored.",
                )
        namespace, name, value = (str(attribute[key]) for key in _ATTRIBUTE_KEYS)
        whole: Attribute = {"namespace": namespace, "name": name, "value": value}
        if max(len(whole["namespace"]), len(whole["name"])) > MAX_ATTRIBUTE_KEY:
            raise InvalidEnrollmentAttribute(
                f"attribute {number} has too long a namespace or name",
                why=f"they have up to {MAX_ATTRIBUTE_KEY} characters",
                next_step="Shorten them; nothing was stored.",
            )
        checked.append(whole)
    return checked

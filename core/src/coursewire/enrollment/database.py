"""The embedded backend: enrollments in Coursewire's own database, courses and modes from the content there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from coursewire.enrollment.courses import read_courses
from coursewire.enrollment.errors import (
    CourseEnrollmentClosedError,
    CourseEnrollmentError,
    CourseEnrollmentExistsError,
    CourseEnrollmentFullError,
    CourseNotFoundError,
)
from coursewire.enrollment.sponsors import (
    Held,
    count_active,
    customers_of,
    held,
    lock_learner,
    require_learner,
    set_all,
    store,
)
from coursewire.model.content import instant_of
from coursewire.model.instant import Clock, utc_now
from coursewire.model.payload import fingerprint
from coursewire.storage.database.engine import database_errors, writing
from coursewire.storage.tables.enrollment import (
    enrollment_attribute,
    enrollment_course,
    enrollment_mode,
    enrollment_role,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from coursewire.enrollment.shapes import Attribute, Course, Enrollment, Mode, Role
    from coursewire.settings import Settings


class DatabaseEnrollmentData:
    """Enrollments of the learners that the embedded source knows.

    A course run's modes are the seats of its content (``type``, ``price``, ``upgrade_deadline`` as the instant
    at which the mode expires); :meth:`set_course` replaces or adds to them. A learner's own enrollment is
    sponsored by every customer that the learner is linked with and active at, and that has the run in a catalog.

    Args:
        engine: The database, at the current schema.
        settings: ``default_course_mode`` is what a run without a mode offers.
        clock: The present instant.
    """

    def __init__(self, engine: Engine, settings: Settings, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock

    def get_course_enrollments(self, username: str, *, include_inactive: bool = False) -> list[Enrollment]:
        """The user's enrollments, oldest first; none for somebody who is not known."""
        with self._reading() as connection:
            found = [one for one in held(connection, username) if include_inactive or one.is_active]
            return self._shown(connection, username, found)

    def get_course_enrollment(self, username: str, course_id: str) -> Enrollment | None:
        """One enrollment, active or not; None when there is none."""
        with self._reading() as connection:
            return next(iter(self._shown(connection, username, held(connection, username, course_id))), None)

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

        A run that is only for the invited takes nobody but who is enrolled by a customer.

        Raises:
            UserNotFoundError: Nobody has this name.
            CourseNotFoundError: No content holds this run.
            CourseEnrollmentExistsError: An active enrollment is there; looked at first, so that a repeated
                call gets the same answer after the run has closed.
            CourseEnrollmentClosedError: Enrollment has not begun, has ended, or is for the invited.
            CourseEnrollmentFullError: The run has no place left.
            CourseEnrollmentError: The user is not linked with the customer who enrolls.
        """
        now = self._clock()
        with self._writing() as connection:
            linked = lock_learner(connection, username)
            course = self._course(connection, course_id)
            existing = next(iter(held(connection, username, course_id)), None)
            if existing is not None and existing.is_active:
                (shown,) = self._shown(connection, username, [existing])
                raise CourseEnrollmentExistsError("the user is already enrolled", shown)
            if enterprise_uuid is not None and enterprise_uuid not in linked:
                raise CourseEnrollmentError(
                    "the user is not linked with this customer",
                    where=enterprise_uuid,
                    next_step="Link the learner first.",
                )
            self._require_open(course, invited=enterprise_uuid is not None, force=force_enrollment)
            if is_active:
                _require_place(connection, course_id)
            sponsors = customers_of(connection, username, course_id)
            if enterprise_uuid is not None:
                sponsors = sponsors | {enterprise_uuid}
            start = existing or Held(course_id, mode, is_active, now)
            enrollment = replace(start, mode=mode, is_active=is_active)
            store(connection, username, enrollment, sponsors, now=now)
            (shown,) = self._shown(connection, username, [enrollment])
        return shown

    def update_course_enrollment(
        self, username: str, course_id: str, *, mode: str | None = None, is_active: bool | None = None
    ) -> Enrollment | None:
        """Change what is not None, for every customer that sponsors it; None when the user is not enrolled.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        wanted: dict[str, Any] = {
            name: value for name, value in (("mode", mode), ("is_active", is_active)) if value is not None
        }
        with self._writing() as connection:
            lock_learner(connection, username)
            existing = next(iter(held(connection, username, course_id)), None)
            if existing is None:
                return None
            if wanted:
                set_all(connection, username, [course_id], now=self._clock(), **wanted)
            (shown,) = self._shown(connection, username, [replace(existing, **wanted)])
        return shown

    def unenroll_user_from_all_courses(self, username: str) -> set[str]:
        """Make all the user's enrollments inactive; answer the organisations of those that were active.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        with self._writing() as connection:
            lock_learner(connection, username)
            courses = [one.course_id for one in held(connection, username) if one.is_active]
            set_all(connection, username, courses, now=self._clock(), is_active=False)
        return {_organisation(course_id) for course_id in courses}

    def add_or_update_enrollment_attr(
        self, username: str, course_id: str, attributes: Sequence[Attribute]
    ) -> None:
        """Set attributes by namespace and name; the last of equals counts. Nothing when not enrolled.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        rows = {}
        for attribute in attributes:
            key = [username, course_id, attribute["namespace"], attribute["name"]]
            rows[fingerprint(key)] = {"username": username, "course_id": course_id, **attribute}
        with self._writing() as connection:
            lock_learner(connection, username)
            if not rows or not held(connection, username, course_id):
                return
            table = enrollment_attribute
            connection.execute(delete(table).where(table.c.id.in_(rows)))
            connection.execute(insert(table), [{"id": id_, **row} for id_, row in rows.items()])

    def get_enrollment_attributes(self, username: str, course_id: str) -> list[Attribute]:
        """Return the enrollment's attributes, by namespace and name; none where the user is not enrolled.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        table = enrollment_attribute
        with self._reading() as connection:
            require_learner(connection, username)
            rows = connection.execute(
                select(table.c.namespace, table.c.name, table.c.value)
                .where(table.c.username == username, table.c.course_id == course_id)
                .order_by(table.c.namespace, table.c.name)
            )
            return [{"namespace": row.namespace, "name": row.name, "value": row.value} for row in rows]

    def get_course_enrollment_info(self, course_id: str, *, include_expired: bool = False) -> Course:
        """A course run with its modes; one without any (that has not expired) offers the default mode.

        Raises:
            CourseNotFoundError: No content holds this run.
        """
        with self._reading() as connection:
            return self._course(connection, course_id, include_expired=include_expired)

    def get_user_roles(self, username: str) -> list[Role]:
        """Return the user's roles, by role, organisation and course run.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        table = enrollment_role
        with self._reading() as connection:
            require_learner(connection, username)
            rows = connection.execute(
                select(table)
                .where(table.c.username == username)
                .order_by(table.c.role, table.c.org, table.c.course_id)
            )
            return [{"role": row.role, "org": row.org, "course_id": row.course_id} for row in rows]

    def set_user_roles(self, username: str, roles: Sequence[Role]) -> None:
        """Replace the user's roles.

        Raises:
            UserNotFoundError: Nobody has this name.
        """
        table = enrollment_role
        with self._writing() as connection:
            lock_learner(connection, username)
            connection.execute(delete(table).where(table.c.username == username))
            if roles:
                connection.execute(insert(table), [{"username": username, **role} for role in roles])

    def set_course(
        self,
        course_id: str,
        *,
        capacity: int | None = None,
        invite_only: bool = False,
        modes: Sequence[Mode] = (),
    ) -> None:
        """Say about a course run what its content does not. Replaces what was said before.

        Args:
            course_id: Which; its content may come later.
            capacity: Most active enrollments; None for no limit.
            invite_only: Only a customer can enroll somebody.
            modes: Each replaces the content's mode of its slug, or is added.
        """
        with self._writing() as connection:
            for table in (enrollment_course, enrollment_mode):
                connection.execute(delete(table).where(table.c.course_id == course_id))
            connection.execute(
                insert(enrollment_course).values(
                    course_id=course_id, capacity=capacity, invite_only=invite_only
                )
            )
            if modes:
                connection.execute(
                    insert(enrollment_mode),
                    [_mode_row(course_id, position, mode) for position, mode in enumerate(modes)],
                )

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database_errors(self._engine.url), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with database_errors(self._engine.url), writing(self._engine) as connection:
            yield connection

    def _courses(
        self, connection: Connection, course_ids: Sequence[str], *, include_expired: bool = False
    ) -> dict[str, Course]:
        return read_courses(
            connection,
            course_ids,
            now=self._clock(),
            default_mode=self._settings.default_course_mode,
            include_expired=include_expired,
        )

    def _course(self, connection: Connection, course_id: str, *, include_expired: bool = False) -> Course:
        course = self._courses(connection, [course_id], include_expired=include_expired).get(course_id)
        if course is None:
            raise CourseNotFoundError(
                "there is no such course run",
                where=course_id,
                why="no content item holds it",
                next_step="Check the key, or load the content.",
            )
        return course

    def _shown(self, connection: Connection, username: str, enrollments: Sequence[Held]) -> list[Enrollment]:
        courses = self._courses(connection, [one.course_id for one in enrollments])
        return [
            {
                "created": one.created_at,
                "mode": one.mode,
                "is_active": one.is_active,
                "user": username,
                "course_details": courses.get(one.course_id),
            }
            for one in enrollments
        ]

    def _require_open(self, course: Course, *, invited: bool, force: bool) -> None:
        now = self._clock()
        start, end = instant_of(course["enrollment_start"]), instant_of(course["enrollment_end"])
        if start is not None and now < start:
            why = f"enrollment begins at {start.isoformat()}"
        elif end is not None and end < now and not force:
            why = f"enrollment ended at {end.isoformat()}"
        elif course["invite_only"] and not invited:
            why = "it is only for who is invited by a customer"
        else:
            return
        raise CourseEnrollmentClosedError(
            "the course run takes nobody now", course, where=course["course_id"], why=why
        )


def _require_place(connection: Connection, course_id: str) -> None:
    # Locked, so that two who come at once do not both take the last place.
    capacity = connection.scalar(
        select(enrollment_course.c.capacity)
        .where(enrollment_course.c.course_id == course_id)
        .with_for_update()
    )
    if capacity is not None and count_active(connection, course_id) >= capacity:
        raise CourseEnrollmentFullError(
            "the course run is full", where=course_id, why=f"it takes {capacity} learners"
        )


def _mode_row(course_id: str, position: int, mode: Mode) -> dict[str, Any]:
    row: dict[str, Any] = {**mode, "course_id": course_id, "position": position}
    row["expires_at"] = row.pop("expiration_datetime")
    return row


def _organisation(course_id: str) -> str:
    """``Org`` of ``course-v1:Org+Course+Run`` and of the older ``Org/Course/Run``."""
    bare = course_id.removeprefix("course-v1:")
    return bare.partition("+" if "+" in bare else "/")[0]

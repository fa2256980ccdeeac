"""Bulk enrollment: a customer enrolls many learners, known or still to come.

Each item is settled alone and in steps that can be repeated: whatever stops a request, the same request again
completes it, and what is there already is reported as not created.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from coursewire.enrollment import links
from coursewire.enrollment.bulk_request import (
    BulkEntry,
    BulkItem,
    BulkRequest,
    BulkResult,
    is_address,
    read_request,
)
from coursewire.enrollment.errors import CourseEnrollmentError, CourseEnrollmentExistsError
from coursewire.enrollment.modes import FREE_MODES, best_mode
from coursewire.errors import CoursewireError
from coursewire.model.instant import Clock, utc_now
from coursewire.plugins.faults import describe
from coursewire.storage.database.engine import writing

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from coursewire.enrollment.enrollments import EnrollmentApi
    from coursewire.enrollment.shapes import Enrollment

_log = logging.getLogger(__name__)

Notify = Callable[[str, str, Sequence[BulkEntry]], None]
"""Tells learners of their enrollment: customer, course run, and who was newly enrolled or is newly awaited."""


class BulkEnrollment:
    """Bulk enrollment over an Enrollment API, whatever its backend.

    Links, licences and who is awaited are kept in the installation's database; the enrollments themselves are
    the backend's, and each is noted for the embedded source as well, with the customer who sponsors it.

    Args:
        api: Enrolls.
        engine: The installation's database.
        notify: Called once a course run when a request asks for it. What it raises is logged: the enrollments
            stand.
        clock: The present instant.
    """

    def __init__(
        self, api: EnrollmentApi, engine: Engine, *, notify: Notify | None = None, clock: Clock = utc_now
    ) -> None:
        self._api = api
        self._engine = engine
        self._notify = notify
        self._clock = clock

    def enroll(self, customer: str, request: Mapping[str, Any]) -> BulkResult:
        """Enroll learners for a customer.

        A learner who is enrolled in a free mode where the customer's is better is moved up; nobody is moved
        down.

        Args:
            customer: UUID.
            request: See :class:`~coursewire.enrollment.bulk_request.BulkRequest`.

        Returns:
            What became of each item. A fault of one is in the result and stops no other.

        Raises:
            EnrollmentApiLoadError: The backend cannot be used; nothing was done.
        """
        parsed = read_request(request)
        if isinstance(parsed, BulkResult):
            return parsed
        _ = self._api.backend
        result = BulkResult()
        users = self._link(customer, parsed, result)
        if result.errors:
            return result
        modes: dict[str, str | Exception] = {}
        for item, username in users:
            entry = BulkEntry(item.email, item.user_id, item.course_run_key, item.activation_link)
            try:
                terms = _terms(item, parsed)
                mode = self._mode(item.course_run_key, modes)
                if username is None:
                    created = self._await(customer, item, mode, terms)
                    result.pending.append(replace(entry, created=created))
                else:
                    created = self._sponsor(customer, username, item, mode, terms)
                    result.successes.append(replace(entry, created=created))
            except Exception as error:  # noqa: BLE001 - one item never stops the others
                result.failures.append(_failed(entry, error))
        if parsed.notify and self._notify is not None:
            self._tell(self._notify, customer, [*result.successes, *result.pending])
        return result

    def fulfil_pending(self, email: str, username: str) -> BulkResult:
        """Make the enrollments real that were kept for an e-mail address: when an account gets that address.

        May be called any number of times, also at once: at every registration, login and change of address.

        Args:
            email: The account's address.
            username: The account's user name.

        Returns:
            What became of each; one that failed is kept and tried again by the next call.
        """
        email = email.strip().lower()
        result = BulkResult()
        with writing(self._engine) as connection:
            customers = links.lock_customers(connection, links.awaiting(connection, email))
            kept = links.awaited(connection, email)
            for customer in sorted(customers):
                links.link(connection, customer, {username: email})
        modes: dict[str, str | Exception] = {}
        for one in kept:
            entry = BulkEntry(email, username, one.course_id)
            try:
                created, enrollment = self._enroll(
                    one.customer, username, one.course_id, mode=self._mode(one.course_id, modes)
                )
                with writing(self._engine) as connection:
                    sponsored = links.sponsor(
                        connection,
                        one.customer,
                        enrollment,
                        one.course_id,
                        terms=one.terms,
                        now=self._clock(),
                    )
                    links.settle(connection, one, sponsored)
                result.successes.append(replace(entry, created=created))
            except Exception as error:  # noqa: BLE001 - one enrollment never stops the others
                result.failures.append(_failed(entry, error))
        if customers:
            with writing(self._engine) as connection:
                links.arrived(connection, customers, email)
        return result

    def _link(
        self, customer: str, request: BulkRequest, result: BulkResult
    ) -> list[tuple[BulkItem, str | None]]:
        """Find out who each item means, and link them with the customer.

        Returns:
            The items that can go on, each with its user name, or None when there is no account yet. The
            others are in the result.
        """
        items = request.enrollments_info
        emails = {item.email for item in items if item.user_id is None and item.email is not None}
        names = {item.user_id for item in items if item.user_id is not None}
        found: list[tuple[BulkItem, str | None]] = []
        with writing(self._engine) as connection:
            if not links.lock_customers(connection, [customer]):
                result.errors["customer"] = "there is no such customer"
                return found
            by_email = links.users_by_email(connection, {email for email in emails if is_address(email)})
            by_name = links.emails_of(connection, names)
            to_link: dict[str, str | None] = {}
            for item in items:
                if item.user_id is not None:
                    if item.user_id in by_name:
                        to_link[item.user_id] = by_name[item.user_id]
                        found.append((item, item.user_id))
                    elif item.user_id not in result.invalid_user_ids:
                        result.invalid_user_ids.append(item.user_id)
                    continue
                email = item.email or ""
                users = by_email.get(email, set())
                if not is_address(email):
                    if email not in result.invalid_email_addresses:
                        result.invalid_email_addresses.append(email)
                elif len(users) > 1:
                    result.failures.append(
                        BulkEntry(
                            email,
                            None,
                            item.course_run_key,
                            reason="learner-ambiguous",
                            message="Several users have this e-mail address. Name the user by user_id.",
                        )
                    )
                else:
                    username = next(iter(users), None)
                    if username is not None:
                        to_link[username] = email
                    found.append((item, username))
            links.link(connection, customer, to_link)
        return found

    def _mode(self, course_id: str, modes: dict[str, str | Exception]) -> str:
        """The mode for a course run, asked for once a request; the same fault for all who ask."""
        if course_id not in modes:
            try:
                modes[course_id] = best_mode(self._api.backend.get_course_enrollment_info(course_id))
            except CoursewireError as error:
                modes[course_id] = error
        mode = modes[course_id]
        if isinstance(mode, Exception):
            raise mode
        return mode

    def _await(self, customer: str, item: BulkItem, mode: str, terms: links.Terms) -> bool:
        assert item.email is not None
        with writing(self._engine) as connection:
            return links.await_learner(
                connection,
                customer,
                item.email,
                item.course_run_key,
                mode=mode,
                terms=terms,
                now=self._clock(),
            )

    def _sponsor(self, customer: str, username: str, item: BulkItem, mode: str, terms: links.Terms) -> bool:
        course_id = item.course_run_key
        created, enrollment = self._enroll(
            customer, username, course_id, mode=mode, force=item.force_enrollment
        )
        with writing(self._engine) as connection:
            links.sponsor(connection, customer, enrollment, course_id, terms=[terms], now=self._clock())
        return created

    def _enroll(
        self, customer: str, username: str, course_id: str, *, mode: str, force: bool = False
    ) -> tuple[bool, Enrollment]:
        """Enroll a user; False and the enrollment that is there when there is one."""
        try:
            return True, self._api.add_enrollment(
                username, course_id, mode, enterprise_uuid=customer, force_enrollment=force
            )
        except CourseEnrollmentExistsError as error:
            held = error.enrollment
        if held["mode"] in FREE_MODES and mode not in FREE_MODES:
            held = self._api.update_enrollment(username, course_id, mode)
        return False, held

    def _tell(self, notify: Notify, customer: str, entries: Sequence[BulkEntry]) -> None:
        by_run: dict[str, list[BulkEntry]] = defaultdict(list)
        for entry in entries:
            if entry.created:
                by_run[entry.course_run_key].append(entry)
        for course_id, created in by_run.items():
            try:
                notify(customer, course_id, created)
            except Exception as error:  # noqa: BLE001 - a mail that fails undoes no enrollment
                _log.error("learners of %s were not notified: %s", course_id, describe(error))


def _terms(item: BulkItem, request: BulkRequest) -> links.Terms:
    identifiers = {}
    for name in ("license_uuid", "transaction_id"):
        value = getattr(item, name)
        try:
            identifiers[name] = None if value is None else str(UUID(value))
        except ValueError as error:
            raise CourseEnrollmentError(f"the {name} is no UUID", next_step="Correct it.") from error
    return links.Terms(
        **identifiers, discount=request.discount, reason=request.reason, salesforce_id=request.salesforce_id
    )


def _failed(entry: BulkEntry, error: Exception) -> BulkEntry:
    """The entry with the reason. Texts of unexpected errors stay in the log: they may hold anybody's data."""
    if isinstance(error, CoursewireError):
        return replace(entry, reason=error.code, message=str(error))
    _log.error("an enrollment in %s failed unexpectedly: %s", entry.course_run_key, describe(error))
    return replace(entry, reason="unexpected", message=f"{type(error).__name__}; the log says where.")

"""The ties between learners and customers: links, sponsored enrollments with their terms, and learners who are awaited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, func, insert, literal, or_, select, update

from coursewire.enrollment.shapes import Enrollment
from coursewire.enrollment.sponsors import CHANGED_HERE, Held, held, insert_lines, lock_learner, store
from coursewire.model.content import instant_of
from coursewire.model.payload import fingerprint
from coursewire.model.results import LicenseState
from coursewire.sources.database.questions import chunks, in_keys
from coursewire.sources.rows import EnrollmentRow, LearnerRow
from coursewire.storage.tables.enrollment import enrollment_license
from coursewire.storage.tables.source import source_customer, source_enrollment, source_learner

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

_LICENSE_COLUMNS = tuple(name for name in source_enrollment.c.keys() if name.startswith("license_"))  # noqa: SIM118


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a customer enrolls somebody; ``discount`` is in per cent of the price."""

    license_uuid: str | None
    transaction_id: str | None
    discount: Decimal
    reason: str
    salesforce_id: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """An enrollment that becomes real when somebody with its e-mail address has an account.

    Attributes:
        id: Of its row.
        username: The e-mail address, as the row has it.
        terms: One for each licence or transaction.
        license: The row's columns about the licence.
    """

    id: str
    username: str
    customer: str
    course_id: str
    terms: tuple[Terms, ...]
    license: Mapping[str, Any]


def users_by_email(connection: Connection, emails: Collection[str]) -> dict[str, set[str]]:
    """Names of users with an account by e-mail address, in small letters; it may be that of several."""
    folded = func.lower(source_learner.c.email)
    found: dict[str, set[str]] = defaultdict(set)
    for chunk in chunks([(email,) for email in emails]):
        rows = connection.execute(
            select(folded, source_learner.c.username).where(
                folded.in_([email for (email,) in chunk]), ~source_learner.c.pending
            )
        )
        for email, username in rows:
            found[email].add(username)
    return found


def emails_of(connection: Connection, usernames: Collection[str]) -> dict[str, str | None]:
    """The e-mail address of each of these users who has an account."""
    column = source_learner.c.username
    return {
        username: email
        for chunk in chunks([(username,) for username in usernames])
        for username, email in connection.execute(
            select(column, source_learner.c.email)
            .where(in_keys((column,), chunk), ~source_learner.c.pending)
            .order_by(column, source_learner.c.customer.desc())
        )
    }


def lock_customers(connection: Connection, customers: Iterable[str]) -> set[str]:
    """Let nobody else link learners with these customers until the transaction ends; answer who is known."""
    return set(
        connection.scalars(
            select(source_customer.c.uuid)
            .where(source_customer.c.uuid.in_(list(customers)))
            .order_by(source_customer.c.uuid)
            .with_for_update()
        )
    )


def link(
    connection: Connection, customer: str, learners: Mapping[str, str | None], *, pending: bool = False
) -> None:
    """Link learners with a customer: those without a link get one, those who were unlinked get it back.

    Their links with other customers stay as they are.

    Args:
        connection: In a transaction that has locked the customer.
        customer: UUID.
        learners: E-mail address by user name.
        pending: They have no account yet, so that the address is the user name.
    """
    table = source_learner
    standing: dict[str, bool] = {}
    for chunk in chunks([(username,) for username in learners]):
        rows = connection.execute(
            select(table.c.username, table.c.linked, table.c.pending).where(
                table.c.customer == customer, in_keys((table.c.username,), chunk)
            )
        )
        standing.update((row.username, row.linked and row.pending == pending) for row in rows)
    new = [
        LearnerRow(
            username=username, customer=customer, email=email, active=True, linked=True, pending=pending
        )
        for username, email in learners.items()
        if username not in standing
    ]
    insert_lines(connection, "learners", new)
    for chunk in chunks([(username,) for username, good in standing.items() if not good]):
        connection.execute(
            update(table)
            .where(table.c.customer == customer, in_keys((table.c.username,), chunk))
            .values(linked=True, active=True, pending=pending, version=CHANGED_HERE)
        )


def sponsor(
    connection: Connection,
    customer: str,
    enrollment: Enrollment,
    course_id: str,
    *,
    terms: Iterable[Terms],
    now: datetime,
) -> str:
    """Note that a customer sponsors an enrollment, and on which terms; once, however often it is called.

    Returns:
        The id of the enrollment at this customer.
    """
    username = enrollment["user"]
    lock_learner(connection, username)
    there = next(iter(held(connection, username, course_id)), None)
    standing = replace(
        there or Held(course_id, "", is_active=True, created_at=instant_of(enrollment["created"])),
        mode=enrollment["mode"],
        is_active=enrollment["is_active"],
    )
    if there != standing or customer not in standing.customers:
        store(connection, username, standing, {customer}, now=now)
    line = EnrollmentRow(
        username=username, customer=customer, course_id=course_id, mode=standing.mode, is_active=True
    )
    _note_terms(connection, line, terms, now)
    return line.id


def await_learner(
    connection: Connection,
    customer: str,
    email: str,
    course_id: str,
    *,
    mode: str,
    terms: Terms,
    now: datetime,
) -> bool:
    """Keep an enrollment for somebody without an account, as a pending learner's.

    Args:
        connection: In a transaction.
        customer: UUID.
        email: Trimmed, in small letters.
        course_id: The course run.
        mode: The best that is offered now; chosen anew when the account is there.
        terms: Of this enrollment.
        now: When it is created.

    Returns:
        True when it was not awaited before.
    """
    lock_customers(connection, [customer])
    link(connection, customer, {email: email}, pending=True)
    line = EnrollmentRow(
        username=email, customer=customer, course_id=course_id, mode=mode, is_active=True, created=now
    )
    there = connection.scalar(select(literal(1)).where(source_enrollment.c.id == line.id))
    if there is None:
        insert_lines(connection, "enrollments", [line])
    _note_terms(connection, line, [terms], now)
    return there is None


def _note_terms(connection: Connection, line: EnrollmentRow, terms: Iterable[Terms], now: datetime) -> None:
    table = enrollment_license
    for one in terms:
        license_id = fingerprint([line.id, one.license_uuid, one.transaction_id])
        if connection.scalar(select(literal(1)).where(table.c.id == license_id)) is not None:
            continue
        connection.execute(
            insert(table).values(
                id=license_id, enrollment=line.id, username=line.username, created_at=now, **asdict(one)
            )
        )
        if one.license_uuid is None:
            continue
        state = source_enrollment.c.license_state
        connection.execute(
            update(source_enrollment)
            .where(
                source_enrollment.c.id == line.id, or_(state.is_(None), state == LicenseState.REVOKED.value)
            )
            .values(
                license_state=LicenseState.ASSIGNED.value,
                license_assigned_at=now,
                license_activated_at=None,
                license_revoked_at=None,
                version=CHANGED_HERE,
            )
        )


def _awaits(email: str) -> ColumnElement[bool]:
    return (func.lower(source_learner.c.email) == email) & source_learner.c.pending


def awaiting(connection: Connection, email: str) -> set[str]:
    """The customers that await this e-mail address, in small letters."""
    return set(connection.scalars(select(source_learner.c.customer).where(_awaits(email))))


def awaited(connection: Connection, email: str) -> list[Awaited]:
    """The enrollments that are kept for this e-mail address, by customer and course run."""
    rows = connection.execute(
        select(source_enrollment)
        .join(
            source_learner,
            (source_learner.c.username == source_enrollment.c.username)
            & (source_learner.c.customer == source_enrollment.c.customer),
        )
        .where(_awaits(email))
        .order_by(source_enrollment.c.customer, source_enrollment.c.course_id)
    ).all()
    terms: dict[str, list[Terms]] = defaultdict(list)
    names = [field.name for field in fields(Terms)]
    for chunk in chunks([(row.id,) for row in rows]):
        for licensed in connection.execute(
            select(enrollment_license).where(in_keys((enrollment_license.c.enrollment,), chunk))
        ).mappings():
            terms[licensed["enrollment"]].append(Terms(**{name: licensed[name] for name in names}))
    return [
        Awaited(
            row.id,
            row.username,
            row.customer,
            row.course_id,
            tuple(terms[row.id]),
            {name: row._mapping[name] for name in _LICENSE_COLUMNS},
        )
        for row in rows
    ]


def settle(connection: Connection, one: Awaited, enrollment: str) -> None:
    """Hand what is known of the licence to the enrollment that has become real, and forget the kept one."""
    table = source_enrollment
    if one.license["license_state"] is not None:
        connection.execute(update(table).where(table.c.id == enrollment).values(**one.license))
    if one.id != enrollment:
        connection.execute(delete(table).where(table.c.id == one.id))


def arrived(connection: Connection, customers: Collection[str], email: str) -> None:
    """Forget that an address is awaited, where no enrollment is kept for it any more."""
    lock_customers(connection, customers)
    kept = exists().where(
        source_enrollment.c.customer == source_learner.c.customer,
        source_enrollment.c.username == source_learner.c.username,
    )
    connection.execute(delete(source_learner).where(_awaits(email), ~kept))

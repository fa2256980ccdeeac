"""What ties learners to customers: links, sponsored enrollments with their terms, and who is still awaited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, insert, literal, select, update

from coursewire.enrollment.shapes import Enrollment
from coursewire.enrollment.sponsors import CHANGED_HERE, Held, held, lock_learner, store
from coursewire.enrollment.tables import enrollment_license, pending_enrollment, pending_learner
from coursewire.model.payload import fingerprint
from coursewire.sources.database.questions import chunks, in_keys
from coursewire.sources.database.tables import source_customer, source_learner
from coursewire.sources.database.targets import TARGETS
from coursewire.sources.rows import EnrollmentRow, LearnerRow

if TYPE_CHECKING:
    from sqlalchemy import Connection


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
    """An enrollment that becomes real when somebody with its e-mail address has an account."""

    customer: str
    course_id: str
    terms: Terms


def users_by_email(connection: Connection, emails: Collection[str]) -> dict[str, set[str]]:
    """User names by e-mail address, in small letters; an address may be that of several users."""
    folded = func.lower(source_learner.c.email)
    found: dict[str, set[str]] = defaultdict(set)
    for chunk in chunks([(email,) for email in emails]):
        rows = connection.execute(
            select(folded, source_learner.c.username).where(folded.in_([email for (email,) in chunk]))
        )
        for email, username in rows:
            found[email].add(username)
    return found


def emails_of(connection: Connection, usernames: Collection[str]) -> dict[str, str | None]:
    """The e-mail address of each of these users who is known."""
    column = source_learner.c.username
    return {
        username: email
        for chunk in chunks([(username,) for username in usernames])
        for username, email in connection.execute(
            select(column, source_learner.c.email)
            .where(in_keys((column,), chunk))
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


def link(connection: Connection, customer: str, learners: Mapping[str, str | None]) -> None:
    """Link users with a customer: those without a link get one, those who were unlinked get it back.

    The users' links with other customers stay as they are.

    Args:
        connection: In a transaction that has locked the customer.
        customer: UUID.
        learners: E-mail address by user name.
    """
    table = source_learner
    standing: dict[str, bool] = {}
    for chunk in chunks([(username,) for username in learners]):
        rows = connection.execute(
            select(table.c.username, table.c.linked).where(
                table.c.customer == customer, in_keys((table.c.username,), chunk)
            )
        )
        standing.update((username, linked) for username, linked in rows)
    new = [
        LearnerRow(username=username, customer=customer, email=email, active=True, linked=True)
        for username, email in learners.items()
        if username not in standing
    ]
    if new:
        to_row = TARGETS["learners"].values
        connection.execute(insert(table), [{**to_row(row), "version": row.version} for row in new])
    for chunk in chunks([(username,) for username, linked in standing.items() if not linked]):
        connection.execute(
            update(table)
            .where(table.c.customer == customer, in_keys((table.c.username,), chunk))
            .values(linked=True, active=True, version=CHANGED_HERE)
        )


def sponsor(
    connection: Connection,
    customer: str,
    enrollment: Enrollment,
    course_id: str,
    *,
    terms: Terms,
    now: datetime,
) -> None:
    """Note that a customer sponsors an enrollment, and on which terms; once, however often it is called."""
    username = enrollment["user"]
    lock_learner(connection, username)
    there = next(iter(held(connection, username, course_id)), None)
    standing = replace(
        there or Held(course_id, "", is_active=True, created_at=enrollment["created"]),
        mode=enrollment["mode"],
        is_active=enrollment["is_active"],
    )
    if there != standing or customer not in standing.customers:
        store(connection, username, standing, {customer}, now=now)
    key = EnrollmentRow(
        username=username, customer=customer, course_id=course_id, mode=standing.mode, is_active=True
    ).id
    values = asdict(terms)
    license_id = fingerprint([key, terms.license_uuid, terms.transaction_id])
    table = enrollment_license
    if connection.scalar(select(literal(1)).where(table.c.id == license_id)) is None:
        connection.execute(
            insert(table).values(id=license_id, enrollment=key, username=username, created_at=now, **values)
        )


def await_learner(
    connection: Connection, customer: str, email: str, course_id: str, *, terms: Terms, now: datetime
) -> bool:
    """Keep an enrollment for somebody without an account; a second licence replaces the first.

    Args:
        connection: In a transaction.
        customer: UUID.
        email: Trimmed, in small letters.
        course_id: The course run.
        terms: Of this enrollment.
        now: When it is created.

    Returns:
        True when it was not awaited before.
    """
    lock_customers(connection, [customer])
    key = {"customer": customer, "email": email}
    if connection.execute(select(pending_learner).filter_by(**key)).first() is None:
        connection.execute(insert(pending_learner).values(**key, created_at=now))
    values = asdict(terms)
    changed = connection.execute(
        update(pending_enrollment).filter_by(**key, course_id=course_id).values(**values)
    )
    if changed.rowcount:
        return False
    connection.execute(
        insert(pending_enrollment).values(**key, course_id=course_id, created_at=now, **values)
    )
    return True


def awaited(connection: Connection, email: str) -> tuple[set[str], list[Awaited]]:
    """The customers that await this e-mail address, and the enrollments that they keep for it."""
    customers = set(
        connection.scalars(select(pending_learner.c.customer).where(pending_learner.c.email == email))
    )
    table = pending_enrollment
    rows = connection.execute(
        select(table).where(table.c.email == email).order_by(table.c.customer, table.c.course_id)
    ).mappings()
    names = tuple(Terms.__dataclass_fields__)
    return customers, [
        Awaited(row["customer"], row["course_id"], Terms(**{name: row[name] for name in names}))
        for row in rows
    ]


def no_longer_awaited(connection: Connection, email: str, one: Awaited) -> None:
    """Forget a kept enrollment that has become real."""
    connection.execute(
        delete(pending_enrollment).filter_by(customer=one.customer, email=email, course_id=one.course_id)
    )


def arrived(connection: Connection, customers: Collection[str], email: str) -> None:
    """Forget that an address is awaited, where no enrollment is kept for it any more."""
    lock_customers(connection, customers)
    kept = exists().where(
        pending_enrollment.c.customer == pending_learner.c.customer,
        pending_enrollment.c.email == pending_learner.c.email,
    )
    connection.execute(delete(pending_learner).where(pending_learner.c.email == email, ~kept))

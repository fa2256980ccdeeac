"""Rows behind an enrollment: one for each customer that sponsors it, or a private one.

What awaits a learner without an account is no enrollment yet, though its rows are beside those that are. Whoever calls holds the lock of :func:`lock_learner`, so that no two write the same enrollment at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, func, insert, literal, null, select, update

from coursewire.enrollment.errors import UserNotFoundError
from coursewire.model.results import ConsentState
from coursewire.sources.consents import REFUSALS
from coursewire.sources.database.targets import TARGETS
from coursewire.sources.rows import EnrollmentRow, Row
from coursewire.storage.tables.enrollment import enrollment_private
from coursewire.storage.tables.source import (
    source_catalog,
    source_catalog_item,
    source_course_run,
    source_customer,
    source_enrollment,
    source_learner,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

CHANGED_HERE = ""
"""Version of a row that differs from the bundle's line it came from, so that loading that line puts it back."""

_ITS_LEARNER = and_(
    source_learner.c.username == source_enrollment.c.username,
    source_learner.c.customer == source_enrollment.c.customer,
)


@dataclass(frozen=True, slots=True)
class Held:
    """An enrollment as the database has it.

    Attributes:
        customers: UUIDs of those who sponsor it; none when it is private.
    """

    course_id: str
    mode: str
    is_active: bool
    created_at: datetime | None
    customers: frozenset[str] = frozenset()


def lock_learner(connection: Connection, username: str) -> frozenset[str]:
    """Let nobody else write this user's enrollments until the transaction ends.

    Returns:
        UUIDs of the customers that the user is linked with.

    Raises:
        UserNotFoundError: Nobody has this name.
    """
    rows = connection.execute(
        select(source_learner.c.customer, source_learner.c.linked)
        .where(source_learner.c.username == username, ~source_learner.c.pending)
        .order_by(source_learner.c.customer)
        .with_for_update()
    ).all()
    if not rows:
        raise UserNotFoundError("there is no such user", next_step="Load or link the learner first.")
    return frozenset(row.customer for row in rows if row.linked)


def require_learner(connection: Connection, username: str) -> None:
    """Make sure that a user is there.

    Raises:
        UserNotFoundError: Nobody has this name.
    """
    there = select(source_learner.c.customer).where(
        source_learner.c.username == username, ~source_learner.c.pending
    )
    if connection.execute(there.limit(1)).first() is None:
        raise UserNotFoundError("there is no such user", next_step="Load or link the learner first.")


def held(connection: Connection, username: str, course_id: str | None = None) -> list[Held]:
    """The user's enrollments, oldest first; where rows of one differ, an active and then the oldest counts."""
    rows = sorted(
        (row for statement in _rows(username, course_id) for row in connection.execute(statement)),
        key=lambda row: (not row.is_active, _age(row.created_at), row.course_id, row.customer or ""),
    )
    found: dict[str, Held] = {}
    for row in rows:
        first = found.get(row.course_id) or Held(row.course_id, row.mode, row.is_active, row.created_at)
        more = {row.customer} if row.customer else set()
        found[row.course_id] = replace(first, customers=first.customers | more)
    return sorted(found.values(), key=lambda one: (_age(one.created_at), one.course_id))


def _age(created_at: datetime | None) -> tuple[bool, datetime]:
    """Sorts oldest first, what has no date last."""
    return created_at is None, created_at or datetime.min.replace(tzinfo=UTC)


def _rows(username: str, course_id: str | None) -> Iterator[Select[Any]]:
    for table, customer in (
        (source_enrollment, source_enrollment.c.customer),
        (enrollment_private, null()),
    ):
        rows = select(
            table.c.course_id, customer.label("customer"), table.c.mode, table.c.is_active, table.c.created_at
        ).where(table.c.username == username)
        if table is source_enrollment:
            rows = rows.join(source_learner, _ITS_LEARNER).where(~source_learner.c.pending)
        yield rows if course_id is None else rows.where(table.c.course_id == course_id)


def customers_of(connection: Connection, username: str, course_id: str) -> frozenset[str]:
    """Customers who sponsor an enrollment of the user's own: linked, active, with the run in a catalog."""
    return frozenset(
        connection.scalars(
            select(source_learner.c.customer)
            .join(source_catalog, source_catalog.c.customer == source_learner.c.customer)
            .join(source_catalog_item, source_catalog_item.c.catalog == source_catalog.c.uuid)
            .join(
                source_course_run,
                source_course_run.c.content_key == source_catalog_item.c.content_key,
            )
            .where(
                source_learner.c.username == username,
                source_learner.c.linked,
                source_learner.c.active,
                source_course_run.c.run_key == course_id,
            )
        )
    )


def store(
    connection: Connection, username: str, enrollment: Held, sponsors: Collection[str], *, now: datetime
) -> None:
    """Write an enrollment: the rows that are there, and one for each new sponsor.

    Args:
        connection: In a transaction that holds the learner's lock.
        username: Whose.
        enrollment: As it is to be; its ``customers`` are those that sponsor it already.
        sponsors: UUIDs of customers who sponsor it from now on.
        now: When it is created, if it is new.
    """
    standing = {"mode": enrollment.mode, "is_active": enrollment.is_active}
    created = enrollment.created_at or now
    set_all(connection, username, [enrollment.course_id], now=now, **standing)
    new = set(sponsors) - enrollment.customers
    implied = _implying(connection, username, new)
    insert_lines(
        connection,
        "enrollments",
        [
            EnrollmentRow(
                username=username,
                customer=customer,
                course_id=enrollment.course_id,
                created=created,
                consent=ConsentState.IMPLIED if customer in implied else None,
                consent_granted_at=now if customer in implied else None,
                **standing,
            )
            for customer in sorted(new)
        ],
    )
    private = enrollment_private
    mine = (private.c.username == username, private.c.course_id == enrollment.course_id)
    if new or enrollment.customers:
        connection.execute(delete(private).where(*mine))
    elif connection.scalar(select(literal(1)).select_from(private).where(*mine)) is None:
        connection.execute(
            insert(private).values(
                username=username, course_id=enrollment.course_id, created_at=created, **standing
            )
        )


def insert_lines(connection: Connection, name: str, lines: Sequence[Row]) -> None:
    """Insert what a bundle would have as lines of its file ``name``."""
    target = TARGETS[name]
    if lines:
        connection.execute(
            insert(target.table), [{**target.values(line), "version": line.version} for line in lines]
        )


def _implying(connection: Connection, username: str, customers: Collection[str]) -> set[str]:
    """Customers that collect consent themselves, and of whose courses the learner has refused none.

    Their learners are never asked, so that a new enrollment carries the consent that the customer vouches for.
    """
    refused = exists().where(
        source_enrollment.c.username == username,
        source_enrollment.c.customer == source_customer.c.uuid,
        source_enrollment.c.consent_state.in_([state.value for state in sorted(REFUSALS)]),
    )
    return set(
        connection.scalars(
            select(source_customer.c.uuid)
            .join(source_learner, source_learner.c.customer == source_customer.c.uuid)
            .where(
                source_customer.c.uuid.in_(list(customers)),
                source_customer.c.enable_data_sharing_consent,
                source_customer.c.enforce_data_sharing_consent == "externally_managed",
                source_learner.c.username == username,
                source_learner.c.linked,
                ~refused,
            )
        )
    )


def set_all(
    connection: Connection, username: str, course_ids: Iterable[str], *, now: datetime, **values: Any
) -> None:
    """Set ``mode`` or ``is_active`` in every row of the user's enrollments in these runs."""
    chosen = list(course_ids)
    of_source: dict[str, Any] = {"version": CHANGED_HERE}
    if "is_active" in values:
        since = source_enrollment.c.unenrolled_at
        of_source["unenrolled_at"] = None if values["is_active"] else func.coalesce(since, now)
    for table, more in ((source_enrollment, of_source), (enrollment_private, {})):
        connection.execute(
            update(table)
            .where(table.c.username == username, table.c.course_id.in_(chosen))
            .values(**values, **more)
        )


def count_active(connection: Connection, course_id: str) -> int:
    """Return the number of users enrolled in a run, each counted once; somebody without an account takes no place."""
    sponsored = (
        select(source_enrollment.c.username)
        .join(source_learner, _ITS_LEARNER)
        .where(
            source_enrollment.c.course_id == course_id,
            source_enrollment.c.is_active,
            ~source_learner.c.pending,
        )
    )
    private = select(enrollment_private.c.username).where(
        enrollment_private.c.course_id == course_id, enrollment_private.c.is_active
    )
    users = sponsored.union(private).subquery()
    return connection.scalar(select(func.count()).select_from(users)) or 0

"""The stored roles of accounts and tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from coursewire.service.rights import Role, RoleAssignment
from coursewire.storage.tables.access import access_grant


def assignments_of(connection: Connection, holders: Sequence[UUID]) -> dict[UUID, tuple[RoleAssignment, ...]]:
    """Return the roles of accounts and tokens, by their id.

    Args:
        connection: A connection to the database.
        holders: The ids of the accounts and tokens. Those that hold no role are left out of the answer.
    """
    c = access_grant.c
    rows = connection.execute(
        select(c.holder, c.role, c.customer).where(c.holder.in_(holders)).order_by(c.role, c.customer)
    )
    found: dict[UUID, tuple[RoleAssignment, ...]] = {}
    for holder, role, customer in rows:
        found[holder] = (*found.get(holder, ()), RoleAssignment(Role(role), customer))
    return found


def joined_assignments(rows: Iterable[Any]) -> tuple[RoleAssignment, ...]:
    """Return the roles in the rows of one holder, outer-joined with its roles."""
    return tuple(sorted(RoleAssignment(Role(row.role), row.customer) for row in rows if row.role is not None))


def write_assignments(connection: Connection, holder: UUID, assignments: Iterable[RoleAssignment]) -> None:
    """Give an account or a token roles, in place of those it had.

    Args:
        connection: A connection in a transaction.
        holder: The id of the account or the token.
        assignments: The roles.
    """
    connection.execute(delete(access_grant).where(access_grant.c.holder == holder))
    rows = [
        {"holder": holder, "role": role.value, "customer": customer} for role, customer in set(assignments)
    ]
    if rows:
        connection.execute(insert(access_grant), rows)

"""The rows that say who was given what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from coursewire.service.rights import Grant, Role
from coursewire.storage.tables.access import access_grant


def grants_of(connection: Connection, holders: Sequence[UUID]) -> dict[UUID, tuple[Grant, ...]]:
    """The grants of accounts and tokens; those without any are left out."""
    c = access_grant.c
    rows = connection.execute(
        select(c.holder, c.role, c.customer).where(c.holder.in_(holders)).order_by(c.role, c.customer)
    )
    found: dict[UUID, tuple[Grant, ...]] = {}
    for holder, role, customer in rows:
        found[holder] = (*found.get(holder, ()), Grant(Role(role), customer))
    return found


def joined_grants(rows: Iterable[Any]) -> tuple[Grant, ...]:
    """The grants in rows of one holder, joined with their grants from outside."""
    return tuple(sorted(Grant(Role(row.role), row.customer) for row in rows if row.role is not None))


def write_grants(connection: Connection, holder: UUID, grants: Iterable[Grant]) -> None:
    """Give an account or a token these grants, in place of those it had."""
    connection.execute(delete(access_grant).where(access_grant.c.holder == holder))
    rows = [{"holder": holder, "role": role.value, "customer": customer} for role, customer in set(grants)]
    if rows:
        connection.execute(insert(access_grant), rows)

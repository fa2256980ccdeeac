"""Roles, the rights that they bring, and the customers for which somebody holds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

ALL_CUSTOMERS = ""
"""The customer of a role that is held for every customer."""


class Right(StrEnum):
    """A right, which a route needs and a role brings."""

    FETCH = "fetch"
    """Fetch what a channel offers to the customer's LMS, such as a course list."""
    READ = "read"
    """See configurations without their secrets, records, transmissions, jobs, plans, learners."""
    OPERATE = "operate"
    """Start jobs, retry, confirm a guard, link learners, check connections."""
    ADMINISTER = "administer"
    """Change configurations; with all customers also accounts and tokens."""


class Role(StrEnum):
    """A role that a person or a token holds, for one customer or for all."""

    LMS = "lms"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.LMS: frozenset({Right.FETCH}),
    Role.VIEWER: frozenset({Right.READ}),
    Role.OPERATOR: frozenset({Right.READ, Right.OPERATE}),
    Role.ADMINISTRATOR: frozenset({Right.READ, Right.OPERATE, Right.ADMINISTER}),
}
"""The rights of each role; what is not named is refused."""


class RoleAssignment(NamedTuple):
    """A role that is held for one customer, by UUID, or for :data:`ALL_CUSTOMERS`."""

    role: Role
    customer: str


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a program that calls the service.

    Attributes:
        uuid: The id of the account or the token.
        name: The name for histories, such as ``ada`` or ``token nightly``.
        assignments: The roles that the caller holds.
        csrf: The proof that a change by a browser must carry; "" for a token, which no browser sends by itself.
    """

    uuid: UUID
    name: str
    assignments: tuple[RoleAssignment, ...]
    csrf: str = ""

    def may(self, right: Right, customer: str) -> bool:
        """Tell whether the caller has a right for a customer."""
        return any(
            right in RIGHTS[assignment.role] and assignment.customer in (ALL_CUSTOMERS, customer)
            for assignment in self.assignments
        )

    def customers(self, right: Right) -> frozenset[str] | None:
        """Return the customers for which the caller has a right; None for all, present and future."""
        having = [assignment for assignment in self.assignments if right in RIGHTS[assignment.role]]
        if any(assignment.customer == ALL_CUSTOMERS for assignment in having):
            return None
        return frozenset(assignment.customer for assignment in having)

    def has(self, right: Right) -> bool:
        """Tell whether the caller has a right for any customer at all."""
        return self.customers(right) != frozenset()


def parse_assignments(texts: Iterable[str]) -> list[RoleAssignment]:
    """Read roles as people write them.

    Args:
        texts: Texts such as ``viewer``, or ``operator@CUSTOMER-UUID``.

    Raises:
        ValueError: There is no such role, or the customer is not a UUID.
    """
    assignments = []
    for text in texts:
        role, _, customer = text.partition("@")
        try:
            granted = Role(role.strip().lower())
        except ValueError:
            raise ValueError(f"there is no role {role!r}; there are: {', '.join(Role)}") from None
        assignments.append(
            RoleAssignment(granted, str(UUID(customer.strip())) if customer else ALL_CUSTOMERS)
        )
    return sorted(set(assignments))

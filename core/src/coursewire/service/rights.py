"""Who may do what: roles, the rights that they bring, and for which customers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

ALL_CUSTOMERS = ""
"""Stands for every customer in a grant."""


class Right(StrEnum):
    """What can be allowed."""

    FETCH = "fetch"
    """Fetch what a channel offers to the customer's LMS, such as a course list."""
    READ = "read"
    """See configurations without their secrets, records, transmissions, jobs, plans, learners."""
    OPERATE = "operate"
    """Start jobs, retry, confirm a guard, link learners, check connections."""
    ADMINISTER = "administer"
    """Change configurations; with all customers also accounts and tokens."""


class Role(StrEnum):
    """What a person or a token is given, for one customer or for all."""

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
"""What a role brings; what is not named is refused."""


class Grant(NamedTuple):
    """A role for one customer, by UUID, or for :data:`ALL_CUSTOMERS`."""

    role: Role
    customer: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking.

    Attributes:
        uuid: Of the account or the token.
        name: For histories: ``"ada"``, or ``"token nightly"``.
        grants: What was granted.
        csrf: What a change by browser must carry; "" for a token, which no browser sends by itself.
    """

    uuid: UUID
    name: str
    grants: tuple[Grant, ...]
    csrf: str = ""

    def may(self, right: Right, customer: str) -> bool:
        """Tell whether a right is granted for a customer."""
        return any(
            right in RIGHTS[grant.role] and grant.customer in (ALL_CUSTOMERS, customer)
            for grant in self.grants
        )

    def customers(self, right: Right) -> frozenset[str] | None:
        """The customers that a right is granted for; None for all, present and future."""
        having = [grant for grant in self.grants if right in RIGHTS[grant.role]]
        if any(grant.customer == ALL_CUSTOMERS for grant in having):
            return None
        return frozenset(grant.customer for grant in having)

    def has(self, right: Right) -> bool:
        """Tell whether a right is granted for anybody at all."""
        return self.customers(right) != frozenset()


def parse_grants(texts: Iterable[str]) -> list[Grant]:
    """Read grants as people write them: ``viewer``, or ``operator@CUSTOMER-UUID``.

    Raises:
        ValueError: There is no such role, or the customer is no UUID.
    """
    grants = []
    for text in texts:
        role, _, customer = text.partition("@")
        try:
            granted = Role(role.strip().lower())
        except ValueError:
            raise ValueError(f"there is no role {role!r}; there are: {', '.join(Role)}") from None
        grants.append(Grant(granted, str(UUID(customer.strip())) if customer else ALL_CUSTOMERS))
    return sorted(set(grants))

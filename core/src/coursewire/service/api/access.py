"""``/me`` and ``/tokens``: the caller, and the API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.paging import API
from coursewire.service.problems import Problem
from coursewire.service.rights import ALL_CUSTOMERS, Right, Role, RoleAssignment
from coursewire.service.tokens import ApiToken, ApiTokens

router = GuardedRouter(prefix=API, tags=["access"])

ADMINISTER = Annotated[Access, needs(Right.ADMINISTER)]


class RoleAssignmentOut(BaseModel):
    """A role, for one customer or for all."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    customer: UUID | None = Field(default=None, description="null for all customers")

    @classmethod
    def of(cls, assignment: RoleAssignment) -> RoleAssignmentOut:
        """Return the public form of a role that is held."""
        return cls(role=assignment.role, customer=UUID(assignment.customer) if assignment.customer else None)

    def assignment(self) -> RoleAssignment:
        """Return the role that is to be held."""
        return RoleAssignment(self.role, str(self.customer) if self.customer else ALL_CUSTOMERS)


class Me(BaseModel):
    """The caller."""

    name: str
    grants: list[RoleAssignmentOut]


class TokenOut(BaseModel):
    """A token without its value."""

    uuid: UUID
    name: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None = Field(description="Last use, to the hour.")
    grants: list[RoleAssignmentOut]

    @classmethod
    def of(cls, token: ApiToken) -> TokenOut:
        """Return the public form of a token."""
        names = cls.model_fields.keys() - {"grants"}
        return cls(
            grants=[RoleAssignmentOut.of(each) for each in token.assignments],
            **{name: getattr(token, name) for name in names},
        )


class NewToken(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255)
    grants: list[RoleAssignmentOut] = Field(min_length=1, max_length=1000)
    expires_at: AwareDatetime | None = None


class MadeToken(TokenOut):
    """A new token; its value is shown this once."""

    value: str


@router.get("/me", summary="Who asks")
def me(access: Annotated[Access, needs(Right.READ)]) -> Me:
    """Show the caller, and the roles that it holds."""
    return Me(
        name=access.caller.name, grants=[RoleAssignmentOut.of(each) for each in access.caller.assignments]
    )


@router.get("/tokens", summary="Tokens")
def list_tokens(access: ADMINISTER) -> list[TokenOut]:
    """List all tokens, without their values. It needs the right for all customers."""
    access.demand_all()
    return [TokenOut.of(each) for each in _tokens(access).list()]


@router.post("/tokens", status_code=201, summary="Make a token")
def add_token(body: NewToken, access: ADMINISTER) -> MadeToken:
    """Make a token; nobody can show its value again."""
    access.demand_all()
    made, value = _tokens(access).add(
        body.name,
        [each.assignment() for each in body.grants],
        created_by=access.caller.name,
        expires_at=body.expires_at,
    )
    return MadeToken(**TokenOut.of(made).model_dump(), value=value)


@router.delete("/tokens/{uuid}", status_code=204, summary="Revoke")
def revoke_token(uuid: UUID, access: ADMINISTER) -> Response:
    """End a token at once."""
    access.demand_all()
    if not _tokens(access).revoke(uuid):
        raise Problem(404, f"there is no token {uuid} that is in force")
    return Response(status_code=204)


def _tokens(access: Access) -> ApiTokens:
    return ApiTokens(access.installation.engine, clock=access.installation.clock)

"""``/me``, ``/tokens``: who is asking, and the tokens there are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from coursewire.service.authorization import GuardedRouter, Reach, needs
from coursewire.service.paging import API
from coursewire.service.problems import Problem
from coursewire.service.rights import ALL_CUSTOMERS, Grant, Right, Role
from coursewire.service.tokens import ApiToken, ApiTokens

router = GuardedRouter(prefix=API, tags=["access"])

ADMINISTER = Annotated[Reach, needs(Right.ADMINISTER)]


class GrantOut(BaseModel):
    """A role, for one customer or for all."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    customer: UUID | None = Field(default=None, description="null for all customers")

    @classmethod
    def of(cls, grant: Grant) -> GrantOut:
        """The public form of a grant."""
        return cls(role=grant.role, customer=UUID(grant.customer) if grant.customer else None)

    def grant(self) -> Grant:
        """The grant that is meant."""
        return Grant(self.role, str(self.customer) if self.customer else ALL_CUSTOMERS)


class Me(BaseModel):
    """Who asks."""

    name: str
    grants: list[GrantOut]


class TokenOut(BaseModel):
    """A token without its value."""

    uuid: UUID
    name: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None = Field(description="Last use, to the hour.")
    grants: list[GrantOut]

    @classmethod
    def of(cls, token: ApiToken) -> TokenOut:
        """The public form of a token."""
        names = cls.model_fields.keys() - {"grants"}
        return cls(
            grants=[GrantOut.of(each) for each in token.grants],
            **{name: getattr(token, name) for name in names},
        )


class NewToken(BaseModel):
    """What a token is made from."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255)
    grants: list[GrantOut] = Field(min_length=1, max_length=1000)
    expires_at: AwareDatetime | None = None


class MadeToken(TokenOut):
    """A new token; its value is shown this once."""

    value: str


@router.get("/me", summary="Who asks")
def me(reach: Annotated[Reach, needs(Right.READ)]) -> Me:
    """The caller, and what was granted."""
    return Me(name=reach.caller.name, grants=[GrantOut.of(each) for each in reach.caller.grants])


@router.get("/tokens", summary="Tokens")
def list_tokens(reach: ADMINISTER) -> list[TokenOut]:
    """All tokens, without their values. It needs the right for all customers."""
    reach.demand_all()
    return [TokenOut.of(each) for each in _tokens(reach).list()]


@router.post("/tokens", status_code=201, summary="Make a token")
def add_token(body: NewToken, reach: ADMINISTER) -> MadeToken:
    """Make a token; nobody can show its value again."""
    reach.demand_all()
    made, value = _tokens(reach).add(
        body.name,
        [each.grant() for each in body.grants],
        created_by=reach.caller.name,
        expires_at=body.expires_at,
    )
    return MadeToken(**TokenOut.of(made).model_dump(), value=value)


@router.delete("/tokens/{uuid}", status_code=204, summary="Revoke")
def revoke_token(uuid: UUID, reach: ADMINISTER) -> Response:
    """End a token at once."""
    reach.demand_all()
    if not _tokens(reach).revoke(uuid):
        raise Problem(404, f"there is no token {uuid} that is in force")
    return Response(status_code=204)


def _tokens(reach: Reach) -> ApiTokens:
    return ApiTokens(reach.installation.engine, clock=reach.installation.clock)

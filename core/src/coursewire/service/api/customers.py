"""``/customers``: the organisations that the source knows, and their catalogs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from coursewire.service.authorization import GuardedRouter, Reach, needs
from coursewire.service.paging import API
from coursewire.service.problems import Problem
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{API}/customers", tags=["customers"])

READ = Annotated[Reach, needs(Right.READ)]


class CustomerOut(BaseModel):
    """An organisation."""

    uuid: UUID
    name: str
    active: bool


class CatalogOut(BaseModel):
    """A set of content items that a customer may use."""

    uuid: UUID
    title: str


@router.get("", summary="Customers")
async def list_customers(reach: READ) -> list[CustomerOut]:
    """The customers within reach, as the source has them."""
    found = await reach.installation.source.customers()
    return [
        CustomerOut(uuid=UUID(each.uuid), name=each.name or "", active=each.active)
        for each in found
        if reach.holds(each.uuid)
    ]


@router.get("/{uuid}", summary="One customer")
async def show_customer(uuid: UUID, reach: READ) -> CustomerOut:
    """One customer."""
    reach.demand(str(uuid))
    found = await reach.installation.source.customer(str(uuid))
    if found is None:
        raise Problem(404, f"there is no customer {uuid}")
    return CustomerOut(uuid=uuid, name=found.name or "", active=found.active)


@router.get("/{uuid}/catalogs", summary="Catalogs")
async def list_catalogs(uuid: UUID, reach: READ) -> list[CatalogOut]:
    """The customer's catalogs, oldest first."""
    reach.demand(str(uuid))
    found = await reach.installation.source.catalogs(str(uuid))
    return [CatalogOut(uuid=UUID(each.uuid), title=each.title or "") for each in found]

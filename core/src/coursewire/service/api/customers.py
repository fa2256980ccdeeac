"""``/customers``: the organisations that the source knows, and their catalogs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.paging import API
from coursewire.service.problems import Problem
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{API}/customers", tags=["customers"])

READ = Annotated[Access, needs(Right.READ)]


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
async def list_customers(access: READ) -> list[CustomerOut]:
    """List the customers within reach, as the source has them."""
    found = await access.installation.source.customers()
    return [
        CustomerOut(uuid=UUID(each.uuid), name=each.name or "", active=each.active)
        for each in found
        if access.holds(each.uuid)
    ]


@router.get("/{uuid}", summary="One customer")
async def show_customer(uuid: UUID, access: READ) -> CustomerOut:
    """Show one customer."""
    access.demand(str(uuid))
    found = await access.installation.source.customer(str(uuid))
    if found is None:
        raise Problem(404, f"there is no customer {uuid}")
    return CustomerOut(uuid=uuid, name=found.name or "", active=found.active)


@router.get("/{uuid}/catalogs", summary="Catalogs")
async def list_catalogs(uuid: UUID, access: READ) -> list[CatalogOut]:
    """List a customer's catalogs, oldest first."""
    access.demand(str(uuid))
    found = await access.installation.source.catalogs(str(uuid))
    return [CatalogOut(uuid=UUID(each.uuid), title=each.title or "") for each in found]

"""Once, when the host service starts. It serves the routes below `/channels/<code in lower case>`, after it has checked
who calls, how large the body is and how often they come."""

import coursewire as cw


async def list_regions(request: cw.InboundRequest, desk: cw.InboundDesk) -> cw.InboundAnswer:
    """List the regions in which the caller's customer has configurations."""
    found = await desk.configurations(request.customer)
    return cw.InboundAnswer.json({"regions": sorted({config.region for _, config in found})})


@cw.hookimpl
def inbound_routes() -> list[cw.InboundRoute]:
    """Lighthouse asks for it when an administrator opens the page of this integration."""
    return [
        cw.InboundRoute(
            "/{customer}/regions",
            list_regions,
            cw.InboundAccess.CUSTOMER,
            customer_from="customer",
            summary="Regions that the customer's learners are in",
        )
    ]

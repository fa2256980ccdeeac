"""Once, when the host service starts. It serves the routes below `/channels/<code in lower case>`, after it has checked
who calls, how large the body is and how often they come."""

from coursewire import hookimpl
from coursewire.model.inbound import InboundAccess, InboundAnswer, InboundDesk, InboundRequest, InboundRoute


async def list_regions(request: InboundRequest, desk: InboundDesk) -> InboundAnswer:
    """Where the caller's customer has configurations."""
    found = await desk.configurations(request.customer)
    return InboundAnswer.json({"regions": sorted({config.region for _, config in found})})


@hookimpl
def inbound_routes() -> list[InboundRoute]:
    """Lighthouse asks for it when an administrator opens the page of this integration."""
    return [
        InboundRoute(
            "/{customer}/regions",
            list_regions,
            InboundAccess.CUSTOMER,
            customer_from="customer",
            summary="Regions that the customer's learners are in",
        )
    ]

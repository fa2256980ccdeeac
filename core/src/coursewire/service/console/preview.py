"""The page that shows an item of the source beside its payload for the LMS."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.errors import ConfigurationError, ContractError, NotExportableError
from coursewire.model.content import ContentType
from coursewire.model.instant import Moment
from coursewire.model.kinds import Kind
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.console.site import CONSOLE, render
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{CONSOLE}/configurations", include_in_schema=False)

CHOICES = 100


@router.get("/{uuid}/preview")
async def preview(
    uuid: UUID,
    request: Request,
    access: Annotated[Access, needs(Right.READ)],
    key: Annotated[str, Query(max_length=255)] = "",
) -> Response:
    """Show the page."""
    configuration = await run_in_threadpool(access.configuration, uuid)
    installation = access.installation
    loaded = installation.channels.get(configuration.channel)
    taken = loaded.channel.capabilities.content_types
    catalog_keys = await _catalog_keys(access, configuration.customer)
    choices = await _choices(access, catalog_keys, taken)
    chosen = key or (choices[0][0] if choices else "")
    ours, theirs, fault = "", "", ""
    if chosen:
        # What the customer may not use, and the LMS of this configuration does not hold, is not there for its people.
        visible = chosen in catalog_keys or await run_in_threadpool(_holds, access, uuid, chosen)
        found = (
            [item async for page in installation.source.content([chosen]) for item in page] if visible else []
        )
        if not found:
            fault = f"The customer's catalogs do not have {chosen}."
        elif found[0].content_type not in taken:
            fault = f"The channel does not take content of type {found[0].content_type.value}."
        else:
            ours = _json(found[0].model_dump(mode="json", exclude_none=True))
            try:
                grant = loaded.hook_caller.oauth_application()
                config = await run_in_threadpool(
                    installation.configurations.load,
                    uuid,
                    loaded.channel,
                    ungranted=grant.fields if grant else (),
                )
                moment = Moment(installation.clock())
                theirs = _json(
                    await asyncio.to_thread(loaded.hook_caller.export_content, config, found[0], moment)
                )
            except (ConfigurationError, ContractError, NotExportableError) as error:
                fault = str(error)
    return render(
        request,
        "preview.html",
        caller=access.caller,
        uuid=uuid,
        name=configuration.display_name,
        choices=choices,
        chosen=chosen,
        ours=ours,
        theirs=theirs,
        fault=fault,
    )


async def _catalog_keys(access: Access, customer: str) -> dict[str, None]:
    """Return the keys of the customer's catalogs, in their order."""
    source = access.installation.source
    keys: dict[str, None] = {}
    for catalog in await source.catalogs(customer):
        keys.update(dict.fromkeys((await source.diff(catalog, {})).present))
    return keys


def _holds(access: Access, configuration: UUID, key: str) -> bool:
    """Tell whether the configuration has a record of a content item."""
    return key in access.host.records(configuration, Kind.CONTENT).fetch([key])


async def _choices(
    access: Access, keys: dict[str, None], taken: frozenset[ContentType]
) -> list[tuple[str, str]]:
    """Return keys and titles of the first items that the channel takes."""
    source = access.installation.source
    choices: list[tuple[str, str]] = []
    async for page in source.content(list(keys), page_items=CHOICES):
        choices += [
            (item.content_key, item.title or item.content_key) for item in page if item.content_type in taken
        ]
        if len(choices) >= CHOICES:
            break
    return choices[:CHOICES]


def _json(body: Any) -> str:
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()

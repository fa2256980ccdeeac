"""``/channels``: the installed channels, their capabilities, and the fields of their configurations."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from coursewire.configurations.fields import describe
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.paging import API
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{API}/channels", tags=["channels"])


class LoadRow(BaseModel):
    """One installed entry point, and whether it was loaded."""

    name: str
    distribution: str
    version: str
    state: str = Field(description="loaded, skipped or failed")
    code: str | None = None
    reason: str = Field(description="Why it was not loaded, with the next step; empty when it was.")


class FieldRow(BaseModel):
    """One field of a channel's configurations."""

    name: str
    type: str
    required: bool
    default: Any = None
    secret: bool
    help: str


class ChannelDetail(BaseModel):
    """One channel as it declares itself."""

    code: str
    title: str
    distribution: str
    version: str
    docs_url: str | None
    capabilities: dict[str, Any]
    limits: dict[str, Any]
    fields: list[FieldRow]
    config_schema: dict[str, Any] = Field(description="JSON Schema of the fields.")


@router.get("", summary="The load report")
def list_channels(access: Annotated[Access, needs(Right.READ)]) -> list[LoadRow]:
    """List the installed entry points, one row for each, loaded or not."""
    registry = access.installation.channels
    return [
        LoadRow(
            name=row.name,
            distribution=row.distribution,
            version=row.version,
            state=row.state,
            code=row.code or None,
            reason=row.reason,
        )
        for row in registry.report
    ]


@router.get("/{code}", summary="One channel")
def show_channel(code: str, access: Annotated[Access, needs(Right.READ)]) -> ChannelDetail:
    """Show a channel's capabilities, its limits, and the fields of its configurations."""
    loaded = access.installation.channels.get(code.upper())
    channel = loaded.channel
    return ChannelDetail(
        code=channel.code,
        title=channel.title,
        distribution=loaded.distribution,
        version=loaded.version,
        docs_url=channel.docs_url,
        capabilities=channel.capabilities.model_dump(mode="json"),
        limits=channel.limits.model_dump(mode="json"),
        fields=[
            FieldRow(**{name: getattr(each, name) for name in FieldRow.model_fields})
            for each in describe(channel.config)
        ],
        config_schema=channel.config.model_json_schema(mode="validation"),
    )

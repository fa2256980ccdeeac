"""``/channels``: the installed channels, their capabilities, and the fields of their configurations."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from coursewire.configurations.fields import FieldInfo, FieldKind, JsonScalar, ValueType, describe, in_words
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


class ValueTypeOut(BaseModel):
    """The type of a value."""

    kind: FieldKind
    nullable: bool = Field(description="It may be null.")
    choices: list[JsonScalar] = Field(description="Of a choice: the values there are, with their JSON types.")
    item: ValueTypeOut | None = Field(description="Of a list: the type of each item.")
    options: list[ValueTypeOut] = Field(description="Of `either`: the types that a value may have.")

    @classmethod
    def of(cls, type_: ValueType) -> ValueTypeOut:
        """Return the public form of a type."""
        return cls(
            kind=type_.kind,
            nullable=type_.nullable,
            choices=list(type_.choices),
            item=cls.of(type_.item) if type_.item else None,
            options=[cls.of(option) for option in type_.options],
        )


class FieldRow(BaseModel):
    """One field of a channel's configurations."""

    name: str
    type: str = Field(description="The type of its value in words, for people.")
    value: ValueTypeOut = Field(description="The type of its value, for programs.")
    required: bool
    default: Any = None
    secret: bool
    destination: bool = Field(
        description="It decides where credentials are sent: a change erases the secrets that are not given again with it."
    )
    help: str

    @classmethod
    def of(cls, field: FieldInfo) -> FieldRow:
        """Return the public form of a field."""
        return cls(
            name=field.name,
            type=in_words(field.type),
            value=ValueTypeOut.of(field.type),
            required=field.required,
            default=field.default,
            secret=field.secret,
            destination=field.destination,
            help=field.help,
        )


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
        fields=[FieldRow.of(each) for each in describe(channel.config)],
        config_schema=channel.config.model_json_schema(mode="validation"),
    )

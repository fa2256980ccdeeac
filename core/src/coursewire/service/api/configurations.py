"""``/configurations``: customers' settings for channels, whatever the channel."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError, CoursewireError
from coursewire.inbound.code_grants import CodeGrants
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.paging import API
from coursewire.service.problems import Problem
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{API}/configurations", tags=["configurations"])

READ = Annotated[Access, needs(Right.READ)]
OPERATE = Annotated[Access, needs(Right.OPERATE)]
ADMINISTER = Annotated[Access, needs(Right.ADMINISTER)]

Version = Annotated[
    int | None,
    Query(ge=1, le=2**31 - 1, description="Refuse the change if the version is another one by now."),
]


class ConfigurationOut(BaseModel):
    """A configuration without its secrets."""

    uuid: UUID
    channel: str
    customer: UUID
    name: str
    active: bool
    version: int
    fields: dict[str, Any]
    secrets_set: list[str] = Field(description="Names of the secret fields that are filled.")
    secrets_dropped: list[str] = Field(
        description="Names of the secrets that this change erased, since a secret goes only where it was entered for: "
        "enter them again for the new destination."
    )
    needs_reconnect_since: datetime | None
    needs_reconnect_reason: str | None
    failing_since: datetime | None = Field(
        description="Instant since which the LMS refuses the credentials; later runs try them again."
    )
    failing_reason: str | None
    next_try_at: datetime | None = Field(
        description="No run tries the refused credentials before this instant."
    )
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, configuration: Configuration) -> ConfigurationOut:
        """Return the public form of a stored configuration."""
        names = cls.model_fields.keys() - {"name", "customer", "fields", "secrets_set", "secrets_dropped"}
        return cls(
            name=configuration.display_name,
            customer=UUID(configuration.customer),
            fields=dict(configuration.fields),
            secrets_set=list(configuration.secrets_set),
            secrets_dropped=list(configuration.secrets_dropped),
            **{name: getattr(configuration, name) for name in names},
        )


class NewConfiguration(BaseModel):
    """A configuration to make."""

    model_config = ConfigDict(extra="forbid")

    channel: str = Field(max_length=30, examples=["ACME"])
    customer: UUID
    active: bool = False
    fields: dict[str, Any] = Field(
        default_factory=dict, description="By name; see `/channels/{code}`. A secret is text."
    )


class Changes(BaseModel):
    """Fields to change; null clears one, those that are not named stay."""

    model_config = ConfigDict(extra="forbid")

    fields: dict[str, Any]


class ValidityOut(BaseModel):
    """The faults that keep a configuration from being active."""

    valid: bool
    missing: list[str]
    incorrect: dict[str, str]


class Change(BaseModel):
    """One row of the history."""

    version: int
    action: str
    actor: str
    changes: dict[str, Any] = Field(
        description='`{field: [old, new]}`; of a secret only "set", "changed", "cleared", "dropped".'
    )
    at: datetime


class CheckOut(BaseModel):
    """The result of trying the connection."""

    ok: bool
    works: list[str] = Field(description="One sentence for each thing that works.")
    problem: str | None = Field(description="What does not work, with the next step.")


@router.get("", summary="List")
def list_configurations(
    access: READ,
    channel: Annotated[str | None, Query(max_length=30)] = None,
    customer: UUID | None = None,
    active: bool | None = None,
) -> list[ConfigurationOut]:
    """List all configurations within reach, oldest first. They are few, so that there are no pages."""
    found = access.configurations(
        channel=channel.upper() if channel else None, customer=str(customer) if customer else None
    )
    return [ConfigurationOut.of(each) for each in found if active in (None, each.active)]


@router.post("", status_code=201, summary="Add")
def add_configuration(body: NewConfiguration, access: ADMINISTER) -> ConfigurationOut:
    """Add a draft, which may be incomplete, or an active configuration, which must be valid."""
    access.demand(str(body.customer))
    channel = access.installation.channels.get(body.channel.upper()).channel
    made = access.installation.configurations.add(
        channel, str(body.customer), _plain(body.fields), active=body.active, actor=access.caller.name
    )
    return ConfigurationOut.of(made)


@router.get("/{uuid}", summary="Show")
def show_configuration(uuid: UUID, access: READ) -> ConfigurationOut:
    """Show one configuration."""
    return ConfigurationOut.of(access.configuration(uuid))


@router.patch("/{uuid}", summary="Edit")
def edit_configuration(
    uuid: UUID, body: Changes, access: ADMINISTER, expected_version: Version = None
) -> ConfigurationOut:
    """Change fields. A change of an address, or of anything else that decides where credentials are sent, erases the secrets
    that are not given again in the same change; an active configuration that needs them refuses it.
    """
    found = access.configuration(uuid)
    channel = access.installation.channels.get(found.channel).channel
    edited = access.installation.configurations.edit(
        uuid, channel, _plain(body.fields), actor=access.caller.name, expected_version=expected_version
    )
    return ConfigurationOut.of(edited)


@router.delete("/{uuid}", status_code=204, summary="Remove")
def remove_configuration(uuid: UUID, access: ADMINISTER, expected_version: Version = None) -> Response:
    """Take a configuration out of all lists and erase its secrets. What the LMS holds stays there."""
    access.configuration(uuid)
    access.installation.configurations.remove(
        uuid, actor=access.caller.name, expected_version=expected_version
    )
    return Response(status_code=204)


@router.post("/{uuid}/activate", summary="Activate")
def activate_configuration(
    uuid: UUID, access: ADMINISTER, expected_version: Version = None
) -> ConfigurationOut:
    """Let jobs take a configuration; 422 lists what is missing and incorrect."""
    found = access.configuration(uuid)
    channel = access.installation.channels.get(found.channel).channel
    return ConfigurationOut.of(
        access.installation.configurations.activate(
            uuid, channel, actor=access.caller.name, expected_version=expected_version
        )
    )


@router.post("/{uuid}/deactivate", summary="Deactivate")
def deactivate_configuration(
    uuid: UUID, access: ADMINISTER, expected_version: Version = None
) -> ConfigurationOut:
    """Let jobs leave a configuration alone. Nothing is sent."""
    access.configuration(uuid)
    return ConfigurationOut.of(
        access.installation.configurations.deactivate(
            uuid, actor=access.caller.name, expected_version=expected_version
        )
    )


@router.get("/{uuid}/validity", summary="What is missing")
def show_validity(uuid: UUID, access: READ) -> ValidityOut:
    """Show the faults that keep a configuration from being active."""
    found = access.configuration(uuid)
    channel = access.installation.channels.get(found.channel).channel
    validity = access.installation.configurations.validity(uuid, channel)
    return ValidityOut(
        valid=validity.valid, missing=list(validity.missing), incorrect=dict(validity.incorrect)
    )


@router.get("/{uuid}/history", summary="Who changed what")
def show_history(uuid: UUID, access: READ) -> list[Change]:
    """List every change, oldest first."""
    access.configuration(uuid)
    rows = access.installation.configurations.history(uuid)
    return [Change(**{name: getattr(row, name) for name in Change.model_fields}) for row in rows]


class Connect(BaseModel):
    """A request for access, to begin with."""

    model_config = ConfigDict(extra="forbid")

    redirect_uri: str = Field(max_length=2000, description="As it is registered at the LMS.")


class ConnectAt(BaseModel):
    """The page of the LMS on which its administrator gives access."""

    url: str


class Connected(BaseModel):
    """The whole query with which the LMS sent the browser back."""

    answer: dict[str, str] = Field(max_length=20)


@router.post("/{uuid}/connect", summary="Ask for access")
def connect_configuration(uuid: UUID, body: Connect, access: ADMINISTER) -> ConnectAt:
    """Begin an OAuth 2 code grant. The same caller must finish it, within ten minutes."""
    access.configuration(uuid)
    url = CodeGrants(access.installation).start(
        uuid, session=str(access.caller.uuid), redirect_uri=body.redirect_uri
    )
    return ConnectAt(url=url)


@router.post("/connected", summary="Finish asking for access")
async def finish_connection(body: Connected, access: ADMINISTER) -> ConfigurationOut:
    """Exchange the code for tokens, which are stored; 422 says what went wrong."""
    made = await CodeGrants(access.installation).finish(
        body.answer, session=str(access.caller.uuid), actor=access.caller.name
    )
    return ConfigurationOut.of(made)


@router.post("/{uuid}/check", summary="Try the connection")
async def check_configuration(uuid: UUID, access: OPERATE) -> CheckOut:
    """Try the way of real requests with harmless ones. What does not work is an answer, not an error."""
    found = await run_in_threadpool(access.configuration, uuid)
    try:
        works = await access.host.check(found, actor=access.caller.name)
    except ConfigurationError:
        raise
    except CoursewireError as error:
        return CheckOut(ok=False, works=[], problem=str(error))
    return CheckOut(ok=True, works=works, problem=None)


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Refuse values that only a file of this machine's administrator may have."""
    for name, value in fields.items():
        if isinstance(value, dict) and set(value) == {"env"}:
            raise Problem(
                422,
                "a field cannot be kept",
                "Variables of the server's environment are for configuration files on the server.",
                errors=[{"field": name, "why": "it names a variable of the environment"}],
            )
    return fields

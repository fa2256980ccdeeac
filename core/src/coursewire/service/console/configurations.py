"""The pages of configurations: from a draft through settings, test and preview to live."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError
from coursewire.model.kinds import Kind
from coursewire.service.api.configurations import check_configuration
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.console.forms import fields_of, inputs
from coursewire.service.console.site import CONSOLE, go, render
from coursewire.service.console.words import colour_of
from coursewire.service.problems import Problem
from coursewire.service.rights import Right
from coursewire.service.stats import Stats

router = GuardedRouter(prefix=f"{CONSOLE}/configurations", include_in_schema=False)

READ = Annotated[Access, needs(Right.READ)]
OPERATE = Annotated[Access, needs(Right.OPERATE)]
ADMINISTER = Annotated[Access, needs(Right.ADMINISTER)]

NOTES = {
    "made": (
        "good",
        "The draft is made. Fill in the settings, test the connection, look at a preview, and go live.",
    ),
    "saved": ("good", "Saved."),
    "dropped": (
        "bad",
        "Saved. Its secrets were erased, since they were entered for another destination: enter them again.",
    ),
    "live": ("good", "It is live: the next run takes it."),
    "draft": ("left", "It is a draft again: no run takes it."),
    "connected": ("good", "Access was given. Test the connection next."),
}


@router.get("")
async def configurations(request: Request, access: READ) -> Response:
    """List the configurations."""
    found = await run_in_threadpool(access.configurations)
    stats: Stats = request.app.state.stats
    names = await stats.customer_names({each.customer for each in found})
    rows = [
        {
            "uuid": each.uuid,
            "name": each.display_name,
            "channel": each.channel,
            "customer": names[each.customer],
            "updated_at": each.updated_at,
            **state_of(each),
        }
        for each in found
    ]
    return render(request, "configurations.html", caller=access.caller, rows=rows)


@router.get("/new")
async def new(request: Request, access: ADMINISTER) -> Response:
    """Show the form for a new configuration."""
    customers = [each for each in await access.installation.source.customers() if access.holds(each.uuid)]
    channels = [
        {"code": each.channel.code, "title": each.channel.title} for each in access.installation.channels
    ]
    return render(request, "new.html", caller=access.caller, channels=channels, customers=customers)


@router.post("")
def add(
    request: Request,
    access: ADMINISTER,
    channel: Annotated[str, Form(max_length=30)],
    customer: Annotated[UUID, Form()],
    display_name: Annotated[str, Form(max_length=255)] = "",
) -> Response:
    """Make a draft."""
    access.demand(str(customer))
    loaded = access.installation.channels.get(channel.upper())
    made = access.installation.configurations.add(
        loaded.channel, str(customer), {"display_name": display_name}, actor=access.caller.name
    )
    return go(request, f"/configurations/{made.uuid}?note=made")


@router.get("/{uuid}")
async def configuration(
    uuid: UUID, request: Request, access: READ, note: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Show one configuration."""
    found = await run_in_threadpool(access.configuration, uuid)
    return await _show(request, access, found, note=NOTES.get(note, ("", "")))


@router.post("/{uuid}")
async def save(uuid: UUID, request: Request, access: ADMINISTER) -> Response:
    """Change settings; what was refused is shown with the reason, and what was typed stays."""
    found = await run_in_threadpool(access.configuration, uuid)
    channel = access.installation.channels.get(found.channel).channel
    form = await request.form()
    changes = fields_of(channel.config, form, found)
    version = str(form.get("expected_version", ""))
    try:
        edited = await run_in_threadpool(
            access.installation.configurations.edit,
            uuid,
            channel,
            changes,
            actor=access.caller.name,
            expected_version=int(version) if version.isdecimal() else None,
        )
    except ConfigurationError as error:
        given = {name: value for name, value in changes.items() if name not in channel.config.secret_fields()}
        return await _show(
            request,
            access,
            found,
            note=("bad", str(error)),
            given=given,
            incorrect=error.incorrect,
            status=422,
        )
    return go(request, f"/configurations/{uuid}?note={'dropped' if edited.secrets_dropped else 'saved'}")


@router.post("/{uuid}/check")
async def check(uuid: UUID, request: Request, access: OPERATE) -> Response:
    """Try the connection, and show what works."""
    found = await run_in_threadpool(access.configuration, uuid)
    result = await check_configuration(uuid, access)
    found = await run_in_threadpool(access.configuration, found.uuid)
    return await _show(request, access, found, check=result)


@router.post("/{uuid}/activate")
async def activate(uuid: UUID, request: Request, access: ADMINISTER) -> Response:
    """Let runs take the configuration."""
    found = await run_in_threadpool(access.configuration, uuid)
    channel = access.installation.channels.get(found.channel).channel
    try:
        await run_in_threadpool(
            access.installation.configurations.activate, uuid, channel, actor=access.caller.name
        )
    except ConfigurationError as error:
        return await _show(request, access, found, note=("bad", str(error)), status=422)
    return go(request, f"/configurations/{uuid}?note=live")


@router.post("/{uuid}/deactivate")
def deactivate(uuid: UUID, request: Request, access: ADMINISTER) -> Response:
    """Make the configuration a draft again."""
    access.configuration(uuid)
    access.installation.configurations.deactivate(uuid, actor=access.caller.name)
    return go(request, f"/configurations/{uuid}?note=draft")


@router.post("/{uuid}/remove")
def remove(uuid: UUID, request: Request, access: ADMINISTER) -> Response:
    """Take the configuration out of all lists."""
    access.configuration(uuid)
    access.installation.configurations.remove(uuid, actor=access.caller.name)
    return go(request, "/configurations")


def state_of(configuration: Configuration) -> dict[str, str]:
    """Return whether runs take a configuration, in a word and a colour."""
    if configuration.needs_reconnect_since is not None:
        state = "needs reconnect"
    elif configuration.failing_since is not None:
        state = "credentials refused"
    else:
        state = "live" if configuration.active else "draft"
    return {"state": state, "colour": colour_of(state)}


async def _show(
    request: Request,
    access: Access,
    found: Configuration,
    *,
    note: tuple[str, str] = ("", ""),
    given: dict[str, Any] | None = None,
    incorrect: dict[str, str] | None = None,
    check: Any = None,
    status: int = 200,
) -> Response:
    installation = access.installation
    if found.channel not in installation.channels.codes():
        raise Problem(
            404,
            f"the channel {found.channel} is not installed",
            next_step="Install it, or remove the configuration.",
        )
    channel = installation.channels.get(found.channel).channel
    validity = await run_in_threadpool(installation.configurations.validity, found.uuid, channel)
    grant = installation.channels.get(found.channel).hook_caller.oauth_application()
    history = await run_in_threadpool(installation.configurations.history, found.uuid)
    stats: Stats = request.app.state.stats
    names = await stats.customer_names({found.customer})
    standing = (await stats.standing())[found.uuid]
    shown_validity = (
        validity if not incorrect else type(validity)(validity.missing, {**validity.incorrect, **incorrect})
    )
    own, shared = inputs(channel.config, found, shown_validity, given or {})
    caller = access.caller
    state = state_of(found)
    return render(
        request,
        "configuration.html",
        caller=caller,
        status=status,
        uuid=found.uuid,
        name=found.display_name,
        version=found.version,
        channel_title=channel.title,
        customer=names[found.customer],
        active=found.active,
        failing=found.failing,
        needs_reconnect=found.needs_reconnect_reason if found.needs_reconnect_since else "",
        kinds=[each.value for each in Kind if getattr(channel.capabilities, each.value).usable],
        missing=[*validity.missing, *validity.incorrect],
        grant=grant is not None,
        granted=grant is not None and set(grant.fields) <= set(found.secrets_set),
        missing_for_grant=[name for name in validity.missing if grant is None or name not in grant.fields],
        note_kind=note[0],
        note=note[1],
        check=check,
        standing=standing,
        own=own,
        shared=shared,
        history=list(reversed(history)),
        may_change=caller.may(Right.ADMINISTER, found.customer),
        may_operate_here=caller.may(Right.OPERATE, found.customer),
        **state,
    )

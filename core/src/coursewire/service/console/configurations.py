"""Configurations: from a draft through settings, test and preview to live."""

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
from coursewire.service.authorization import GuardedRouter, Reach, needs
from coursewire.service.console.forms import fields_of, inputs
from coursewire.service.console.site import CONSOLE, go, render
from coursewire.service.console.words import colour_of
from coursewire.service.problems import Problem
from coursewire.service.rights import Right
from coursewire.service.stats import Stats

router = GuardedRouter(prefix=f"{CONSOLE}/configurations", include_in_schema=False)

READ = Annotated[Reach, needs(Right.READ)]
OPERATE = Annotated[Reach, needs(Right.OPERATE)]
ADMINISTER = Annotated[Reach, needs(Right.ADMINISTER)]

NOTES = {
    "made": (
        "good",
        "The draft is made. Fill in the settings, test the connection, look at a preview, and go live.",
    ),
    "saved": ("good", "Saved."),
    "live": ("good", "It is live: the next run takes it."),
    "draft": ("left", "It is a draft again: no run takes it."),
    "connected": ("good", "Access was given. Test the connection next."),
}


@router.get("")
async def configurations(request: Request, reach: READ) -> Response:
    """The list."""
    found = await run_in_threadpool(reach.configurations)
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
    return render(request, "configurations.html", caller=reach.caller, rows=rows)


@router.get("/new")
async def new(request: Request, reach: ADMINISTER) -> Response:
    """The form for a new one."""
    customers = [each for each in await reach.installation.source.customers() if reach.holds(each.uuid)]
    channels = [
        {"code": each.channel.code, "title": each.channel.title} for each in reach.installation.channels
    ]
    return render(request, "new.html", caller=reach.caller, channels=channels, customers=customers)


@router.post("")
def add(
    request: Request,
    reach: ADMINISTER,
    channel: Annotated[str, Form(max_length=30)],
    customer: Annotated[UUID, Form()],
    display_name: Annotated[str, Form(max_length=255)] = "",
) -> Response:
    """Make a draft."""
    reach.demand(str(customer))
    loaded = reach.installation.channels.get(channel.upper())
    made = reach.installation.configurations.add(
        loaded.channel, str(customer), {"display_name": display_name}, actor=reach.caller.name
    )
    return go(request, f"/configurations/{made.uuid}?note=made")


@router.get("/{uuid}")
async def configuration(
    uuid: UUID, request: Request, reach: READ, note: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """One configuration."""
    found = await run_in_threadpool(reach.configuration, uuid)
    return await _show(request, reach, found, note=NOTES.get(note, ("", "")))


@router.post("/{uuid}")
async def save(uuid: UUID, request: Request, reach: ADMINISTER) -> Response:
    """Change settings; what was refused is shown with the reason, and what was typed stays."""
    found = await run_in_threadpool(reach.configuration, uuid)
    channel = reach.installation.channels.get(found.channel).channel
    form = await request.form()
    changes = fields_of(channel.config, form, found)
    version = str(form.get("expected_version", ""))
    try:
        await run_in_threadpool(
            reach.installation.configurations.edit,
            uuid,
            channel,
            changes,
            actor=reach.caller.name,
            expected_version=int(version) if version.isdecimal() else None,
        )
    except ConfigurationError as error:
        given = {name: value for name, value in changes.items() if name not in channel.config.secret_fields()}
        return await _show(
            request,
            reach,
            found,
            note=("bad", str(error)),
            given=given,
            incorrect=error.incorrect,
            status=422,
        )
    return go(request, f"/configurations/{uuid}?note=saved")


@router.post("/{uuid}/check")
async def check(uuid: UUID, request: Request, reach: OPERATE) -> Response:
    """Try the connection, and show what works."""
    found = await run_in_threadpool(reach.configuration, uuid)
    result = await check_configuration(uuid, reach)
    found = await run_in_threadpool(reach.configuration, found.uuid)
    return await _show(request, reach, found, check=result)


@router.post("/{uuid}/activate")
async def activate(uuid: UUID, request: Request, reach: ADMINISTER) -> Response:
    """Take it live."""
    found = await run_in_threadpool(reach.configuration, uuid)
    channel = reach.installation.channels.get(found.channel).channel
    try:
        await run_in_threadpool(
            reach.installation.configurations.activate, uuid, channel, actor=reach.caller.name
        )
    except ConfigurationError as error:
        return await _show(request, reach, found, note=("bad", str(error)), status=422)
    return go(request, f"/configurations/{uuid}?note=live")


@router.post("/{uuid}/deactivate")
def deactivate(uuid: UUID, request: Request, reach: ADMINISTER) -> Response:
    """Make it a draft again."""
    reach.configuration(uuid)
    reach.installation.configurations.deactivate(uuid, actor=reach.caller.name)
    return go(request, f"/configurations/{uuid}?note=draft")


@router.post("/{uuid}/remove")
def remove(uuid: UUID, request: Request, reach: ADMINISTER) -> Response:
    """Take it out of all lists."""
    reach.configuration(uuid)
    reach.installation.configurations.remove(uuid, actor=reach.caller.name)
    return go(request, "/configurations")


def state_of(configuration: Configuration) -> dict[str, str]:
    """Whether runs take it, in a word and a colour."""
    if configuration.needs_reconnect_since is not None:
        state = "needs reconnect"
    else:
        state = "live" if configuration.active else "draft"
    return {"state": state, "colour": colour_of(state)}


async def _show(
    request: Request,
    reach: Reach,
    found: Configuration,
    *,
    note: tuple[str, str] = ("", ""),
    given: dict[str, Any] | None = None,
    incorrect: dict[str, str] | None = None,
    check: Any = None,
    status: int = 200,
) -> Response:
    installation = reach.installation
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
    caller = reach.caller
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

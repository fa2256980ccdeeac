"""``coursewire config``: add, show, edit and activate customers' settings for channels."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from coursewire.cli.config.connect import hint_to_connect, lacks_grant
from coursewire.cli.host import actor, open_host
from coursewire.cli.installed import installed_channels
from coursewire.cli.options import ChannelCode, ConfigId, Customer, Json
from coursewire.cli.output import note, put, put_check, put_json, put_pairs, put_table
from coursewire.configurations.configuration import Configuration
from coursewire.configurations.fields import describe, read_texts
from coursewire.configurations.files import read_file, write_template
from coursewire.errors import ConfigurationError
from coursewire.model.kinds import Kind

FileOption = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="JSON file; `config template` shows its form.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set one field; may be repeated. VALUE is text, or a JSON list or object.",
    ),
]


def add(
    file: FileOption = None,
    settings: SetOption = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="CODE", help="Without --file: the channel.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="UUID", help="Without --file: the customer.")
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Add it as a draft, whatever the file says.")
    ] = False,
    json: Json = False,
) -> None:
    """Add a configuration, from a file or with --set, and print its id.

    With "active": true in the file it must be complete; else it is a draft, and `config activate` makes it active.
    """
    active, fields = False, {}
    if file is not None:
        read = read_file(file)
        channel, customer = channel or read.channel, customer or read.customer
        active, fields = read.active and not draft, dict(read.fields)
    if not channel or not customer:
        raise typer.BadParameter("give --file FILE, or --channel CODE and --customer UUID")
    with open_host() as host:
        loaded = host.channels.get(channel.upper())
        fields |= read_texts(loaded.channel.config, _given(settings))
        known_catalogs = asyncio.run(host.known_catalogs(customer.lower()))
        added = host.configurations.add(
            loaded.channel,
            customer,
            fields,
            active=active,
            actor=actor(),
            known_catalogs=known_catalogs,
        )
        if known_catalogs is None:
            note(f"note: the source does not know customer {customer} yet", style="yellow")
        if not active:
            validity = host.configurations.validity(added.uuid, loaded.channel)
            wrong = {*validity.missing, *validity.incorrect}
            verb = "connect" if lacks_grant(host, added, wrong) else "activate"
            note(f"It is a draft. Next: coursewire config {verb} {added.short_id}")
    if json:
        put_json({"id": added.uuid})
    else:
        typer.echo(added.uuid)


def list_(channel: ChannelCode = None, customer: Customer = None, json: Json = False) -> None:
    """List configurations."""
    with open_host(read_only=True) as host:
        found = host.configurations.list(
            channel=channel.upper() if channel else None, customer=str(customer) if customer else None
        )
        names = asyncio.run(host.customer_names({each.customer for each in found}))
        states = {each.uuid: host.state_of(each) for each in found}
    if json:
        for each in found:
            put_json({**_as_json(each), "state": states[each.uuid]})
        return
    put_table(
        ("id", "channel", "customer", "name", "state"),
        [
            (each.short_id, each.channel, names[each.customer], each.display_name, states[each.uuid])
            for each in found
        ],
        empty="There is no configuration. `coursewire config template CODE` shows what one needs.",
    )


def show(config: ConfigId, json: Json = False) -> None:
    """Show one configuration. Of a secret it only tells whether it is set."""
    with open_host(read_only=True) as host:
        found = host.configurations.find(config)
        state = host.state_of(found)
        customer = asyncio.run(host.customer_names({found.customer}))[found.customer]
        known = {each.channel.code: each.channel for each in host.channels}
    if json:
        put_json({**_as_json(found), "state": state})
        return
    put_pairs(
        {
            "id": found.uuid,
            "channel": found.channel,
            "customer": f"{customer} ({found.customer})",
            "state": state,
            "version": f"{found.version}, changed {found.updated_at:%Y-%m-%d %H:%M} UTC",
            **({"credentials": found.failing} if found.failing else {}),
        }
    )
    put()
    if found.channel not in known:
        put_pairs({**found.fields, **dict.fromkeys(found.secrets_set, "set")})
        return
    shown: dict[str, object] = {}
    for field in describe(known[found.channel].config):
        if field.secret:
            shown[field.name] = "set" if field.name in found.secrets_set else "not set"
        elif field.name in found.fields:
            shown[field.name] = _plain(found.fields[field.name])
        else:
            shown[field.name] = "missing" if field.required else f"{_plain(field.default)} (default)".strip()
    put_pairs(shown)


def edit(
    config: ConfigId,
    settings: SetOption = None,
    unset: Annotated[
        list[str] | None, typer.Option("--unset", metavar="NAME", help="Clear one field; may be repeated.")
    ] = None,
    file: FileOption = None,
    json: Json = False,
) -> None:
    """Change fields. Those that are not named stay as they are.

    With an address, or anything else that decides where credentials are sent, enter the secrets again: others are erased.
    """
    changes: dict[str, Any] = {}
    with open_host() as host:
        old = host.configurations.find(config)
        if file is not None:
            read = read_file(file)
            if (read.channel, read.customer.lower()) != (old.channel, old.customer):
                raise ConfigurationError(
                    "the file is for another channel or customer",
                    where=f"{file}; {old.where}",
                    next_step="Use `coursewire config add` for another configuration.",
                )
            changes |= read.fields
        channel = host.channels.get(old.channel).channel
        changes |= read_texts(channel.config, _given(settings)) | dict.fromkeys(unset or ())
        if not changes:
            raise typer.BadParameter("nothing to change: give --set, --unset or --file")
        new = host.configurations.edit(
            old.uuid,
            channel,
            changes,
            actor=actor(),
            known_catalogs=asyncio.run(host.known_catalogs(old.customer)),
        )
    if json:
        put_json(_as_json(new))
    elif new.version == old.version:
        put(f"Nothing changed: configuration {new.short_id} is at version {new.version}.")
    else:
        put(f"Configuration {new.short_id} is at version {new.version}.")
        if new.secrets_dropped:
            put(new.dropped_in_words, style="yellow")


def check(config: ConfigId, json: Json = False) -> None:
    """Try the connection to the LMS, the way of real requests."""
    with open_host() as host:
        found = host.configurations.find(config)
        with hint_to_connect(host, found):
            works = asyncio.run(host.check(found, actor=actor()))
        cleared = found.needs_reconnect_since is not None or found.failing_since is not None
    if json:
        put_json({"id": found.uuid, "works": works, "reconnected": cleared})
        return
    for sentence in works:
        put_check(True, sentence)
    if cleared:
        put_check(True, "The LMS had refused the credentials; now it takes them, and it may run again.")
    if not found.active:
        put(f"It is a draft. Next: coursewire config activate {found.short_id}", style="dim")


def activate(config: ConfigId, json: Json = False) -> None:
    """Let runs take a configuration; it must be complete and correct."""
    with open_host() as host:
        old = host.configurations.find(config)
        loaded = host.channels.get(old.channel)
        known = asyncio.run(host.known_catalogs(old.customer))
        with hint_to_connect(host, old):
            new = host.configurations.activate(old.uuid, loaded.channel, actor=actor(), known_catalogs=known)
    capabilities = loaded.channel.capabilities
    kind = next((kind for kind in Kind if capabilities.takes(kind)), Kind.CONTENT)
    _put_state(new, "active", f"Next: coursewire plan {kind} --config {{}}", json=json)


def deactivate(config: ConfigId, json: Json = False) -> None:
    """Let runs leave a configuration alone. What the LMS holds stays there."""
    with open_host() as host:
        old = host.configurations.find(config)
        new = host.configurations.deactivate(old.uuid, actor=actor())
    _put_state(new, "a draft", "", json=json)


def remove(
    config: ConfigId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Remove a configuration. Its secrets are erased; its records and history stay, and so does what the LMS holds."""
    with open_host() as host:
        found = host.configurations.find(config)
        if not yes:
            typer.confirm(
                f"Remove configuration {found.short_id} ({found.display_name})? Its secrets are erased.",
                abort=True,
                err=True,
            )
        removed = host.configurations.remove(found.uuid, actor=actor())
    _put_state(removed, "removed", "", json=json)


def history(config: ConfigId, json: Json = False) -> None:
    """Show who changed what, and when. Secrets are left out."""
    with open_host(read_only=True) as host:
        changes = host.configurations.history(host.configurations.find(config).uuid)
    if json:
        for change in changes:
            put_json(asdict(change))
        return
    put_table(
        ("version", "when", "action", "by", "changes"),
        [
            (
                change.version,
                f"{change.at:%Y-%m-%d %H:%M}",
                change.action,
                change.actor,
                [_change(name, what) for name, what in change.changes.items()],
            )
            for change in changes
        ],
        right=("version",),
    )


def template(
    channel: Annotated[str, typer.Argument(metavar="CODE", help="Code of the channel.", show_default=False)],
    _json: Annotated[bool, typer.Option("--json", help="Errors as JSON, too; a template always is.")] = False,
) -> None:
    """Print an example file for `config add --file`, with every field of the channel."""
    typer.echo(write_template(installed_channels().get(channel.upper()).channel), nl=False)


def _given(settings: list[str] | None) -> dict[str, str]:
    """Read ``NAME=VALUE`` texts; the type of the field decides how the text of a value is read.

    Raises:
        BadParameter: A text has no name, or no equals sign.
    """
    given: dict[str, str] = {}
    for text in settings or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter("write --set NAME=VALUE")  # the text may hold a secret
        given[name.strip()] = value
    return given


def _as_json(configuration: Configuration) -> dict[str, Any]:
    """Return the stable form of a configuration."""

    data = asdict(configuration)
    return {"id": data.pop("uuid"), **data}


def _put_state(configuration: Configuration, state: str, hint: str, *, json: bool) -> None:
    """Print the new state of a configuration, and what comes next.

    Args:
        configuration: The configuration.
        state: The state in words.
        hint: The next command, with ``{}`` for the id; "" for none.
        json: Print the configuration as JSON.
    """

    if json:
        put_json(_as_json(configuration))
        return
    put(f"Configuration {configuration.short_id} is {state}.")
    if hint:
        put(hint.format(configuration.short_id), style="dim")


def _plain(value: Any) -> str:
    """Return the value of a field for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value == "" else str(value)


def _change(name: str, what: Any) -> str:
    """Return the change of one field for people."""
    if isinstance(what, list):
        old, new = map(_plain, what)
        return f"{name}: {old} → {new}"
    return f"{name}: {what}"

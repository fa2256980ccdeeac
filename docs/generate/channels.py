"""channels/: a page for each channel of this repository, and one that compares them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from coursewire.cli.app import app
from coursewire.configurations.fields import FieldInfo, describe, in_words
from coursewire.model.channel import Channel, Idempotency, Support
from coursewire.model.configuration import ChannelConfig
from coursewire.plugins.describe import capabilities_in_words, limits_in_words
from coursewire.plugins.loading import load_channels
from coursewire.plugins.registry import LoadedChannel
from docs.generate.commands import section, walk
from docs.generate.markdown import code, page, prose, table
from docs.generate.reasons import reason_table
from docs.generate.sources import members

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"

OVERVIEW = """\
A channel is a plugin for one kind of LMS. What it can do and which limits it keeps to is declared as data; these pages show that. What it
sends, how it is set up at the vendor and what its reasons mean stands in the plugin's README."""

INTRO = """\
The channel `{code}` for {title}, by the distribution `{distribution}`. What it sends and how it is set up at the vendor
stands in its [README](../../../plugins/{folder}/README.md)."""

SHARED = """\
Every configuration has these fields, whatever its channel. A configuration file has `channel`, `customer` and `active` besides.
A field that is required must be filled before the configuration can become active. A secret is text, or
`{"env": "NAME"}` for the value of an environment variable."""


def pages() -> dict[str, str]:
    """The pages of the channels that this repository holds; others that are installed are left out."""
    known = folders()
    loaded = [each for each in load_channels() if each.distribution in known]
    made = {
        f"channels/{each.channel.code.lower()}.md": _page(each, known[each.distribution]) for each in loaded
    }
    return {"channels/README.md": _overview(loaded), **made}


def folders() -> dict[str, str]:
    """Distributions that this repository holds, each with its folder."""
    found = {}
    for path in sorted(PLUGINS.glob("*/pyproject.toml")):
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        found[project["name"]] = path.parent.name
    return found


def _overview(loaded: Sequence[LoadedChannel]) -> str:
    heads = [f"[{each.channel.code}]({each.channel.code.lower()}.md)" for each in loaded]
    can = [capabilities_in_words(each.channel) for each in loaded]
    most = [limits_in_words(each.channel) for each in loaded]
    shared = describe(ChannelConfig)
    return page(
        "Channels",
        OVERVIEW,
        "## Capabilities",
        table(("", *heads), [(label, *(one[label] for one in can)) for label in can[0]]),
        "## Limits",
        table(("", *heads), [(label, *(one[label] for one in most)) for label in most[0]]),
        "## What the answers mean",
        _support(),
        "## Fields of every configuration",
        SHARED,
        _fields(shared),
    )


def _page(loaded: LoadedChannel, folder: str) -> str:
    channel = loaded.channel
    own = [field for field in describe(channel.config) if field.name not in ChannelConfig.model_fields]
    changed = [
        field
        for field in describe(channel.config)
        if field.name in ChannelConfig.model_fields and field not in describe(ChannelConfig)
    ]
    return page(
        f"{channel.code}: {channel.title}",
        INTRO.format(code=channel.code, title=channel.title, distribution=loaded.distribution, folder=folder),
        f"It works with plugin API `{channel.requires_api}`."
        + (f" The vendor's documentation: <{channel.docs_url}>." if channel.docs_url else "")
        + (f" Its simulator: `coursewire simulate {channel.code}`." if channel.simulator else ""),
        "## Capabilities",
        table(("capability", "answer"), capabilities_in_words(channel).items()),
        "## Limits",
        table(("limit", "value"), limits_in_words(channel).items()),
        "## Settings",
        "Beside those of [every configuration](README.md#fields-of-every-configuration):",
        _fields(own),
        *(("Other than elsewhere are:", _fields(changed)) if changed else ()),
        "`coursewire config template " + channel.code + "` prints a file to fill in.",
        *_reasons(channel),
        *_commands(loaded),
        "## Hooks",
        "It implements " + ", ".join(f"[`{hook}`](../hooks/{hook}.md)" for hook in _hooks(loaded)) + ".",
    )


def _reasons(channel: Channel) -> Sequence[str]:
    """Return the section with the reason codes that the channel declares; nothing when it declares none."""
    if not channel.reasons:
        return ()
    family = any(info.code == "*" for info in channel.reasons)
    also = " The row `*` is about every other code, which is the LMS's own." if family else ""
    return (
        "## Reasons",
        f"Beside [core's](../reasons.md), results have these.{also}",
        reason_table(channel.reasons),
    )


def _commands(loaded: LoadedChannel) -> Sequence[str]:
    root: Any = typer.main.get_command(app)
    group = root.get_command(None, loaded.name)
    if group is None:
        return ()
    context = typer.Context(group, info_name=f"coursewire {loaded.name}")
    found = walk(group, ("coursewire", loaded.name))
    return ("## Commands", *(section(path, command, context) for path, command in found))


def _hooks(loaded: LoadedChannel) -> Sequence[str]:
    rows = load_channels().report
    return next(
        row.hooks for row in rows if row.name == loaded.name and row.distribution == loaded.distribution
    )


def _fields(fields: Sequence[FieldInfo]) -> str:
    return table(
        ("field", "value", "default", "meaning"),
        [
            (
                code(field.name),
                in_words(field.type),
                "**required**" if field.required else _default(field.default),
                prose(field.help),
            )
            for field in fields
        ],
    )


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None or value in ("", [], {}) else code(value)


def _support() -> str:
    rows = [(answer.value, _SUPPORT[answer.name]) for answer in Support]
    repeats = [
        (each.value, " ".join(members(Idempotency)[each.name].split()) or "nothing keeps it from doubling")
        for each in Idempotency
    ]
    return f"{table(('support', 'meaning'), rows)}\n\n{table(('repeated sending', 'meaning'), repeats)}"


_SUPPORT = {
    "UNKNOWN": "nobody has found out yet",
    "IMPOSSIBLE": "the LMS has no way to do it",
    "NOT_IMPLEMENTED": "the LMS could, this channel does not yet",
    "PARTIAL": "some versions of the LMS can",
    "FULL": "it works",
}

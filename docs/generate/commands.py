"""commands.md: every command, its arguments and options, as ``--help`` prints them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from coursewire.cli.app import READER_GONE, app
from coursewire.cli.commands import SECTIONS
from coursewire.cli.lazy import LazyCommand
from coursewire.errors import GuardError, LeaseHeldError, SetupError
from docs.generate.markdown import code, page, table

INTRO = """\
The command is `coursewire`. Every command has `--help`. Results go to standard output, everything else
(notes, progress, errors) to standard error. With `--json` standard output holds nothing but JSON, one object
a line; an error is then an object `{"error": {"code", "what", "where", "why", "next_step"}}` there. Ids of configurations and
jobs may be cut to their beginning, as long as only one begins so.

A channel may bring commands of its own, as `coursewire CHANNEL ...`; they are on [its page](channels/README.md)."""


def pages() -> dict[str, str]:
    """The page."""
    root: Any = typer.main.get_command(app)
    context = typer.Context(root, info_name="coursewire")
    parts = [INTRO, "## Exit status", _statuses(), "## Commands", _index(root)]
    parts += [section(path, command, context) for path, command in walk(root)]
    return {"commands.md": page("Commands", *parts)}


def walk(group: Any, path: tuple[str, ...] = ("coursewire",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with its whole name, in the order of ``--help``."""
    for name, listed in group.commands.items():
        command = listed.load() if isinstance(listed, LazyCommand) else listed
        if hasattr(command, "commands"):
            yield from walk(command, (*path, name))
        else:
            yield (*path, name), command


def _statuses() -> str:
    rows = [
        (0, "all is well"),
        (1, "some items failed, lines were refused, or a check found something wrong"),
        (SetupError.exit_status, "usage or configuration error: a person must change something first"),
        (LeaseHeldError.exit_status, "another run of the same job is under way"),
        (GuardError.exit_status, "the retirement guard stopped the run before it sent anything"),
        (130, "ended with Ctrl-C"),
        (READER_GONE, "the reader of standard output has gone, as with `coursewire audit list` into `head`"),
    ]
    note = "A command that runs several configurations ends with the highest of their statuses."
    return f"{table(('status', 'meaning'), rows)}\n\n{note}"


def _index(root: Any) -> str:
    rows = []
    for section in SECTIONS:
        names = [
            name
            for name, command in root.commands.items()
            if getattr(command, "rich_help_panel", "") == section
        ]
        own = [path for path, _ in walk(root) if path[1] in names]
        links = ", ".join(f"[{' '.join(path[1:])}](#{'-'.join(path)})" for path in own)
        rows.append((section, links))
    return table(("for", "commands"), rows)


def section(path: tuple[str, ...], command: Any, context: Any) -> str:
    """What there is to say about one command."""
    own = typer.Context(command, info_name=" ".join(path[1:]), parent=context)
    usage = [*path]
    arguments, options = [], []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            name = parameter.metavar or parameter.name.upper()
            usage.append(name if parameter.required else f"[{name}]")
            arguments.append((code(name), parameter.help or ""))
        elif not parameter.hidden:
            options.append(_option(parameter, own))
    return "\n\n".join(
        part
        for part in (
            f"### {' '.join(path)}",
            f"    {' '.join(usage)} [OPTIONS]",
            command.help or "",
            table(("argument", "meaning"), arguments),
            table(("option", "meaning"), options),
        )
        if part
    )


def _option(option: Any, context: Any) -> tuple[str, str]:
    left = ", ".join([*option.opts, *option.secondary_opts])
    if option.metavar:
        left += f" {option.metavar}"
    elif not option.is_flag:
        # The choices: typer keeps them to itself, and brackets them differently from version to version.
        choices = re.search(r"[\w-]+(\|[\w-]+)+", option.get_help_record(context)[0])
        left += f" {choices[0]}" if choices else ""
    default = getattr(option.default, "value", option.default)
    notes = "Required. " if option.required else ""
    more = f" Default: `{default}`." if default and not isinstance(default, bool) else ""
    return code(left), f"{notes}{option.help or ''}{more}"

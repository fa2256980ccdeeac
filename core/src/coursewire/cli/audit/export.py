"""``coursewire audit export``: the log of attempts as a file."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import Config
from coursewire.storage.audit.export import ExportFormat


def export(
    format_: Annotated[ExportFormat, typer.Option("--format", help="csv or jsonl.")] = ExportFormat.JSONL,
    config: Config = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write there instead of stdout.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
) -> None:
    """Export the log of attempts, oldest first."""
    with open_host(read_only=True) as host:
        only = host.configurations.find(config).uuid if config else None
        lines = host.history.export(ExportFormat.JSONL if json else format_, configuration=only)
        with output.open("wb") if output else nullcontext(sys.stdout.buffer) as target:
            target.writelines(lines)
            target.flush()

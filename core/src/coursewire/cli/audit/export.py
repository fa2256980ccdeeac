"""``coursewire audit export``: the log of attempts as a file."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from coursewire.cli.common import (
    find_configuration,
    open_installation,
)
from coursewire.cli.options import (
    Config,
)
from coursewire.cli.output import json_line
from coursewire.storage.audit.export import ExportFormat, csv_lines, stream
from coursewire.storage.tables.records import transmission


def export(
    format_: Annotated[ExportFormat, typer.Option("--format", help="csv or jsonl.")] = ExportFormat.JSONL,
    config: Config = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write there instead of stdout.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
) -> None:
    """Export the log of attempts, oldest first."""
    with open_installation(read_only=True) as installation:
        only = [find_configuration(installation, config).uuid] if config else None
        rows = stream(installation.engine, transmission, configurations=only)
        with output.open("wb") if output else nullcontext(sys.stdout.buffer) as target:
            for line in (
                csv_lines(rows, transmission)
                if format_ is ExportFormat.CSV and not json
                else map(json_line, rows)
            ):
                target.write(line)
            target.flush()

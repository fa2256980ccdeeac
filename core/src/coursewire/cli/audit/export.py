"""``coursewire audit export``: the log of attempts as a file."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

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
        with _private(output) if output else nullcontext(sys.stdout.buffer) as target:
            target.writelines(lines)
            target.flush()


def _private(path: Path) -> BinaryIO:
    """Open a file that only we may read, also where it was there before."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb")

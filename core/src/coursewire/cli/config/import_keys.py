"""``coursewire config import-keys``: the keys by which an LMS knows items already."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import ConfigNeeded, Json
from coursewire.cli.output import note, put, put_json


def import_keys(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the two columns.", dir_okay=False)],
    config: ConfigNeeded,
    json: Json = False,
) -> None:
    """Take over the keys that the LMS knows items by from an earlier system, before the first transmission.

    For channels that make keys of their own. The file has the columns internal_course_id (our key) and
    external_course_id (the LMS's). What is refused is told, and everything else is taken; to do it twice changes
    nothing. Exit status 1 when something was refused.
    """
    with open_host() as host:
        imported = host.import_keys(host.configurations.find(config), file)
    if json:
        put_json(asdict(imported))
    else:
        put(f"{imported.added} added, {imported.known} known already, {len(imported.refused)} refused.")
        for line in imported.refused:
            note(f"refused: {line}", style="red")
    raise typer.Exit(1 if imported.refused else 0)

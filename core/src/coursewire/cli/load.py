"""``coursewire load``: fill the embedded source from a bundle."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import Json
from coursewire.cli.output import note, progress, put_json, put_table
from coursewire.sources.database import LoadReport

PROBLEMS_SHOWN = 20
"""Refused lines that a person is shown; ``--json`` lists all that the report keeps."""


def load(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="Folder of JSON-lines files.", show_default=False)
    ],
    json: Json = False,
) -> None:
    """Load customers, catalogs, content and results from a bundle.

    Loading again updates what is there. Exit status: 1 when lines were refused, 2 when nothing could be read.
    """
    with open_host() as host:
        if host.settings.source != "database":
            note(
                f"The source of this installation is {host.settings.source!r}: "
                "what is loaded here is kept, but not used.",
                style="yellow",
            )
        with progress() as track:
            report = host.load_bundle(bundle, progress=track(""))
    _put_report(report, json=json)
    if report.refused:
        sound = sum(file.new + file.changed + file.unchanged for file in report.files.values())
        raise typer.Exit(1 if sound else 2)


def _put_report(report: LoadReport, *, json: bool) -> None:
    """Print what was loaded, file by file, and what was refused."""
    if json:
        for problem in report.problems:
            put_json({"refused": asdict(problem)})
        files = {name: asdict(file) for name, file in report.files.items()}
        put_json({"files": files, "refused": report.refused, "warnings": report.warnings})
        return
    numbers = ("new", "changed", "unchanged", "refused")
    rows = [
        (name, *(f"{getattr(file, number):,}" for number in numbers)) for name, file in report.files.items()
    ]
    put_table(("file", *numbers), rows, right=numbers)
    for warning in report.warnings:
        note(f"note: {warning}", style="yellow")
    for problem in report.problems[:PROBLEMS_SHOWN]:
        note(f"refused: {problem}", style="red")
    more = report.refused - PROBLEMS_SHOWN
    if more > 0:
        note(f"and {more:,} more refused lines; --json lists them", style="red")

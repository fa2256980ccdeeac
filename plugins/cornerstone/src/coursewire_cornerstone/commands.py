"""``coursewire cornerstone import-keys``: the ids by which a portal knows courses already."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from coursewire.audit.key_map import KeyMap
from coursewire.errors import ConfigurationError
from coursewire.jobs.installation import Installation
from coursewire_cornerstone.config import CornerstoneConfig

OURS, THEIRS = "internal_course_id", "external_course_id"
LONGEST, REFUSED = 50, set('.|\\/<>"%&')
"""What Cornerstone takes as a course's id: so many characters, none of these and no blanks."""

app = typer.Typer(rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """What Cornerstone portals need beside sending."""


@app.command("import-keys")
def import_keys(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the two columns.", dir_okay=False)],
    config: Annotated[str, typer.Option("--config", metavar="ID", help="The configuration.")],
) -> None:
    """Take over the ids that a portal knows courses by from an earlier system, before the first transmission.

    The file has the columns internal_course_id (our key) and external_course_id (the portal's). What is refused
    is told, and everything else is taken; to do it twice changes nothing.
    """
    installation = Installation()
    try:
        configuration = installation.configurations.find(config)
        if configuration.channel != CornerstoneConfig.code:
            raise ConfigurationError(
                f"configuration {configuration.uuid} is not one for Cornerstone",
                where=configuration.channel,
                next_step="Name one of `coursewire config list --channel CSOD`.",
            )
        pairs, refused = read_pairs(file)
        report = KeyMap(installation.engine, configuration.uuid).add(pairs)
    finally:
        installation.close()
    refused += [f"{key}: {why}" for key, why in report.refused.items()]
    for line in refused:
        typer.echo(f"Refused: {line}", err=True)
    typer.echo(f"{report.added} added, {report.known} known already, {len(refused)} refused.")
    raise typer.Exit(1 if refused else 0)


def read_pairs(file: Path) -> tuple[dict[str, str], list[str]]:
    """The mappings of a file, our key to theirs; and why lines were refused.

    Raises:
        ConfigurationError: The file cannot be read, or lacks a column.
    """
    pairs: dict[str, str] = {}
    refused: list[str] = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text)
            missing = {OURS, THEIRS} - set(rows.fieldnames or ())
            if missing:
                raise ConfigurationError(
                    f"the file lacks the column {', '.join(sorted(missing))}",
                    where=str(file),
                    next_step=f"Its first line must name {OURS} and {THEIRS}.",
                )
            for row in rows:
                ours, theirs = (row[OURS] or "").strip(), (row[THEIRS] or "").strip()
                why = fault_of(theirs)
                if ours in pairs and pairs[ours] != theirs:
                    why = f"{ours} stands in an earlier line with another id"
                if why:
                    refused.append(f"line {rows.line_num}: {why}")
                else:
                    pairs[ours] = theirs
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError("the file cannot be read", where=str(file), why=str(error)) from error
    return pairs, refused


def fault_of(key: str) -> str:
    """Why Cornerstone would not take an id; "" when it would."""
    if not 0 < len(key) <= LONGEST:
        return f"an id has 1 to {LONGEST} characters, {key[:60]!r} has {len(key)}"
    wrong = sorted({each for each in key if each in REFUSED or each.isspace()})
    return f"{key!r} holds {' '.join(map(repr, wrong))}, which Cornerstone refuses" if wrong else ""

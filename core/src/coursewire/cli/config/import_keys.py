"""``coursewire config import-keys``: the keys by which an LMS knows items already."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from coursewire.cli.common import channel_of, find_configuration, open_installation
from coursewire.cli.options import ConfigNeeded, Json
from coursewire.cli.output import note, put, put_json
from coursewire.errors import ConfigurationError
from coursewire.storage.key_map import KeyMap

OURS, THEIRS = "internal_course_id", "external_course_id"


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
    with open_installation() as installation:
        found = find_configuration(installation, config)
        can = channel_of(installation, found.channel).channel.capabilities
        if not can.mapped_keys:
            raise ConfigurationError(
                "keys cannot be imported",
                where=found.where,
                why="the channel sends our own keys",
                next_step="Leave the file out.",
            )
        pairs, refused = read_pairs(file)
        report = KeyMap(installation.engine, found.uuid, can.remote_keys).add(pairs)
    refused += [f"{key}: {why}" for key, why in report.refused.items()]
    if json:
        put_json({"added": report.added, "known": report.known, "refused": refused})
    else:
        put(f"{report.added} added, {report.known} known already, {len(refused)} refused.")
        for line in refused:
            note(f"refused: {line}", style="red")
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
                if pairs.setdefault(ours, theirs) != theirs:
                    refused.append(f"line {rows.line_num}: an earlier line has another key for {ours}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError("the file cannot be read", where=str(file), why=str(error)) from error
    return pairs, refused

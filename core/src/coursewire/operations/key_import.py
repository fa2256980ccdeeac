"""Taking over the keys by which an LMS knows items already, from an earlier system."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError
from coursewire.installation import Installation
from coursewire.storage.key_map import KeyMap

OUR_COLUMN, THEIR_COLUMN = "internal_course_id", "external_course_id"


@dataclass(frozen=True, slots=True)
class ImportedKeys:
    """The result of an import of keys.

    Attributes:
        added: The number of keys that are new.
        known: The number of keys that were known already.
        refused: One sentence for each line or key that was not taken.
    """

    added: int
    known: int
    refused: list[str]


def import_keys(installation: Installation, configuration: Configuration, file: Path) -> ImportedKeys:
    """Take over the keys of a file, for a channel that makes keys of its own. Doing it again changes nothing.

    Args:
        installation: The installation.
        configuration: The configuration whose LMS knows the items.
        file: A CSV file with the columns of :func:`read_pairs`.

    Raises:
        ConfigurationError: The channel sends our own keys, or the file cannot be read.
    """
    capabilities = installation.channels.get(configuration.channel).channel.capabilities
    if not capabilities.mapped_keys:
        raise ConfigurationError(
            "keys cannot be imported",
            where=configuration.where,
            why="the channel sends our own keys",
            next_step="Leave the file out.",
        )
    pairs, refused = read_pairs(file)
    report = KeyMap(installation.engine, configuration.uuid, capabilities.remote_keys).add(pairs)
    refused += [f"{key}: {why}" for key, why in report.refused.items()]
    return ImportedKeys(report.added, report.known, refused)


def read_pairs(file: Path) -> tuple[dict[str, str], list[str]]:
    """Read a file of keys.

    Args:
        file: A CSV file with the columns ``internal_course_id`` (our key) and ``external_course_id`` (the LMS's).

    Returns:
        Our key to the LMS's key; and one sentence for each line that was refused.

    Raises:
        ConfigurationError: The file cannot be read, or lacks a column.
    """
    pairs: dict[str, str] = {}
    refused: list[str] = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text)
            missing = {OUR_COLUMN, THEIR_COLUMN} - set(rows.fieldnames or ())
            if missing:
                raise ConfigurationError(
                    f"the file lacks the column {', '.join(sorted(missing))}",
                    where=str(file),
                    next_step=f"Its first line must name {OUR_COLUMN} and {THEIR_COLUMN}.",
                )
            for row in rows:
                ours, theirs = (row[OUR_COLUMN] or "").strip(), (row[THEIR_COLUMN] or "").strip()
                if pairs.setdefault(ours, theirs) != theirs:
                    refused.append(f"line {rows.line_num}: an earlier line has another key for {ours}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError("the file cannot be read", where=str(file), why=str(error)) from error
    return pairs, refused

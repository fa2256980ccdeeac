"""Imported keys: the keys by which an LMS knows items that an earlier system had sent.

The key of any other item comes from the hook ``remote_key`` at its first export and stays on its record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from more_itertools import batched
from sqlalchemy import Connection, Engine, insert, or_, select

from coursewire.storage.audit.records import KEYS_A_QUERY
from coursewire.storage.database.engine import writing
from coursewire.storage.tables.records import content_record, key_map

LONGEST = 255


@dataclass(slots=True)
class ImportReport:
    """Result of an import of keys.

    Attributes:
        added: Number of new mappings.
        known: Number of mappings that were stored before.
        refused: Reason of each refused mapping, by content key.
    """

    added: int = 0
    known: int = 0
    refused: dict[str, str] = field(default_factory=dict)


class KeyMap:
    """The imported keys of one configuration; a content key has one remote key, and the other way round.

    Args:
        engine: The database.
        configuration: UUID of the configuration.
        remote_keys: Regular expression of the keys that the LMS takes: the channel's capability of that name.
    """

    def __init__(self, engine: Engine, configuration: UUID, remote_keys: str = "(?s).+") -> None:
        self._engine = engine
        self._configuration = configuration
        self._fits = re.compile(remote_keys).fullmatch

    def fetch(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the imported remote keys of these content keys."""
        c = key_map.c
        found: dict[str, str] = {}
        with self._engine.connect() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                query = select(c.content_key, c.remote_key).where(
                    c.configuration == self._configuration, c.content_key.in_(some)
                )
                found.update((key, remote) for key, remote in connection.execute(query))
        return found

    def add(self, pairs: Mapping[str, str]) -> ImportReport:
        """Store mappings of content key to remote key; a wrong mapping is refused, and the others are stored.

        A mapping is refused if the LMS cannot take its remote key, if it contradicts a stored mapping, or if the item
        was exported under another key, since it would become a second item at the LMS.
        """
        report = ImportReport()
        with writing(self._engine) as connection:
            for some in batched(pairs.items(), KEYS_A_QUERY):
                self._add(connection, dict(some), report)
        return report

    def _add(self, connection: Connection, pairs: Mapping[str, str], report: ImportReport) -> None:
        taken: dict[str, str] = {}  # both ways
        owners: dict[str, str] = {}
        for table in (content_record, key_map):
            c = table.c
            query = select(c.content_key, c.remote_key).where(
                c.configuration == self._configuration,
                or_(c.content_key.in_(pairs.keys()), c.remote_key.in_(pairs.values())),
            )
            if table is content_record:
                query = query.where(or_(c.present, c.confirmed_at.is_not(None)))
            for key, remote in connection.execute(query):
                taken[key], owners[remote] = remote, key
        fresh = []
        for key, remote in pairs.items():
            if not 0 < len(key) <= LONGEST:
                report.refused[key] = f"a content key has 1 to {LONGEST} characters"
            elif len(remote) > LONGEST or not self._fits(remote):
                report.refused[key] = f"the LMS does not take {remote[:60]!r} as a key"
            elif taken.get(key, remote) != remote:
                report.refused[key] = f"it is known at the LMS as {taken[key]}"
            elif owners.get(remote, key) != key:
                report.refused[key] = f"{remote} is the key of {owners[remote]}"
            elif key in taken:
                report.known += 1
            else:
                taken[key], owners[remote] = remote, key
                fresh.append({"configuration": self._configuration, "content_key": key, "remote_key": remote})
        if fresh:
            connection.execute(insert(key_map), fresh)
        report.added += len(fresh)

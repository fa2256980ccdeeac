"""What we believe the LMS holds: reading and writing content records, in bulk.

Everything here is synchronous and meant for a worker thread. Each function is one short transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from more_itertools import batched
from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite

from coursewire.audit.states import NEW, Event, Standing, State, after
from coursewire.audit.tables import content_record, transmission
from coursewire.model.payload import Operation

KEYS_A_QUERY = 500
"""Keys in one IN list: below SQLite's and PostgreSQL's limits of bound values, with room to spare."""


@dataclass(slots=True)
class Record:
    """A working copy of one row of ``content_record``, but for the confirmed payload."""

    configuration: UUID
    content_key: str
    content_type: str = ""
    title: str = ""
    catalogs: tuple[str, ...] = ()
    state: State = NEW.state
    operation: Operation | None = NEW.operation
    present: bool = NEW.present
    remote_key: str = ""
    remote_id: str | None = None
    wanted_fingerprint: str | None = None
    confirmed_fingerprint: str | None = None
    source_version: str | None = None
    export_context: str | None = None
    examine_again_at: datetime | None = None
    attempts: int = 0
    not_before_at: datetime | None = None
    batch_cap: int | None = None
    reason: str | None = None
    message: str | None = None
    job: UUID | None = None
    attempted_at: datetime | None = None
    confirmed_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = field(default=None)

    @property
    def standing(self) -> Standing:
        """State, pending operation and presence."""
        return Standing(self.state, self.operation, self.present)

    def happen(self, event: Event) -> None:
        """Let an event happen: the only way in which a record's standing changes.

        Raises:
            ContractError: The event cannot happen now.
        """
        self.state, self.operation, self.present = after(self.standing, event)


class Glance(NamedTuple):
    """The columns that decide whether an item must be looked at; read for every record of a run."""

    content_key: str
    state: str
    operation: str | None
    present: bool
    source_version: str | None
    export_context: str | None
    examine_again_at: datetime | None
    not_before_at: datetime | None
    reason: str | None
    catalogs: str


_COLUMNS = tuple(column.name for column in fields(Record))
_SELECT = [content_record.c[name] for name in _COLUMNS]
_GLANCE = [content_record.c[name] for name in Glance._fields]
_KEY = ("configuration", "content_key")


class ContentRecords:
    """The content records of one configuration."""

    def __init__(self, engine: Engine, configuration: UUID) -> None:
        self._engine = engine
        self.configuration = configuration
        self._mine = content_record.c.configuration == configuration

    def scan(self, visit: Callable[[Glance], None]) -> None:
        """Call ``visit`` for every record, in the order of the keys, holding none of them."""
        query = select(*_GLANCE).where(self._mine).order_by(content_record.c.content_key)
        with self._engine.connect() as connection:
            rows = connection.execution_options(yield_per=1000).execute(query)
            for row in rows:
                visit(Glance._make(row))

    def fetch(self, keys: Sequence[str]) -> dict[str, Record]:
        """The records of these keys that exist, by key."""
        found: dict[str, Record] = {}
        with self._engine.connect() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                query = select(*_SELECT).where(self._mine, content_record.c.content_key.in_(some))
                found.update((row.content_key, _record(row)) for row in connection.execute(query))
        return found

    def in_states(self, states: Iterable[State]) -> list[Record]:
        """The records in any of these states, in the order of the keys."""
        query = (
            select(*_SELECT)
            .where(self._mine, content_record.c.state.in_([state.value for state in states]))
            .order_by(content_record.c.content_key)
        )
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    def confirmed_payloads(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the LMS last confirmed, by key; keys without a confirmation are left out."""
        found: dict[str, dict[str, Any]] = {}
        column = content_record.c.confirmed_payload
        with self._engine.connect() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                query = select(content_record.c.content_key, column).where(
                    self._mine, content_record.c.content_key.in_(some), column.is_not(None)
                )
                found.update((key, orjson.loads(text)) for key, text in connection.execute(query))
        return found

    def save(
        self,
        records: Sequence[Record],
        *,
        now: datetime,
        payloads: Mapping[str, bytes] | None = None,
        transmissions: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Write records, and the attempts that led to them, in one transaction.

        Args:
            records: Each wholly, whether it exists yet or not.
            now: Becomes ``updated_at``, and ``created_at`` of new rows.
            payloads: By key: what the LMS has just confirmed, as canonical JSON.
            transmissions: Rows for the log; see :mod:`coursewire.audit.transmissions`.
        """
        payloads = payloads or {}
        with self._engine.begin() as connection:
            _upsert(connection, [_row(r, now) for r in records if r.content_key not in payloads])
            confirmed = [
                {**_row(r, now), "confirmed_payload": payloads[r.content_key].decode()}
                for r in records
                if r.content_key in payloads
            ]
            _upsert(connection, confirmed)
            if transmissions:
                connection.execute(insert(transmission), list(transmissions))

    def claim(self, keys: Sequence[str], *, job: UUID, now: datetime) -> None:
        """Mark planned records as being sent by ``job``, before anything of them leaves."""
        with self._engine.begin() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                connection.execute(
                    update(content_record)
                    .where(self._mine, content_record.c.content_key.in_(some))
                    .values(
                        state=State.SENDING.value,
                        job=job,
                        attempts=content_record.c.attempts + 1,
                        attempted_at=now,
                        source_version=None,
                        updated_at=now,
                    )
                )

    def counts(self) -> list[tuple[str, str | None, bool, int]]:
        """How many records there are by (state, reason, present)."""
        c = content_record.c
        query = select(c.state, c.reason, c.present, func.count()).where(self._mine)
        with self._engine.connect() as connection:
            rows = connection.execute(query.group_by(c.state, c.reason, c.present))
            return [(state, reason, bool(present), n) for state, reason, present, n in rows]


def _record(row: Row[Any]) -> Record:
    values = dict(row._mapping)
    values["state"] = State(values["state"])
    values["operation"] = Operation(values["operation"]) if values["operation"] else None
    values["catalogs"] = tuple(orjson.loads(values["catalogs"]))
    return Record(**values)


def _row(record: Record, now: datetime) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in _COLUMNS}
    values["state"] = record.state.value
    values["operation"] = record.operation.value if record.operation else None
    values["catalogs"] = orjson.dumps(record.catalogs).decode()
    values["created_at"] = record.created_at or now
    values["updated_at"] = now
    return values


def _upsert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert or overwrite rows by their key: one statement for all of them, on every database."""
    if not rows:
        return
    changing = [name for name in rows[0] if name not in (*_KEY, "created_at")]
    if connection.dialect.name in ("mysql", "mariadb"):
        into = mysql.insert(content_record)
        statement: Any = into.on_duplicate_key_update({name: into.inserted[name] for name in changing})
    else:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        upsert = dialect.insert(content_record)
        statement = upsert.on_conflict_do_update(
            index_elements=list(_KEY), set_={name: upsert.excluded[name] for name in changing}
        )
    connection.execute(statement, rows)

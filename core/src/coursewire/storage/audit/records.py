"""Records of what each LMS holds, read and written in bulk.

All functions are synchronous and meant for a worker thread; each is one short transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar
from uuid import UUID

import orjson
from more_itertools import batched
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from coursewire.model.kinds import Kind
from coursewire.model.payload import Operation, fingerprint
from coursewire.storage.audit.states import NEW, Event, RecordState, State, after
from coursewire.storage.database.upsert import upsert
from coursewire.storage.tables.records import content_record, outcome_record, transmission

KEYS_A_QUERY = 500
"""Keys in one IN list: below SQLite's and PostgreSQL's limits of bound values, with room to spare."""


@dataclass(slots=True, kw_only=True)
class Record:
    """A working copy of one row, without the confirmed payload: the fields that records of every kind have."""

    configuration: UUID
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
    updated_at: datetime | None = None

    @property
    def key(self) -> str:
        """Key of the record within its configuration and kind."""
        raise NotImplementedError

    @property
    def record_state(self) -> RecordState:
        """State, pending operation and presence, which events change."""
        return RecordState(self.state, self.operation, self.present)

    def happen(self, event: Event) -> None:
        """Apply an event: nothing else changes a record's state, operation and presence.

        Raises:
            ContractError: The event cannot happen in the present state.
        """
        self.state, self.operation, self.present = after(self.record_state, event)


@dataclass(slots=True, kw_only=True)
class ContentRecord(Record):
    """The record of one content item at one LMS."""

    content_key: str
    content_type: str = ""
    title: str = ""
    catalogs: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Key of the content item in the catalog."""
        return self.content_key


@dataclass(slots=True, kw_only=True)
class OutcomeRecord(Record):
    """The record of one outcome at one LMS; ``subsection`` is "" for an outcome of the whole enrollment."""

    kind: str
    enrollment: str
    course_key: str
    subsection: str = ""
    username: str
    evidence: str | None = None
    outcome_key: str = ""

    def __post_init__(self) -> None:
        self.outcome_key = self.outcome_key or outcome_key(self.enrollment, self.course_key, self.subsection)

    @property
    def key(self) -> str:
        """Key of the outcome: a digest of enrollment, course key and subsection."""
        return self.outcome_key


def outcome_key(enrollment: str, course_key: str, subsection: str) -> str:
    """Return the key of an outcome's record: a digest of three columns that together are too long for an index."""
    return fingerprint([enrollment, course_key, subsection])


class RecordSummary(NamedTuple):
    """The columns that decide if an item must be examined; a run reads them for every record."""

    key: str
    state: str
    operation: str | None
    present: bool
    source_version: str | None
    export_context: str | None
    examine_again_at: datetime | None
    not_before_at: datetime | None
    reason: str | None
    catalogs: str
    """JSON list for a content item, "" for an outcome."""


class Held(NamedTuple):
    """A content item that the LMS has or had: its key there, and if learners can see it."""

    remote_key: str
    present: bool


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class _Statements:
    """Prepared statements of one table, because building a statement takes longer than running it."""

    all: Select[Any]
    fetch: Select[Any]
    in_states: Select[Any]
    summaries: Select[Any]
    summary: Select[Any]
    confirmed: Select[Any]
    claim: Update


@cache
def _statements(kind: type[Records[Any]]) -> _Statements:
    table, mine = kind.table, kind.mine()
    key = table.c[kind.key_column]
    these = key.in_(bindparam("keys", expanding=True))
    whole = select(*(table.c[column.name] for column in fields(kind.record))).where(mine)
    catalogs = table.c.catalogs if "catalogs" in table.c else literal("")
    summaries = (
        select(key, *(table.c[name] for name in RecordSummary._fields[1:-1]), catalogs)
        .where(mine)
        .order_by(key)
    )
    payload = table.c.confirmed_payload
    return _Statements(
        all=whole,
        fetch=whole.where(these),
        in_states=whole.where(table.c.state.in_(bindparam("states", expanding=True))).order_by(key),
        summaries=summaries,
        summary=summaries.where(key == bindparam("key")),
        confirmed=select(key, payload).where(mine, these, payload.is_not(None)),
        claim=update(table)
        .where(mine, these)
        .values(state=State.SENDING.value, attempts=table.c.attempts + 1, source_version=None),
    )


def surely_present(table: Table) -> ColumnElement[int]:
    """Return the expression that is 1 for an item that the LMS is known to hold, and 0 for any other.

    A published item that was never confirmed does not count, since the LMS may not have fetched it. Nor does one that is
    in doubt and was never confirmed: it may not have arrived.

    Args:
        table: The table of the records.
    """
    c = table.c
    new = or_(c.operation == Operation.CREATE.value, c.confirmed_at.is_(None))
    unsure = c.state.in_([State.OFFERED.value, State.IN_DOUBT.value])
    return case((and_(unsure, new), 0), (c.present, 1), else_=0)


class Records(Generic[R]):
    """The records of one kind of one configuration."""

    table: ClassVar[Table]
    key_column: ClassVar[str]
    unique: ClassVar[tuple[str, ...]]
    """The columns that no two rows share."""
    record: type[R]

    def __init__(self, engine: Engine, configuration: UUID) -> None:
        self._engine = engine
        self.configuration = configuration
        self._columns = tuple(column.name for column in fields(self.record))
        self._statements = _statements(type(self))  # type: ignore[arg-type]  # a class can be hashed

    @property
    def _whose(self) -> dict[str, Any]:
        """Values for the parameters of :meth:`mine`."""
        return {"whose": self.configuration}

    @classmethod
    def mine(cls) -> ColumnElement[bool]:
        """Condition that selects these records in the table."""
        return cls.table.c.configuration == bindparam("whose")

    def scan(self, visit: Callable[[RecordSummary], None]) -> None:
        """Call ``visit`` with the summary of every record, in the order of the keys, without holding them in memory."""
        with self._engine.connect() as connection:
            streamed = connection.execution_options(yield_per=1000)
            for row in streamed.execute(self._statements.summaries, self._whose):
                visit(RecordSummary._make(row))

    def summary(self, key: str) -> RecordSummary | None:
        """Return the summary of one record; None if there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(self._statements.summary, {**self._whose, "key": key}).first()
        return RecordSummary._make(row) if row else None

    def fetch(self, keys: Sequence[str]) -> dict[str, R]:
        """Return the existing records of these keys, by key."""
        found: dict[str, R] = {}
        with self._engine.connect() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                rows = connection.execute(self._statements.fetch, {**self._whose, "keys": some})
                found.update((row._mapping[self.key_column], self._record(row)) for row in rows)
        return found

    def in_states(self, states: Iterable[State]) -> list[R]:
        """Return the records in any of these states, in the order of the keys."""
        values = {**self._whose, "states": [state.value for state in states]}
        with self._engine.connect() as connection:
            return [self._record(row) for row in connection.execute(self._statements.in_states, values)]

    def confirmed_payloads(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the payloads that the LMS last confirmed, by key; keys without a confirmation are left out."""
        found: dict[str, dict[str, Any]] = {}
        with self._engine.connect() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                rows = connection.execute(self._statements.confirmed, {**self._whose, "keys": some})
                found.update((key, orjson.loads(text)) for key, text in rows)
        return found

    def save(
        self,
        records: Sequence[R],
        *,
        now: datetime,
        payloads: Mapping[str, bytes] | None = None,
        transmissions: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Write records, and the attempts that led to them, in one transaction.

        Args:
            records: Records to insert or overwrite, each with all its fields.
            now: Instant for ``updated_at``, and for ``created_at`` of new rows.
            payloads: Payloads that the LMS has just confirmed, as canonical JSON, by key.
            transmissions: Rows for the log; see :mod:`coursewire.storage.audit.transmissions`.
        """
        payloads = payloads or {}
        with self._engine.begin() as connection:
            self.write(connection, [r for r in records if r.key not in payloads], now=now)
            confirmed = [
                {**self._row(r, now), "confirmed_payload": payloads[r.key].decode()}
                for r in records
                if r.key in payloads
            ]
            self._upsert(connection, confirmed)
            if transmissions:
                connection.execute(insert(transmission), list(transmissions))

    def write(self, connection: Connection, records: Sequence[R], *, now: datetime) -> None:
        """Write records within the caller's transaction; see :meth:`save`."""
        self._upsert(connection, [self._row(r, now) for r in records])

    def claim(
        self, keys: Sequence[str], *, job: UUID, now: datetime, only_if: ColumnElement[bool] | None = None
    ) -> bool:
        """Mark planned records as being sent by ``job``, before any request leaves.

        Args:
            keys: Keys of the records.
            job: The job that sends them.
            now: The present instant.
            only_if: Condition on which they are marked, such as that the job still has its lease; None for none.

        Returns:
            False when the condition did not hold, so that none was marked.
        """
        statement = self._statements.claim if only_if is None else self._statements.claim.where(only_if)
        with self._engine.begin() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                values = {**self._whose, "keys": some, "job": job, "attempted_at": now, "updated_at": now}
                if not connection.execute(statement, values).rowcount:
                    connection.rollback()
                    return False
        return True

    def count_in(self, state: State) -> int:
        """Return the number of records in a state."""
        query = (
            select(func.count()).select_from(self.table).where(self.mine(), self.table.c.state == state.value)
        )
        with self._engine.connect() as connection:
            return connection.execute(query, self._whose).scalar_one()

    def counts(self) -> list[tuple[str, str | None, bool, int]]:
        """Count the records by (state, reason, :func:`surely_present`)."""
        c = self.table.c
        there = surely_present(self.table).label("there")
        query = select(c.state, c.reason, there, func.count()).where(self.mine())
        with self._engine.connect() as connection:
            rows = connection.execute(query.group_by(c.state, c.reason, there), self._whose)
            return [(state, reason, bool(present), n) for state, reason, present, n in rows]

    def _record(self, row: Row[Any]) -> R:
        values = dict(row._mapping)
        values["state"] = State(values["state"])
        values["operation"] = Operation(values["operation"]) if values["operation"] else None
        return self.record(**values)

    def _row(self, record: R, now: datetime) -> dict[str, Any]:
        values = {name: getattr(record, name) for name in self._columns}
        values["state"] = record.state.value
        values["operation"] = record.operation.value if record.operation else None
        values["created_at"] = record.created_at or now
        values["updated_at"] = now
        return values

    def _upsert(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        upsert(connection, self.table, rows, key=self.unique, keep=("created_at",))


def records_of(engine: Engine, configuration: UUID, kind: Kind) -> Records[Any]:
    """Return the records of one kind of one configuration.

    Args:
        engine: The database.
        configuration: The configuration's id.
        kind: The kind.
    """
    if kind.is_outcome:
        return OutcomeRecords(engine, configuration, kind)
    return ContentRecords(engine, configuration)


class ContentRecords(Records[ContentRecord]):
    """The content records of one configuration."""

    table = content_record
    key_column = "content_key"
    unique = ("configuration", "content_key")
    record = ContentRecord

    def _record(self, row: Row[Any]) -> ContentRecord:
        found = super()._record(row)
        found.catalogs = tuple(orjson.loads(found.catalogs))  # type: ignore[arg-type]  # text until now
        return found

    def held(self, keys: Sequence[str]) -> dict[str, Held]:
        """Return the keys and presence of these items at the LMS; items that were never confirmed are left out."""
        c = self.table.c
        columns = (c.content_key, c.remote_key, c.present)
        ever = or_(c.present, c.confirmed_at.is_not(None))
        found: dict[str, Held] = {}
        with self._engine.connect() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                query = select(*columns).where(self.mine(), c.content_key.in_(some), ever)
                rows = connection.execute(query, self._whose)
                found.update((key, Held(name, bool(there))) for key, name, there in rows)
        return found

    def _row(self, record: ContentRecord, now: datetime) -> dict[str, Any]:
        return {**super()._row(record, now), "catalogs": orjson.dumps(record.catalogs).decode()}


class OutcomeRecords(Records[OutcomeRecord]):
    """The records of one kind of a configuration's outcomes."""

    table = outcome_record
    key_column = "outcome_key"
    unique = ("configuration", "kind", "outcome_key")
    record = OutcomeRecord

    def __init__(self, engine: Engine, configuration: UUID, kind: Kind) -> None:
        super().__init__(engine, configuration)
        self.kind = kind

    @property
    def _whose(self) -> dict[str, Any]:
        return {**super()._whose, "of_kind": self.kind.value}

    @classmethod
    def mine(cls) -> ColumnElement[bool]:
        """Condition that selects these records, of one kind, in the table."""
        return and_(super().mine(), cls.table.c.kind == bindparam("of_kind"))

    def of_enrollments(self, enrollments: Sequence[str]) -> dict[str, list[OutcomeRecord]]:
        """Return the records of these enrollments, by enrollment, oldest first."""
        found: dict[str, list[OutcomeRecord]] = {}
        c = self.table.c
        with self._engine.connect() as connection:
            for some in batched(enrollments, KEYS_A_QUERY):
                query = self._statements.all.where(c.enrollment.in_(some)).order_by(c.id)
                for row in connection.execute(query, self._whose):
                    record = self._record(row)
                    found.setdefault(record.enrollment, []).append(record)
        return found

    def of_lines(
        self, courses: Sequence[str], learners: Sequence[str], *, besides: Sequence[str]
    ) -> list[OutcomeRecord]:
        """Return the records of other enrollments of these learners in these courses, as the LMS knows both.

        Args:
            courses: Keys that the LMS knows courses by.
            learners: Ids that the LMS knows learners by.
            besides: Ids of enrollments that are left out; at most as many as a page has.
        """
        found: list[OutcomeRecord] = []
        c = self.table.c
        with self._engine.connect() as connection:
            for some in batched(learners, KEYS_A_QUERY):
                for places in batched(courses, KEYS_A_QUERY):
                    query = self._statements.all.where(c.remote_key.in_(some), c.course_key.in_(places))
                    for part in batched(besides, KEYS_A_QUERY):
                        query = query.where(c.enrollment.not_in(part))
                    found += map(self._record, connection.execute(query, self._whose))
        return found

    def drop(self, keys: Sequence[str]) -> None:
        """Delete records of outcomes that were never sent and now go by another key."""
        with self._engine.begin() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                never = self.table.c.attempted_at.is_(None)
                gone = delete(self.table).where(self.mine(), self.table.c.outcome_key.in_(some), never)
                connection.execute(gone, self._whose)

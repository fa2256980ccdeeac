"""Requeueing: a person lets items go again that wait, were refused or are in doubt."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from more_itertools import batched
from sqlalchemy import Connection, Engine, Table, Uuid, and_, insert, literal, select, true, update

from coursewire.model.kinds import Kind
from coursewire.model.payload import Operation
from coursewire.model.reasons import Reason
from coursewire.storage.audit import jobs
from coursewire.storage.audit.records import KEYS_A_QUERY
from coursewire.storage.audit.states import PLANS, Event, RecordState, State, after
from coursewire.storage.audit.transmissions import RELEASED
from coursewire.storage.database.engine import writing
from coursewire.storage.tables.records import content_record, outcome_record, transmission

FAILED_STATES = (State.FAILED, State.REJECTED, State.BLOCKED, State.IN_DOUBT)
"""States that a person may end."""

REQUEUEABLE = (*FAILED_STATES, State.PLANNED)
"""States from which a person may let items go again: those that failed, and those that wait for their time."""


def requeue(
    engine: Engine,
    configuration: UUID,
    *,
    states: Sequence[State],
    keys: Sequence[str] | None = None,
    actor: str,
    reason: str,
    now: datetime,
    kind: Kind = Kind.CONTENT,
) -> int:
    """Let the next run examine items again, without pause and even if their payload was refused before.

    An item in doubt counts as present at the LMS, as when a run reconciles it by sending again. Actor and reason
    go to the log of each item and to the list of jobs. Items that are being sent are never touched.

    Args:
        engine: The database.
        configuration: UUID of the configuration.
        states: States of the items that are requeued.
        keys: Keys of the items; None for all items in these states.
        actor: Name of the person, for the log.
        reason: Reason in the person's words; may be empty.
        now: The present instant.
        kind: Kind of the items.

    Returns:
        The number of items that were requeued.
    """
    job = uuid.uuid4()
    records = outcome_record if kind.is_outcome else content_record
    c = records.c
    key = c.outcome_key if kind.is_outcome else c.content_key
    mine = and_(
        c.configuration == configuration,
        c.kind == kind.value if kind.is_outcome else true(),
        c.state.in_([state.value for state in states if state is not State.SENDING]),
    )
    parts = [mine] if keys is None else [and_(mine, key.in_(some)) for some in batched(keys, KEYS_A_QUERY)]
    message = f"{actor}: {reason}" if reason else actor
    released = 0
    with writing(engine) as connection:
        for part in parts:
            columns = ("configuration", "kind", "item", "operation", "result", "message", "job", "at")
            noted = select(
                c.configuration,
                literal(kind.value),
                key,
                literal("retry"),
                literal(RELEASED),
                literal(message),
                literal(job, Uuid()),
                literal(now, transmission.c.at.type),
            ).where(part)
            connection.execute(insert(transmission).from_select(columns, noted))
            released += sum(
                _move(connection, records, part, before, now)
                for before in _record_states(connection, records, part)
            )
        if released:
            jobs.note_retry(
                connection,
                job,
                configuration=configuration,
                actor=actor,
                reason=reason,
                count=released,
                now=now,
            )
    return released


def end_pauses(engine: Engine, configuration: UUID, *, now: datetime) -> None:
    """Let the next run try again what failed, was refused or is blocked, since the connection has been seen to work.

    The records keep their state and attempts; only their pause ends.

    Args:
        engine: The database.
        configuration: UUID of the configuration.
        now: The present instant.
    """
    states = [state.value for state in FAILED_STATES if state is not State.IN_DOUBT]
    with writing(engine) as connection:
        for records in (content_record, outcome_record):
            c = records.c
            resting = and_(c.configuration == configuration, c.state.in_(states), c.not_before_at > now)
            connection.execute(update(records).where(resting).values(not_before_at=now, updated_at=now))


def _record_states(connection: Connection, records: Table, part: object) -> list[RecordState]:
    c = records.c
    rows = connection.execute(select(c.state, c.operation, c.present).where(part).distinct())  # type: ignore[arg-type]
    found = [
        RecordState(State(state), Operation(operation) if operation else None, bool(present))
        for state, operation, present in rows
    ]
    # Planned ones first: the others become such, and are not to be moved twice.
    return sorted(found, key=lambda before: before.state is not State.PLANNED)


def _move(connection: Connection, records: Table, part: object, before: RecordState, now: datetime) -> int:
    """Move all items of one state with one statement, and return their number; :func:`after` decides the new state."""
    c = records.c
    doubted = before.state is State.IN_DOUBT
    target = before
    if doubted:
        target = after(before, Event.RESEND)
    elif before.operation is not None:
        (event,) = (event for event, operation in PLANS.items() if operation is before.operation)
        target = after(before, event)
    values = {
        "state": target.state.value,
        "operation": target.operation.value if target.operation else None,
        "present": target.present,
        "source_version": None,
        "wanted_fingerprint": None,
        "not_before_at": None,
        "attempts": 0,
        "reason": Reason.RETRY,
        "message": None,
        "updated_at": now,
    }
    if doubted:
        values["confirmed_fingerprint"] = None  # what the LMS holds of it is not known
    pending = c.operation.is_(None) if before.operation is None else c.operation == before.operation.value
    moved = connection.execute(
        update(records)
        .where(part, c.state == before.state.value, pending, c.present.is_(before.present))  # type: ignore[arg-type]
        .values(values)
    )
    return moved.rowcount

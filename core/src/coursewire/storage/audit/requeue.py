"""Releasing items that wait, were refused or are in doubt, because a person says so."""

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
from coursewire.storage.audit.states import PLANS, Event, Standing, State, after
from coursewire.storage.audit.transmissions import RELEASED
from coursewire.storage.database.engine import writing
from coursewire.storage.tables.records import content_record, outcome_record, transmission

FAILED_STATES = (State.FAILED, State.REJECTED, State.BLOCKED, State.IN_DOUBT)
"""States that a person may end."""


def release(
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

    An item in doubt is taken to be at the LMS, as when a run settles it by sending again. Who asked, and why,
    goes to the log of each item and to the list of jobs. Items that are being sent are never touched.

    Args:
        engine: The database.
        configuration: Whose items.
        states: Only items in these states.
        keys: Only these items; None for all.
        actor: Who asks.
        reason: Why; may be empty.
        now: The present instant.
        kind: Of the items.

    Returns:
        How many items were released.
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
                _move(connection, records, part, standing, now)
                for standing in _standings(connection, records, part)
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


def _standings(connection: Connection, records: Table, part: object) -> list[Standing]:
    c = records.c
    rows = connection.execute(select(c.state, c.operation, c.present).where(part).distinct())  # type: ignore[arg-type]
    found = [
        Standing(State(state), Operation(operation) if operation else None, bool(present))
        for state, operation, present in rows
    ]
    # Planned ones first: the others become such, and are not to be moved twice.
    return sorted(found, key=lambda standing: standing.state is not State.PLANNED)


def _move(connection: Connection, records: Table, part: object, standing: Standing, now: datetime) -> int:
    """One statement for all items that stand alike; returns how many. What follows is decided in one place."""
    c = records.c
    doubted = standing.state is State.IN_DOUBT
    target = standing
    if doubted:
        target = after(standing, Event.RESEND)
    elif standing.operation is not None:
        (event,) = (event for event, operation in PLANS.items() if operation is standing.operation)
        target = after(standing, event)
    values = {
        "state": target.state.value,
        "operation": target.operation.value if target.operation else None,
        "present": target.present,
        "source_version": None,
        "wanted_fingerprint": None,
        "not_before_at": None,
        "attempts": 0,
        "reason": Reason.RETRY.value,
        "message": None,
        "updated_at": now,
    }
    if doubted:
        values["confirmed_fingerprint"] = None  # what the LMS holds of it is not known
    pending = c.operation.is_(None) if standing.operation is None else c.operation == standing.operation.value
    moved = connection.execute(
        update(records)
        .where(part, c.state == standing.state.value, pending, c.present.is_(standing.present))  # type: ignore[arg-type]
        .values(values)
    )
    return moved.rowcount

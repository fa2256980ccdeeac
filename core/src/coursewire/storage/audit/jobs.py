"""Stored jobs: runs of one kind for one configuration, and their summaries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Engine, bindparam, insert, or_, select, update

from coursewire.model.kinds import Kind
from coursewire.storage.audit.keyset import unindexed
from coursewire.storage.tables.records import job


class JobState(StrEnum):
    """Progress of a job."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    """It ended with an error of its own, beyond single items."""
    STOPPED = "stopped"
    """It was asked to stop, or its guard stopped it."""
    ABANDONED = "abandoned"
    """Its process died; a later run settled what it left."""


_ABANDON = (
    update(job)
    .where(
        job.c.configuration == bindparam("whose"),
        job.c.kind == bindparam("of_kind"),
        job.c.state == JobState.RUNNING.value,
    )
    .values(state=JobState.ABANDONED.value)
)
_FINISH = update(job).where(job.c.uuid == bindparam("which"))


def start(
    engine: Engine,
    uuid: UUID,
    *,
    kind: Kind,
    configuration: UUID,
    actor: str,
    options: Mapping[str, Any],
    now: datetime,
) -> None:
    """Store that a job runs; earlier jobs of its kind that still count as running are marked as gone, since it holds their lease."""
    with engine.begin() as connection:
        connection.execute(_ABANDON, {"of_kind": kind.value, "whose": configuration, "finished_at": now})
        connection.execute(
            insert(job),
            {
                "uuid": uuid,
                "kind": kind.value,
                "configuration": configuration,
                "state": JobState.RUNNING.value,
                "actor": actor,
                "options": orjson.dumps(dict(options)).decode(),
                "started_at": now,
            },
        )


def finish(
    engine: Engine,
    uuid: UUID,
    *,
    state: JobState,
    summary: Mapping[str, Any],
    now: datetime,
    error: str | None = None,
) -> None:
    """Store the end of a job: its state, summary and error."""
    with engine.begin() as connection:
        ended = {"state": state.value, "summary": orjson.dumps(dict(summary)).decode(), "error": error}
        connection.execute(_FINISH, {"which": uuid, "finished_at": now, **ended})


def note_retry(
    connection: Connection,
    uuid: UUID,
    *,
    configuration: UUID,
    actor: str,
    reason: str,
    count: int,
    now: datetime,
) -> None:
    """Store that a person requeued items; the kind of this job is ``"retry"``."""
    note_done(
        connection,
        uuid,
        kind="retry",
        configuration=configuration,
        actor=actor,
        options={"reason": reason},
        summary={"released": count},
        now=now,
    )


def note_done(
    connection: Connection,
    uuid: UUID,
    *,
    kind: str,
    configuration: UUID,
    actor: str,
    options: Mapping[str, Any],
    summary: Mapping[str, Any],
    now: datetime,
) -> None:
    """Store an action of a person that is no run and is complete.

    Args:
        connection: Connection in the transaction of the action.
        kind: Word for the action, at most 20 characters.
        options: Options of the action, without personal data.
        summary: Counts, without personal data.
    """
    connection.execute(
        insert(job).values(
            uuid=uuid,
            kind=kind,
            configuration=configuration,
            state=JobState.FINISHED.value,
            actor=actor,
            options=orjson.dumps(dict(options)).decode(),
            summary=orjson.dumps(dict(summary)).decode(),
            started_at=now,
            finished_at=now,
        )
    )


def recent(
    engine: Engine,
    *,
    configurations: Collection[UUID] | None = None,
    kind: Kind | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """Return the latest jobs, newest first, with ``summary`` and ``options`` as plain data.

    Args:
        engine: The database.
        configurations: UUIDs of the configurations whose jobs are wanted; None for all.
        kind: Kind of the jobs; None for all kinds.
        before: ``started_at`` and ``uuid`` of the last job of the page before; None for the first page.
        limit: Number of jobs at most.
    """
    c = job.c
    query = select(job).order_by(c.started_at.desc(), c.uuid).limit(limit)
    if configurations is not None:
        # Of one, an index has the jobs in their order; of several, the newest of all are looked through.
        mine = c.configuration.in_(configurations)
        query = query.where(mine if len(configurations) == 1 else unindexed(mine))
    if kind is not None:
        query = query.where(c.kind == kind.value)
    if before is not None:
        started_at, uuid = before
        # The first condition says nothing new, but an index can begin there.
        query = query.where(c.started_at <= started_at, or_(c.started_at < started_at, c.uuid > uuid))
    with engine.connect() as connection:
        return [_plain(dict(found._mapping)) for found in connection.execute(query)]


def find(engine: Engine, uuid: UUID) -> dict[str, Any] | None:
    """Return one job in the form of :func:`recent`; None if there is none."""
    with engine.connect() as connection:
        row = connection.execute(select(job).where(job.c.uuid == uuid)).first()
    return _plain(dict(row._mapping)) if row else None


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("summary", "options"):
        row[name] = orjson.loads(row[name]) if row[name] else None
    return row

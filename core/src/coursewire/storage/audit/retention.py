"""Retention: deleting transmissions and jobs that are older than they must be kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Engine, Table, delete, func, select

from coursewire.storage.tables.records import job, transmission

BATCH = 5000
"""Rows a transaction: short enough to let others write in between."""

KEYS_A_STATEMENT = 500
"""Keys in one IN list: older SQLite takes 999 values."""

Progress = Callable[[str, int], None]
"""Called after each transaction with the table's name and the rows deleted from it so far."""


def prune(
    engine: Engine, *, before: datetime, batch: int = BATCH, progress: Progress | None = None
) -> dict[str, int]:
    """Delete the transmissions, and the jobs that have ended, from before an instant.

    Records are never deleted: what the LMS holds stays known for ever. It may be interrupted and run again.

    Args:
        engine: The database.
        before: Instant; older rows are deleted.
        batch: Number of rows that one transaction deletes.
        progress: Function that is called with the phase and the numbers of rows done and of all rows.

    Returns:
        The numbers of rows deleted from ``transmission`` and ``job``.
    """
    ended_at = func.coalesce(job.c.finished_at, job.c.started_at)  # one that died has no end
    return {
        "transmission": _prune(engine, transmission.c.id, transmission.c.at < before, batch, progress),
        "job": _prune(engine, job.c.uuid, (job.c.state != "running") & (ended_at < before), batch, progress),
    }


def _prune(
    engine: Engine,
    key: Column[object],
    condition: ColumnElement[bool],
    batch: int,
    progress: Progress | None,
) -> int:
    table = key.table
    assert isinstance(table, Table)
    # The keys are read first: as a subquery, MariaDB would go through the whole table for each batch.
    oldest = select(key).where(condition).limit(batch)
    deleted = 0
    while True:
        with engine.begin() as connection:
            keys = connection.scalars(oldest).all()
            for start in range(0, len(keys), KEYS_A_STATEMENT):
                some = keys[start : start + KEYS_A_STATEMENT]
                connection.execute(delete(table).where(key.in_(some)))
        deleted += len(keys)
        if progress is not None and keys:
            progress(table.name, deleted)
        if len(keys) < batch:
            return deleted

"""The log of attempts: append only, one row for one item, kept for a set time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select

from coursewire.audit.tables import transmission
from coursewire.model.payload import Kind, Payload, Result

EXCERPT_LENGTH = 2000
"""Characters of an answer that are kept."""


def row(
    *,
    configuration: UUID,
    kind: Kind,
    job: UUID,
    payload: Payload,
    result: Result,
    batch: str,
    batch_size: int,
    duration_ms: int,
    at: datetime,
) -> dict[str, Any]:
    """The row for one attempt; write it with the record that it led to."""
    return {
        "configuration": configuration,
        "kind": kind.value,
        "item": payload.key,
        "operation": payload.operation.value,
        "result": result.kind.value,
        "reason": result.reason or None,
        "message": result.message[:EXCERPT_LENGTH] or None,
        "fingerprint": payload.fingerprint,
        "http_status": result.http_status,
        "excerpt": result.excerpt[:EXCERPT_LENGTH] or None,
        "duration_ms": duration_ms,
        "batch": batch or None,
        "batch_size": batch_size,
        "job": job,
        "at": at,
    }


def history(
    engine: Engine,
    *,
    configurations: Collection[UUID] | None = None,
    kind: Kind | None = None,
    item: str | None = None,
    job: UUID | None = None,
    result: str | None = None,
    since: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Attempts, newest first, at most ``limit``; go on with ``before_id`` of the last one."""
    t = transmission.c
    query = select(transmission).order_by(t.id.desc()).limit(limit)
    for column, value in (
        (t.kind, kind.value if kind else None),
        (t.item, item),
        (t.job, job),
        (t.result, result),
    ):
        if value is not None:
            query = query.where(column == value)
    if configurations is not None:
        query = query.where(t.configuration.in_(configurations))
    if since is not None:
        query = query.where(t.at >= since)
    if before_id is not None:
        query = query.where(t.id < before_id)
    with engine.connect() as connection:
        return [dict(found._mapping) for found in connection.execute(query)]


def stream(engine: Engine, *, configurations: Collection[UUID] | None = None) -> Iterator[dict[str, Any]]:
    """All attempts, oldest first, without holding them; of these configurations alone, where some are named."""
    query = select(transmission).order_by(transmission.c.id)
    if configurations is not None:
        query = query.where(transmission.c.configuration.in_(configurations))
    with engine.connect() as connection:
        for found in connection.execution_options(yield_per=1000).execute(query):
            yield dict(found._mapping)

"""The log of attempts: append only, one row for one item, kept for a set time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, func, select

from coursewire.model.kinds import Kind
from coursewire.model.payload import Payload, Result, ResultKind
from coursewire.storage.audit.keyset import latest, unindexed
from coursewire.storage.tables.records import transmission

EXCERPT_LENGTH = 2000
"""Characters of an answer that are kept."""

RELEASED = "released"
"""``result`` of an item that a person let be tried again; its ``operation`` is ``"retry"``."""

RESULTS = (*(each.value for each in ResultKind), RELEASED)
"""All that stands as a result."""

FEW = 20_000
"""Attempts that are looked at one by one."""


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
    """Return the row for one attempt, to be written with the record that it led to."""
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
    """Return one page of attempts, latest first; the next page begins before the ``id`` of the last one."""
    t = transmission.c
    asked = (
        (t.kind, kind.value if kind else None),
        (t.item, item),
        (t.job, job),
        (t.result, result),
    )
    fixed = [column == value for column, value in asked if value is not None]
    if configurations is not None and not configurations:
        return []
    if since is not None:
        young = _since(engine, since)
        if young is None:
            return []
        fixed += young
    several = configurations is not None and len(configurations) > 1
    if configurations is not None and not several:
        fixed += [t.configuration == one for one in configurations]
    if job is not None:
        # Its attempts are few; so are those of an item.
        fixed = [t.job == job, *(unindexed(each) for each in fixed)]
    if job is not None or item is not None:
        questions = [[*fixed, unindexed(t.configuration.in_(configurations or ()))] if several else fixed]
    elif several:
        questions = [[*fixed, t.configuration == each] for each in configurations or ()]
    elif configurations is None and kind is not None and result is None:
        # An index begins with the result, and there are few results.
        questions = [[*fixed, t.result == each] for each in RESULTS]
    else:
        questions = [fixed]
    return latest(engine, transmission, questions, before_id=before_id, limit=limit)


def _since(engine: Engine, since: datetime) -> list[ColumnElement[bool]] | None:
    """Return conditions for the attempts since an instant, such that the database does not read every older one.

    Ids rise nearly as instants do. If few attempts are that young, the least of their ids ends the search; if many
    are, the latest fill a page. The result is None if there is no such attempt.
    """
    t = transmission.c
    young = select(t.id, t.at).where(t.at >= since).order_by(t.at.desc()).limit(FEW + 1).subquery()
    with engine.connect() as connection:
        count, least = connection.execute(select(func.count(), func.min(young.c.id))).one()
    conditions = [t.at >= since]
    if count == 0:
        return None
    if count <= FEW:
        conditions.append(t.id >= least)
    return conditions

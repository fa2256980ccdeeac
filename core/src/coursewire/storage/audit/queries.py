"""Queries over records and attempts: pages by id, with filters, over all configurations that a person may see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Engine, Table, func, select

from coursewire.model.kinds import OUTCOMES
from coursewire.storage.audit.keyset import latest, unindexed
from coursewire.storage.audit.records import surely_present
from coursewire.storage.audit.states import State
from coursewire.storage.tables.records import content_record, outcome_record, transmission

HIDDEN = frozenset({"confirmed_payload", "export_context", "source_version", "batch_cap"})
"""Columns that are core's own business, or large."""


def page(
    engine: Engine,
    table: Table,
    *,
    configurations: Collection[UUID] | None,
    equal: dict[str, Any] | None = None,
    search: str = "",
    search_in: Sequence[str] = (),
    before_id: int | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Return one page of rows, latest first; the next page begins before the ``id`` of the last row.

    Args:
        engine: The database.
        table: ``content_record``, ``outcome_record`` or ``transmission``.
        configurations: UUIDs of the configurations whose rows are wanted; None for all.
        equal: Values by column; a column with the value None is not compared.
        search: Text that one of the columns ``search_in`` begins with, capitals included.
        search_in: Columns that are searched.
        before_id: The ``id`` of the last row of the page before; None for the first page.
        limit: Number of rows at most.
    """
    c = table.c
    fixed = {name: value for name, value in (equal or {}).items() if value is not None}
    conditions = tuple(c[name] == fixed[name] for name in sorted(fixed))
    if search:
        if configurations is not None:
            conditions += (c.configuration.in_(configurations),)
        asked_of = tuple(map(unindexed, conditions))
        questions = [(*asked_of, _begins(c[name], search)) for name in search_in]
    else:
        questions = [conditions]
        if fixed and "state" not in fixed and (configurations is None or "reason" in fixed):
            # Indexes begin with the state, and there are few states.
            questions = [(*each, c.state == state.value) for each in questions for state in State]
        if table is outcome_record and configurations is not None and "kind" not in fixed and fixed:
            questions = [(*each, c.kind == kind.value) for each in questions for kind in OUTCOMES]
        if configurations is not None:
            questions = [(*each, c.configuration == one) for each in questions for one in configurations]
    columns = [column for column in table.columns if column.name not in HIDDEN]
    return latest(
        engine,
        table,
        questions,
        columns=columns,
        before_id=before_id,
        limit=limit,
        overlapping=bool(search) and len(search_in) > 1,
    )


def _begins(column: Column[Any], text: str) -> ColumnElement[bool]:
    # A range, unlike LIKE, is answered from an index whatever the collation.
    return (column >= text) & (column < text + "\U0010ffff")


def by_state(engine: Engine, table: Table, configurations: Collection[UUID] | None) -> list[tuple[Any, ...]]:
    """Count the records by (configuration, state, reason, surely present)."""
    c = table.c
    keys = (c.configuration, c.state, c.reason, surely_present(table).label("there"))
    query = select(*keys, func.count()).group_by(*keys)
    if configurations is not None:
        query = query.where(c.configuration.in_(configurations))
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


TABLES = {"content": content_record, "outcomes": outcome_record, "transmissions": transmission}

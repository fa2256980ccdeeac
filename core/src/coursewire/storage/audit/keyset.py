"""Keyset pages: the latest rows that match, each condition answered from an index however far back the page is.

A list over several configurations, states or columns is one query for each of them. Every query reads no more rows
than the page has, and the latest rows of all queries are the page. A single query with ``IN`` would read either every
row that matches, or every row that is newer than the matching ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from more_itertools import batched
from sqlalchemy import ColumnElement, Engine, Table, case, select, union, union_all

QUESTIONS_A_QUERY = 100
"""SQLite takes 500 parts of a union, PostgreSQL plans for as long as they are many."""

Conditions = Sequence[ColumnElement[bool]]


def unindexed(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition for which the database chooses no index, so that it filters what another index finds."""
    return case((condition, 1), else_=0) == 1


def latest(
    engine: Engine,
    table: Table,
    questions: Iterable[Conditions],
    *,
    columns: Sequence[ColumnElement[Any]] | None = None,
    before_id: int | None = None,
    limit: int,
    overlapping: bool = False,
) -> list[dict[str, Any]]:
    """Return one page of the rows that match any of the conditions, latest first.

    Args:
        engine: The database.
        table: Table with a column ``id``.
        questions: Alternative conditions; an index answers each of them in the order of the ids.
        columns: Columns of the result; None for all.
        before_id: The ``id`` of the last row of the page before; None for the first page.
        limit: Number of rows at most.
        overlapping: True if a row may match several conditions.
    """
    c = table.c
    older = () if before_id is None else (c.id < before_id,)
    merge = union if overlapping else union_all
    found: dict[int, dict[str, Any]] = {}
    with engine.connect() as connection:
        for some in batched(questions, QUESTIONS_A_QUERY):
            # Ids first, so that indexes alone answer, and rows are read for one page only.
            parts = [
                select(select(c.id).where(*each, *older).order_by(c.id.desc()).limit(limit).subquery().c.id)
                for each in some
            ]
            ids = (parts[0] if len(parts) == 1 else merge(*parts)).subquery()
            ids = select(ids.c.id).order_by(ids.c.id.desc()).limit(limit).subquery()
            query = select(*(columns or table.columns)).join_from(ids, table, c.id == ids.c.id)
            for row in connection.execute(query.order_by(ids.c.id.desc())):
                found[row.id] = dict(row._mapping)
    return [found[key] for key in sorted(found, reverse=True)[:limit]]

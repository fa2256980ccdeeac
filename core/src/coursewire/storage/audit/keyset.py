"""The newest rows that fit, each question answered from an index however far back they are.

A list over several configurations, states or columns is one question for each of them, of which every one
needs as many rows as the page has and stops there; the newest of all of them are the page. A database that is
asked with ``IN`` reads either everything that fits, or everything that is newer than what fits.
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
    """A condition that no index is chosen for: it is asked of what another one has found."""
    return case((condition, 1), else_=0) == 1


def newest(
    engine: Engine,
    table: Table,
    questions: Iterable[Conditions],
    *,
    columns: Sequence[ColumnElement[Any]] | None = None,
    before_id: int | None = None,
    limit: int,
    overlapping: bool = False,
) -> list[dict[str, Any]]:
    """Rows that one of the questions fits, the newest first.

    Args:
        engine: The database.
        table: With a column ``id``.
        questions: Conditions that hold together; an index answers each, in the order of the ids.
        columns: What is wanted of the rows; None for all.
        before_id: Only older rows.
        limit: The most rows.
        overlapping: A row may fit several questions.
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

"""Loading of a bundle into the embedded source: an upsert that streams, and that writes only differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from coursewire.errors import DatabaseError
from coursewire.sources.bundle import Bundle, Problem
from coursewire.sources.database.questions import chunks, in_keys, look_up, short_cause
from coursewire.sources.database.targets import TARGETS, Target
from coursewire.storage.tables.source import source_catalog_item, source_content

if TYPE_CHECKING:
    import os

    from sqlalchemy import Connection, Engine

    from coursewire.sources.rows import CatalogRow

KEPT_PROBLEMS = 1000
"""Number of problems that a report keeps in full; the rest is only counted."""

Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class FileReport:
    """Counts of the lines of one file."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0


@dataclass(slots=True)
class LoadReport:
    """Result of loading a bundle.

    Attributes:
        files: Counts of each file of the bundle, by name without ``.jsonl``.
        problems: Faults of refused lines, the first 1000.
        warnings: Sentences for a person about lines that were loaded all the same.
    """

    files: dict[str, FileReport] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Number of refused lines in all files."""
        return sum(file.refused for file in self.files.values())

    @property
    def written(self) -> int:
        """Number of new or changed lines in all files."""
        return sum(file.new + file.changed for file in self.files.values())

    def refuse(self, name: str, problem: Problem) -> None:
        """Count a refused line, and keep the reason while there is room."""
        self.files[name].refused += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)


def load_bundle(
    engine: Engine, path: str | os.PathLike[str], *, progress: Progress | None = None
) -> LoadReport:
    """Load a bundle into the embedded source.

    A line replaces the earlier line with the same key, and all its lists: a catalog's line names the keys that the
    catalog holds now. A line that is no longer in the file takes nothing away. Lines are written in pages, each in a
    transaction of its own; a page without differences writes nothing.

    Args:
        engine: The database, at the current schema.
        path: Folder of the bundle.
        progress: Function that is called after each page with the file's name, the lines done and the lines in all.

    Returns:
        Counts by file, refused lines with their reasons, and warnings.

    Raises:
        BundleError: The bundle or one of its files cannot be read.
        DatabaseError: The database failed. Earlier pages stay loaded, and loading again completes them.
    """
    bundle = Bundle(path)
    report = LoadReport()
    for name in bundle.unknown_files:
        report.warnings.append(f"{name} is no file of a bundle and was not read")
    for name in bundle.files:
        report.files[name] = FileReport()
        _load_file(engine, bundle, name, report, progress)
    return report


def _load_file(
    engine: Engine, bundle: Bundle, name: str, report: LoadReport, progress: Progress | None
) -> None:
    target = TARGETS[name]
    total = bundle.count_lines(name) if progress else 0
    lines = bundle.rows(name)
    while page := list(islice(lines, target.page_lines)):
        first, last = page[0][0], page[-1][0]
        try:
            with engine.begin() as connection:
                _load_page(connection, target, name, page, report)
        except SQLAlchemyError as error:
            raise DatabaseError(
                "the bundle was loaded only in part",
                where=f"{name}.jsonl, lines {first} to {last}",
                why=short_cause(error),
                next_step="What came before these lines is loaded. Put the database right and load again; "
                "lines that are loaded already are left as they are.",
            ) from error
        if progress:
            progress(name, last, total)


def _load_page(
    connection: Connection,
    target: Target,
    name: str,
    page: Sequence[tuple[int, Any]],
    report: LoadReport,
) -> None:
    rows: list[tuple[int, Any]] = []
    for number, row in page:
        if isinstance(row, Problem):
            report.refuse(name, row)
        else:
            rows.append((number, row))
    objections = target.objections(connection, [row for _, row in rows])
    sound = []
    for (number, row), objection in zip(rows, objections, strict=True):
        if objection:
            report.refuse(name, Problem(f"{name}.jsonl", number, *objection))
        else:
            sound.append(row)
    _store(connection, target, sound, report.files[name])
    if name == "catalogs":
        report.warnings += _waiting(connection, sound)


def _store(connection: Connection, target: Target, rows: Sequence[Any], counts: FileReport) -> None:
    """Insert new rows and update rows that differ."""
    table = target.table
    key_columns = [table.c[name] for name in target.key]
    lines = [(row, {**target.values(row), "version": row.version}) for row in rows]
    keys = [tuple(values[name] for name in target.key) for _, values in lines]
    held = look_up(connection, key_columns, keys, table.c.version)
    new = [line for line, key in zip(lines, keys, strict=True) if key not in held]
    changed = [
        (key, line)
        for line, key in zip(lines, keys, strict=True)
        if key in held and held[key] != line[1]["version"]
    ]
    counts.new += len(new)
    counts.changed += len(changed)
    counts.unchanged += len(lines) - len(new) - len(changed)
    if new:
        connection.execute(insert(table), [values for _, values in new])
    if changed:
        same_row = [column == bindparam(f"key_{column.name}") for column in key_columns]
        others = {
            name: bindparam(f"to_{name}", type_=table.c[name].type)
            for name in changed[0][1][1]
            if name not in target.key
        }
        connection.execute(
            update(table).where(*same_row).values(others),
            [
                {f"{'key' if name in target.key else 'to'}_{name}": value for name, value in values.items()}
                for _, (_, values) in changed
            ],
        )
    for members in target.members:
        owner = [members.table.c[name] for name in members.owner]
        for chunk in chunks([key for key, _ in changed]):
            connection.execute(delete(members.table).where(in_keys(owner, chunk)))
        parts = [part for row, _ in (*new, *(line for _, line in changed)) for part in members.values(row)]
        if parts:
            connection.execute(insert(members.table), parts)


def _waiting(connection: Connection, rows: Sequence[CatalogRow]) -> list[str]:
    """Return a warning for each catalog that names content which was not loaded."""
    warnings = []
    for row in rows:
        missing = connection.scalars(
            select(source_catalog_item.c.content_key)
            .outerjoin(source_content, source_content.c.content_key == source_catalog_item.c.content_key)
            .where(source_catalog_item.c.catalog == row.uuid, source_content.c.content_key.is_(None))
            .order_by(source_catalog_item.c.content_key)
        ).all()
        if missing:
            first = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
            warnings.append(
                f"catalog {row.title!r} ({row.uuid}) waits for the content of {len(missing)} of its "
                f"{len(row.content_keys)} items: {first}"
            )
    return warnings

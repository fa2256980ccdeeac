"""Indexes for looking through records, attempts and jobs: every list and every count is answered from one."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

_NEW: dict[str, tuple[tuple[str, ...], ...]] = {
    "transmission": (
        ("item", "configuration", "kind", "id"),
        ("job", "id"),
        ("at", "configuration", "result"),
        ("configuration", "id", "result", "kind", "at"),
        ("result", "id", "kind"),
    ),
    "content_record": (
        ("configuration", "state", "id", "reason", "present"),
        ("configuration", "id"),
        ("state", "id", "reason"),
        ("content_key", "configuration", "id"),
    ),
    "outcome_record": (
        ("configuration", "kind", "state", "id", "reason", "present"),
        ("configuration", "id"),
        ("state", "id", "kind", "reason"),
        ("reason", "configuration", "username"),
        ("username", "configuration", "id"),
        ("course_key", "configuration", "id"),
    ),
}

_OLD: dict[str, tuple[tuple[str, ...], ...]] = {
    "transmission": (("configuration", "kind", "item", "id"), ("job",), ("at",)),
    "content_record": (("configuration", "state"),),
    "outcome_record": (("configuration", "kind", "state"), ("username",)),
}
"""Indexes that a new one begins with, and indexes that no query needs any more."""


def upgrade() -> None:
    """Make the new ones first: MySQL wants one under each foreign key at every moment."""
    for table, indexes in _NEW.items():
        for columns in indexes:
            op.create_index(_name(table, columns), table, list(columns))
    for table, indexes in _OLD.items():
        for columns in indexes:
            op.drop_index(_name(table, columns), table)


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"

"""The tables of learners' launches and of OAuth states get the names of what they hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coursewire.storage.database.migrations.options import TABLE_OPTIONS as _OPTIONS
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables anew and copy their rows, since the databases rename keys and indexes each in its own way."""
    op.create_table(
        "launch",
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("course_key", key_text(255), nullable=False),
        sa.Column("remote_id", key_text(255), nullable=False),
        sa.Column("callback", key_text(500), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(65535), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("configuration", "username", "course_key", name="pk_launch"),
        _of_configuration("launch"),
        **_OPTIONS,
    )
    op.create_table(
        "oauth_state",
        sa.Column("state", key_text(64), nullable=False),
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("session", key_text(64), nullable=False),
        sa.Column("redirect_uri", long_text(), nullable=False),
        sa.Column("verifier", sa.LargeBinary(65535), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("state", name="pk_oauth_state"),
        _of_configuration("oauth_state"),
        **_OPTIONS,
    )
    _move(
        "hand_over",
        "launch",
        ("configuration", "username", "course_key", "remote_id", "callback", "ciphertext", "received_at"),
    )
    _move(
        "grant_state",
        "oauth_state",
        ("state", "configuration", "session", "redirect_uri", "verifier", "expires_at", "used_at"),
    )
    op.create_index("ix_launch_configuration_received_at", "launch", ["configuration", "received_at"])
    op.create_index("ix_oauth_state_configuration", "oauth_state", ["configuration"])
    op.create_index("ix_oauth_state_expires_at", "oauth_state", ["expires_at"])


def _move(old: str, new: str, columns: tuple[str, ...]) -> None:
    before = sa.table(old, *map(sa.column, columns))
    after = sa.table(new, *map(sa.column, columns))
    op.execute(after.insert().from_select(list(columns), sa.select(*before.c)))
    op.drop_table(old)


def _of_configuration(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["configuration"], ["configuration.uuid"], name=f"fk_{table}_configuration", ondelete="CASCADE"
    )

"""Grants of access that an administrator has begun and not finished."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coursewire.storage.database.migrations.options import TABLE_OPTIONS as _OPTIONS
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "grant_state",
        sa.Column("state", key_text(64), nullable=False),
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("session", key_text(64), nullable=False),
        sa.Column("redirect_uri", long_text(), nullable=False),
        sa.Column("verifier", sa.LargeBinary(65535), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["configuration"],
            ["configuration.uuid"],
            name="fk_grant_state_configuration",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("state", name="pk_grant_state"),
        **_OPTIONS,
    )
    op.create_index("ix_grant_state_configuration", "grant_state", ["configuration"])
    op.create_index("ix_grant_state_expires_at", "grant_state", ["expires_at"])

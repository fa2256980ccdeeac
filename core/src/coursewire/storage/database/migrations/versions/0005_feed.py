"""Items that lie ready for an LMS that fetches by itself, and launches of learners from there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coursewire.storage.database.migrations.options import TABLE_OPTIONS as _OPTIONS
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "feed",
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("latest_at", UtcDateTime(), nullable=True),
        sa.Column("polled_at", UtcDateTime(), nullable=True),
        sa.Column("polled_since_at", UtcDateTime(), nullable=True),
        sa.Column("window_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("configuration", name="pk_feed"),
        _of_configuration("feed"),
        **_OPTIONS,
    )
    op.create_table(
        "feed_item",
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("content_key", key_text(255), nullable=False),
        sa.Column("remote_key", key_text(255), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("fingerprint", key_text(40), nullable=False),
        sa.Column("body", long_text(), nullable=False),
        sa.Column("job", sa.Uuid(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("shown_at", UtcDateTime(), nullable=True),
        sa.Column("first_served_at", UtcDateTime(), nullable=True),
        sa.Column("served_at", UtcDateTime(), nullable=True),
        sa.Column("last_served_at", UtcDateTime(), nullable=True),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("configuration", "content_key", name="pk_feed_item"),
        _of_configuration("feed_item"),
        **_OPTIONS,
    )
    op.create_index("ix_feed_item_configuration_changed_at", "feed_item", ["configuration", "changed_at"])
    op.create_index(
        "ix_feed_item_configuration_acknowledged_at", "feed_item", ["configuration", "acknowledged_at"]
    )
    op.create_table(
        "hand_over",
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("course_key", key_text(255), nullable=False),
        sa.Column("remote_id", key_text(255), nullable=False),
        sa.Column("callback", key_text(500), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(65535), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("configuration", "username", "course_key", name="pk_hand_over"),
        _of_configuration("hand_over"),
        **_OPTIONS,
    )
    op.create_index("ix_hand_over_configuration_received_at", "hand_over", ["configuration", "received_at"])


def _of_configuration(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["configuration"], ["configuration.uuid"], name=f"fk_{table}_configuration", ondelete="CASCADE"
    )

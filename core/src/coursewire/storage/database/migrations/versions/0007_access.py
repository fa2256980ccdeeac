"""Accounts, API tokens, their rights, and console sessions of the host service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coursewire.storage.database.migrations.options import TABLE_OPTIONS as _OPTIONS
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account",
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("name", key_text(255), nullable=False),
        sa.Column("password_hash", long_text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until_at", UtcDateTime(), nullable=True),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
        **_OPTIONS,
    )
    op.create_table(
        "api_token",
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("name", key_text(255), nullable=False),
        sa.Column("digest", key_text(64), nullable=False),
        sa.Column("created_by", key_text(255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("uuid", name="pk_api_token"),
        sa.UniqueConstraint("digest", name="uq_api_token_digest"),
        **_OPTIONS,
    )
    op.create_table(
        "access_grant",
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("role", key_text(20), nullable=False),
        sa.Column("customer", key_text(36), nullable=False),
        sa.PrimaryKeyConstraint("holder", "role", "customer", name="pk_access_grant"),
        **_OPTIONS,
    )
    op.create_table(
        "console_session",
        sa.Column("digest", key_text(64), nullable=False),
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("csrf", key_text(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_console_session"),
        **_OPTIONS,
    )
    op.create_index("ix_console_session_account", "console_session", ["account"])
    op.create_index("ix_console_session_expires_at", "console_session", ["expires_at"])

"""Configurations, records, the log of transmissions, jobs, leases and limits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coursewire.storage.database.migrations.options import TABLE_OPTIONS as _OPTIONS
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text

revision = "0001"
down_revision = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up only INTEGER keys


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "configuration",
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("channel", key_text(30), nullable=False),
        sa.Column("customer", key_text(36), nullable=False),
        sa.Column("fields", long_text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("needs_reconnect_since_at", UtcDateTime(), nullable=True),
        sa.Column("needs_reconnect_reason", long_text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("uuid", name="pk_configuration"),
        **_OPTIONS,
    )
    op.create_index("ix_configuration_customer_channel", "configuration", ["customer", "channel"])
    op.create_table(
        "configuration_history",
        sa.Column("id", _BIG_ID, nullable=False, autoincrement=True),
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action", key_text(20), nullable=False),
        sa.Column("actor", key_text(255), nullable=False),
        sa.Column("changes", long_text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_configuration_history"),
        **_OPTIONS,
    )
    op.create_index("ix_configuration_history_configuration", "configuration_history", ["configuration"])
    op.create_table(
        "job",
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("kind", key_text(20), nullable=False),
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("state", key_text(20), nullable=False),
        sa.Column("actor", key_text(255), nullable=False),
        sa.Column("options", long_text(), nullable=False),
        sa.Column("summary", long_text(), nullable=True),
        sa.Column("error", long_text(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("uuid", name="pk_job"),
        **_OPTIONS,
    )
    op.create_index("ix_job_configuration_started_at", "job", ["configuration", "started_at"])
    op.create_index("ix_job_started_at", "job", ["started_at"])
    op.create_table(
        "lease",
        sa.Column("name", key_text(120), nullable=False),
        sa.Column("owner", key_text(64), nullable=True),
        sa.Column("process", key_text(255), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("acquired_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
        **_OPTIONS,
    )
    op.create_table(
        "limit",
        sa.Column("bucket", key_text(255), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("resets_at", UtcDateTime(), nullable=False),
        sa.Column("closed_until_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("bucket", name="pk_limit"),
        **_OPTIONS,
    )
    op.create_table(
        "transmission",
        sa.Column("id", _BIG_ID, nullable=False, autoincrement=True),
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("kind", key_text(20), nullable=False),
        sa.Column("item", key_text(255), nullable=False),
        sa.Column("operation", key_text(10), nullable=False),
        sa.Column("result", key_text(30), nullable=False),
        sa.Column("reason", key_text(60), nullable=True),
        sa.Column("message", long_text(), nullable=True),
        sa.Column("fingerprint", key_text(40), nullable=True),
        sa.Column("http_status", sa.SmallInteger(), nullable=True),
        sa.Column("excerpt", long_text(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("batch", key_text(32), nullable=True),
        sa.Column("batch_size", sa.Integer(), nullable=True),
        sa.Column("job", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transmission"),
        **_OPTIONS,
    )
    op.create_index("ix_transmission_at", "transmission", ["at"])
    op.create_index(
        "ix_transmission_configuration_kind_item_id", "transmission", ["configuration", "kind", "item", "id"]
    )
    op.create_index("ix_transmission_job", "transmission", ["job"])
    op.create_table(
        "configuration_secret",
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("name", key_text(100), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(65535), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("configuration", "name", name="pk_configuration_secret"),
        sa.ForeignKeyConstraint(
            ["configuration"],
            ["configuration.uuid"],
            name="fk_configuration_secret_configuration",
            ondelete="CASCADE",
        ),
        **_OPTIONS,
    )
    op.create_table(
        "content_record",
        sa.Column("id", _BIG_ID, nullable=False, autoincrement=True),
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("content_key", key_text(255), nullable=False),
        sa.Column("content_type", key_text(20), nullable=False),
        sa.Column("title", long_text(), nullable=False),
        sa.Column("catalogs", long_text(), nullable=False),
        sa.Column("state", key_text(20), nullable=False),
        sa.Column("operation", key_text(10), nullable=True),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("remote_key", key_text(255), nullable=False),
        sa.Column("remote_id", key_text(255), nullable=True),
        sa.Column("wanted_fingerprint", key_text(40), nullable=True),
        sa.Column("confirmed_fingerprint", key_text(40), nullable=True),
        sa.Column("confirmed_payload", long_text(), nullable=True),
        sa.Column("source_version", key_text(64), nullable=True),
        sa.Column("export_context", key_text(16), nullable=True),
        sa.Column("examine_again_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before_at", UtcDateTime(), nullable=True),
        sa.Column("batch_cap", sa.Integer(), nullable=True),
        sa.Column("reason", key_text(60), nullable=True),
        sa.Column("message", long_text(), nullable=True),
        sa.Column("job", sa.Uuid(), nullable=True),
        sa.Column("attempted_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_content_record"),
        sa.UniqueConstraint(
            "configuration", "content_key", name="uq_content_record_configuration_content_key"
        ),
        sa.ForeignKeyConstraint(
            ["configuration"],
            ["configuration.uuid"],
            name="fk_content_record_configuration",
            ondelete="CASCADE",
        ),
        **_OPTIONS,
    )
    op.create_index("ix_content_record_configuration_state", "content_record", ["configuration", "state"])
    op.create_table(
        "identity_link",
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("state", key_text(20), nullable=False),
        sa.Column("remote_id", key_text(255), nullable=True),
        sa.Column("provider", key_text(255), nullable=True),
        sa.Column("origin", key_text(60), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("configuration", "username", name="pk_identity_link"),
        sa.ForeignKeyConstraint(
            ["configuration"],
            ["configuration.uuid"],
            name="fk_identity_link_configuration",
            ondelete="CASCADE",
        ),
        **_OPTIONS,
    )
    op.create_index("ix_identity_link_configuration_state", "identity_link", ["configuration", "state"])
    op.create_table(
        "key_map",
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("content_key", key_text(255), nullable=False),
        sa.Column("remote_key", key_text(255), nullable=False),
        sa.PrimaryKeyConstraint("configuration", "content_key", name="pk_key_map"),
        sa.UniqueConstraint("configuration", "remote_key", name="uq_key_map_configuration_remote_key"),
        sa.ForeignKeyConstraint(
            ["configuration"], ["configuration.uuid"], name="fk_key_map_configuration", ondelete="CASCADE"
        ),
        **_OPTIONS,
    )
    op.create_table(
        "outcome_record",
        sa.Column("id", _BIG_ID, nullable=False, autoincrement=True),
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("outcome_key", key_text(40), nullable=False),
        sa.Column("kind", key_text(20), nullable=False),
        sa.Column("enrollment", key_text(64), nullable=False),
        sa.Column("course_key", key_text(255), nullable=False),
        sa.Column("subsection", key_text(255), nullable=False),
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("evidence", long_text(), nullable=True),
        sa.Column("state", key_text(20), nullable=False),
        sa.Column("operation", key_text(10), nullable=True),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("remote_key", key_text(255), nullable=False),
        sa.Column("remote_id", key_text(255), nullable=True),
        sa.Column("wanted_fingerprint", key_text(40), nullable=True),
        sa.Column("confirmed_fingerprint", key_text(40), nullable=True),
        sa.Column("confirmed_payload", long_text(), nullable=True),
        sa.Column("source_version", key_text(64), nullable=True),
        sa.Column("export_context", key_text(16), nullable=True),
        sa.Column("examine_again_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before_at", UtcDateTime(), nullable=True),
        sa.Column("batch_cap", sa.Integer(), nullable=True),
        sa.Column("reason", key_text(60), nullable=True),
        sa.Column("message", long_text(), nullable=True),
        sa.Column("job", sa.Uuid(), nullable=True),
        sa.Column("attempted_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outcome_record"),
        sa.UniqueConstraint(
            "configuration", "enrollment", "course_key", "subsection", name="uq_outcome_record_key"
        ),
        sa.UniqueConstraint(
            "configuration", "outcome_key", name="uq_outcome_record_configuration_outcome_key"
        ),
        sa.ForeignKeyConstraint(
            ["configuration"],
            ["configuration.uuid"],
            name="fk_outcome_record_configuration",
            ondelete="CASCADE",
        ),
        **_OPTIONS,
    )
    op.create_index(
        "ix_outcome_record_configuration_kind_state", "outcome_record", ["configuration", "kind", "state"]
    )
    op.create_index("ix_outcome_record_username", "outcome_record", ["username"])
    op.create_table(
        "token",
        sa.Column("configuration", sa.Uuid(), nullable=False),
        sa.Column("subject", key_text(64), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(65535), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("configuration", "subject", name="pk_token"),
        sa.ForeignKeyConstraint(
            ["configuration"], ["configuration.uuid"], name="fk_token_configuration", ondelete="CASCADE"
        ),
        **_OPTIONS,
    )

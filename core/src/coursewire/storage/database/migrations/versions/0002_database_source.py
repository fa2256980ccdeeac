"""The embedded source: customers, catalogs, content, learners and results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coursewire.storage.database.migrations.options import TABLE_OPTIONS as _OPTIONS
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text

revision = "0002"
down_revision = "0001"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up only INTEGER keys


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "source_certificate",
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("course_id", key_text(255), nullable=False),
        sa.Column("status", key_text(50), nullable=False),
        sa.Column("is_passing", sa.Boolean(), nullable=True),
        sa.Column("grade", key_text(255), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=True),
        sa.Column("modified_at", UtcDateTime(), nullable=True),
        sa.Column("version", key_text(40), nullable=False),
        sa.PrimaryKeyConstraint("username", "course_id", name="pk_source_certificate"),
        **_OPTIONS,
    )
    op.create_table(
        "source_content",
        sa.Column("content_key", key_text(255), nullable=False),
        sa.Column("content_type", key_text(20), nullable=False),
        sa.Column("title", long_text(), nullable=False),
        sa.Column("version", key_text(40), nullable=False),
        sa.Column("modified_at", UtcDateTime(), nullable=True),
        sa.Column("data", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("content_key", name="pk_source_content"),
        **_OPTIONS,
    )
    op.create_table(
        "source_customer",
        sa.Column("uuid", key_text(36), nullable=False),
        sa.Column("name", key_text(255), nullable=False),
        sa.Column("slug", key_text(255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("country", key_text(2), nullable=True),
        sa.Column("enable_data_sharing_consent", sa.Boolean(), nullable=False),
        sa.Column("enforce_data_sharing_consent", key_text(30), nullable=False),
        sa.Column("enable_audit_enrollment", sa.Boolean(), nullable=False),
        sa.Column("enable_audit_data_reporting", sa.Boolean(), nullable=False),
        sa.Column("identity_providers", long_text(), nullable=False),
        sa.Column("version", key_text(40), nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_source_customer"),
        **_OPTIONS,
    )
    op.create_table(
        "source_grade",
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("course_id", key_text(255), nullable=False),
        sa.Column("percent", sa.String(40), nullable=True),
        sa.Column("letter_grade", key_text(255), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("passed_at", UtcDateTime(), nullable=True),
        sa.Column("modified_at", UtcDateTime(), nullable=True),
        sa.Column("incomplete_non_gated_content", sa.Integer(), nullable=True),
        sa.Column("version", key_text(40), nullable=False),
        sa.PrimaryKeyConstraint("username", "course_id", name="pk_source_grade"),
        **_OPTIONS,
    )
    op.create_table(
        "source_catalog",
        sa.Column("id", _BIG_ID, nullable=False, autoincrement=True),
        sa.Column("uuid", key_text(36), nullable=False),
        sa.Column("customer", key_text(36), nullable=False),
        sa.Column("title", key_text(255), nullable=False),
        sa.Column("modified_at", UtcDateTime(), nullable=True),
        sa.Column("version", key_text(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_source_catalog"),
        sa.UniqueConstraint("uuid", name="uq_source_catalog_uuid"),
        sa.ForeignKeyConstraint(["customer"], ["source_customer.uuid"], name="fk_source_catalog_customer"),
        **_OPTIONS,
    )
    op.create_index("ix_source_catalog_customer_id", "source_catalog", ["customer", "id"])
    op.create_table(
        "source_course_run",
        sa.Column("run_key", key_text(255), nullable=False),
        sa.Column("content_key", key_text(255), nullable=False),
        sa.PrimaryKeyConstraint("run_key", "content_key", name="pk_source_course_run"),
        sa.ForeignKeyConstraint(
            ["content_key"],
            ["source_content.content_key"],
            name="fk_source_course_run_content_key",
            ondelete="CASCADE",
        ),
        **_OPTIONS,
    )
    op.create_index("ix_source_course_run_content_key", "source_course_run", ["content_key"])
    op.create_table(
        "source_learner",
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("customer", key_text(36), nullable=False),
        sa.Column("email", key_text(255), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("linked", sa.Boolean(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("version", key_text(40), nullable=False),
        sa.PrimaryKeyConstraint("username", "customer", name="pk_source_learner"),
        sa.ForeignKeyConstraint(["customer"], ["source_customer.uuid"], name="fk_source_learner_customer"),
        **_OPTIONS,
    )
    op.create_index("ix_source_learner_customer", "source_learner", ["customer"])
    op.create_table(
        "source_subsection_grade",
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("course_id", key_text(255), nullable=False),
        sa.Column("subsection_id", key_text(255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("subsection_name", long_text(), nullable=False),
        sa.Column("points_possible", sa.String(40), nullable=False),
        sa.Column("points_earned", sa.String(40), nullable=True),
        sa.Column("attempted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("username", "course_id", "subsection_id", name="pk_source_subsection_grade"),
        sa.ForeignKeyConstraint(
            ["username", "course_id"],
            ["source_grade.username", "source_grade.course_id"],
            name="fk_source_subsection_grade_username_course_id",
            ondelete="CASCADE",
        ),
        **_OPTIONS,
    )
    op.create_table(
        "source_catalog_item",
        sa.Column("catalog", key_text(36), nullable=False),
        sa.Column("content_key", key_text(255), nullable=False),
        sa.PrimaryKeyConstraint("catalog", "content_key", name="pk_source_catalog_item"),
        sa.ForeignKeyConstraint(
            ["catalog"], ["source_catalog.uuid"], name="fk_source_catalog_item_catalog", ondelete="CASCADE"
        ),
        **_OPTIONS,
    )
    op.create_index("ix_source_catalog_item_content_key", "source_catalog_item", ["content_key"])
    op.create_table(
        "source_enrollment",
        sa.Column("id", key_text(40), nullable=False),
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("customer", key_text(36), nullable=False),
        sa.Column("course_id", key_text(255), nullable=False),
        sa.Column("mode", key_text(50), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=True),
        sa.Column("unenrolled_at", UtcDateTime(), nullable=True),
        sa.Column("consent_state", key_text(20), nullable=False),
        sa.Column("consent_granted_by", key_text(255), nullable=True),
        sa.Column("consent_granted_at", UtcDateTime(), nullable=True),
        sa.Column("license_state", key_text(20), nullable=True),
        sa.Column("license_assigned_at", UtcDateTime(), nullable=True),
        sa.Column("license_activated_at", UtcDateTime(), nullable=True),
        sa.Column("license_revoked_at", UtcDateTime(), nullable=True),
        sa.Column("license_expires_at", UtcDateTime(), nullable=True),
        sa.Column("version", key_text(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_source_enrollment"),
        sa.UniqueConstraint(
            "username", "course_id", "customer", name="uq_source_enrollment_username_course_id_customer"
        ),
        sa.ForeignKeyConstraint(
            ["username", "customer"],
            ["source_learner.username", "source_learner.customer"],
            name="fk_source_enrollment_username_customer",
            ondelete="CASCADE",
        ),
        **_OPTIONS,
    )
    op.create_index("ix_source_enrollment_customer_id", "source_enrollment", ["customer", "id"])
    op.create_index(
        "ix_source_enrollment_username_customer_id", "source_enrollment", ["username", "customer", "id"]
    )
    op.create_table(
        "source_learner_identity",
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("customer", key_text(36), nullable=False),
        sa.Column("provider", key_text(255), nullable=False),
        sa.Column("remote_id", key_text(255), nullable=False),
        sa.PrimaryKeyConstraint("username", "customer", "provider", name="pk_source_learner_identity"),
        sa.ForeignKeyConstraint(
            ["username", "customer"],
            ["source_learner.username", "source_learner.customer"],
            name="fk_source_learner_identity_username_customer",
            ondelete="CASCADE",
        ),
        **_OPTIONS,
    )
    op.create_index(
        "ix_source_learner_identity_customer_provider", "source_learner_identity", ["customer", "provider"]
    )

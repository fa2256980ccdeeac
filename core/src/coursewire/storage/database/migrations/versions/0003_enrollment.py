"""The Enrollment API's embedded backend, and bulk enrollment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coursewire.storage.database.migrations.options import TABLE_OPTIONS as _OPTIONS
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "enrollment_private",
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("course_id", key_text(255), nullable=False),
        sa.Column("mode", key_text(50), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("username", "course_id", name="pk_enrollment_private"),
        **_OPTIONS,
    )
    op.create_index("ix_enrollment_private_course_id", "enrollment_private", ["course_id"])
    op.create_table(
        "enrollment_attribute",
        sa.Column("id", key_text(40), nullable=False),
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("course_id", key_text(255), nullable=False),
        sa.Column("namespace", key_text(255), nullable=False),
        sa.Column("name", key_text(255), nullable=False),
        sa.Column("value", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_enrollment_attribute"),
        **_OPTIONS,
    )
    op.create_index(
        "ix_enrollment_attribute_username_course_id", "enrollment_attribute", ["username", "course_id"]
    )
    op.create_table(
        "enrollment_role",
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("role", key_text(64), nullable=False),
        sa.Column("org", key_text(128), nullable=False),
        sa.Column("course_id", key_text(255), nullable=False),
        sa.PrimaryKeyConstraint("username", "role", "org", "course_id", name="pk_enrollment_role"),
        **_OPTIONS,
    )
    op.create_table(
        "enrollment_course",
        sa.Column("course_id", key_text(255), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("invite_only", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("course_id", name="pk_enrollment_course"),
        **_OPTIONS,
    )
    op.create_table(
        "enrollment_mode",
        sa.Column("course_id", key_text(255), nullable=False),
        sa.Column("slug", key_text(50), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", key_text(255), nullable=False),
        sa.Column("min_price", sa.String(40), nullable=False),
        sa.Column("suggested_prices", key_text(255), nullable=False),
        sa.Column("currency", key_text(8), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("description", long_text(), nullable=True),
        sa.Column("sku", key_text(255), nullable=True),
        sa.Column("bulk_sku", key_text(255), nullable=True),
        sa.PrimaryKeyConstraint("course_id", "slug", name="pk_enrollment_mode"),
        **_OPTIONS,
    )
    op.create_table(
        "enrollment_license",
        sa.Column("id", key_text(40), nullable=False),
        sa.Column("enrollment", key_text(40), nullable=False),
        sa.Column("username", key_text(255), nullable=False),
        sa.Column("license_uuid", key_text(36), nullable=True),
        sa.Column("transaction_id", key_text(36), nullable=True),
        sa.Column("discount", sa.String(40), nullable=False),
        sa.Column("reason", long_text(), nullable=False),
        sa.Column("salesforce_id", key_text(255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_enrollment_license"),
        sa.ForeignKeyConstraint(
            ["enrollment"],
            ["source_enrollment.id"],
            name="fk_enrollment_license_enrollment",
            ondelete="CASCADE",
        ),
        **_OPTIONS,
    )
    op.create_index("ix_enrollment_license_enrollment", "enrollment_license", ["enrollment"])
    op.create_index("ix_enrollment_license_username", "enrollment_license", ["username"])

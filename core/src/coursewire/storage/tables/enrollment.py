"""Tables of the Enrollment API's embedded backend and of bulk enrollment, beside those of the embedded source.

An enrollment that a customer sponsors is a row of ``source_enrollment``, one for each such customer, so that its
outcome is found there; one that nobody sponsors is in ``enrollment_private``. It is never in both. Who has no
account yet is a pending learner of the source, and what awaits them are rows of ``source_enrollment`` too.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table

from coursewire.storage.tables.base import PERSONAL, metadata
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text
from coursewire.storage.tables.source import ExactDecimal

enrollment_private = Table(
    "enrollment_private",
    metadata,
    Column("username", key_text(255), primary_key=True, info=PERSONAL),
    Column("course_id", key_text(255), primary_key=True),
    Column("mode", key_text(50), nullable=False),
    Column("is_active", Boolean(), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Index(None, "course_id"),
)

enrollment_attribute = Table(
    "enrollment_attribute",
    metadata,
    # digest of the next four, which together are longer than MySQL's keys
    Column("id", key_text(40), primary_key=True),
    Column("username", key_text(255), nullable=False, info=PERSONAL),
    Column("course_id", key_text(255), nullable=False),
    Column("namespace", key_text(255), nullable=False),
    Column("name", key_text(255), nullable=False),
    Column("value", long_text(), nullable=False, info=PERSONAL),
    Index(None, "username", "course_id"),
)

enrollment_role = Table(
    "enrollment_role",
    metadata,
    Column("username", key_text(255), primary_key=True, info=PERSONAL),
    Column("role", key_text(64), primary_key=True),
    Column("org", key_text(128), primary_key=True),
    Column("course_id", key_text(255), primary_key=True),  # "" for all of the organisation's
)

enrollment_course = Table(
    "enrollment_course",
    metadata,
    Column("course_id", key_text(255), primary_key=True),
    Column("capacity", Integer(), nullable=True),  # active enrollments; None is no limit
    Column("invite_only", Boolean(), nullable=False),
)

enrollment_mode = Table(
    "enrollment_mode",
    metadata,
    Column("course_id", key_text(255), primary_key=True),
    Column("slug", key_text(50), primary_key=True),
    Column("position", Integer(), nullable=False),
    Column("name", key_text(255), nullable=False),
    Column("min_price", ExactDecimal(), nullable=False),
    Column("suggested_prices", key_text(255), nullable=False),
    Column("currency", key_text(8), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=True),
    Column("description", long_text(), nullable=True),
    Column("sku", key_text(255), nullable=True),
    Column("bulk_sku", key_text(255), nullable=True),
)


enrollment_license = Table(
    "enrollment_license",
    metadata,
    Column("id", key_text(40), primary_key=True),  # digest of enrollment, licence and transaction
    Column(
        "enrollment", key_text(40), ForeignKey("source_enrollment.id", ondelete="CASCADE"), nullable=False
    ),
    Column("username", key_text(255), nullable=False, info=PERSONAL),
    Column("license_uuid", key_text(36), nullable=True),
    Column("transaction_id", key_text(36), nullable=True),  # of a paid enrollment without a licence
    Column("discount", ExactDecimal(), nullable=False),  # per cent of the price, 0 to 100
    Column("reason", long_text(), nullable=False),
    Column("salesforce_id", key_text(255), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Index(None, "enrollment"),
    Index(None, "username"),
)

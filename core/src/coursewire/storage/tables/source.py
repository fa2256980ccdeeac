"""Tables of the embedded source: one row for each line of a bundle, and its lists in tables of their own.

Every row that comes from a line carries ``version``, the digest of that line's data, so that loading a
bundle again writes only what differs. Keys are compared byte for byte on every database. In tables with
a ``username`` column the whole row is about that learner.
"""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from coursewire.storage.tables.base import PERSONAL, metadata
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text


class ExactDecimal(TypeDecorator[Decimal]):
    """Type of a decimal that is stored as text: SQLite has no decimals, and a grade must come back unchanged."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Convert to text without an exponent."""
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Convert to an exact decimal."""
        return None if value is None else Decimal(value)


_BIG_ID = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only INTEGER keys

source_customer = Table(
    "source_customer",
    metadata,
    Column("uuid", key_text(36), primary_key=True),
    Column("name", key_text(255), nullable=False),
    Column("slug", key_text(255), nullable=False),
    Column("active", Boolean(), nullable=False),
    Column("country", key_text(2), nullable=True),
    Column("enable_data_sharing_consent", Boolean(), nullable=False),
    Column("enforce_data_sharing_consent", key_text(30), nullable=False),
    Column("enable_audit_enrollment", Boolean(), nullable=False),
    Column("enable_audit_data_reporting", Boolean(), nullable=False),
    Column("identity_providers", long_text(), nullable=False),  # JSON list, in the customer's order
    Column("version", key_text(40), nullable=False),
)

source_catalog = Table(
    "source_catalog",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),  # order of first load: oldest first
    Column("uuid", key_text(36), nullable=False, unique=True),
    Column("customer", key_text(36), ForeignKey("source_customer.uuid"), nullable=False),
    Column("title", key_text(255), nullable=False),
    Column("modified_at", UtcDateTime(), nullable=True),
    Column("version", key_text(40), nullable=False),
    Index(None, "customer", "id"),
)

source_catalog_item = Table(
    "source_catalog_item",
    metadata,
    Column("catalog", key_text(36), ForeignKey("source_catalog.uuid", ondelete="CASCADE"), primary_key=True),
    Column("content_key", key_text(255), primary_key=True),  # may name content that has not come yet
    Index(None, "content_key"),
)

source_content = Table(
    "source_content",
    metadata,
    Column("content_key", key_text(255), primary_key=True),
    Column("content_type", key_text(20), nullable=False),
    Column("title", long_text(), nullable=False),
    Column("version", key_text(40), nullable=False),
    Column("modified_at", UtcDateTime(), nullable=True),
    Column("data", long_text(), nullable=False),  # the item as JSON, every field of it
)

source_course_run = Table(
    "source_course_run",
    metadata,
    Column("run_key", key_text(255), primary_key=True),
    Column(
        "content_key",
        key_text(255),
        ForeignKey("source_content.content_key", ondelete="CASCADE"),
        primary_key=True,
    ),  # the course that holds the run, or the run itself where it is an item
    Index(None, "content_key"),
)

source_learner = Table(
    "source_learner",
    metadata,
    Column("username", key_text(255), primary_key=True, info=PERSONAL),
    Column("customer", key_text(36), ForeignKey("source_customer.uuid"), primary_key=True),
    Column("email", key_text(255), nullable=True, info=PERSONAL),
    Column("active", Boolean(), nullable=False),
    Column("linked", Boolean(), nullable=False),
    Column("pending", Boolean(), nullable=False),  # no account yet; username is the e-mail address
    Column("version", key_text(40), nullable=False),
    Index(None, "customer"),
)

source_learner_identity = Table(
    "source_learner_identity",
    metadata,
    Column("username", key_text(255), primary_key=True, info=PERSONAL),
    Column("customer", key_text(36), primary_key=True),
    Column("provider", key_text(255), primary_key=True),
    Column("remote_id", key_text(255), nullable=False, info=PERSONAL),
    ForeignKeyConstraint(
        ["username", "customer"], ["source_learner.username", "source_learner.customer"], ondelete="CASCADE"
    ),
    Index(None, "customer", "provider"),
)

source_enrollment = Table(
    "source_enrollment",
    metadata,
    Column("id", key_text(40), primary_key=True),  # digest of customer, username and course_id
    Column("username", key_text(255), nullable=False, info=PERSONAL),
    Column("customer", key_text(36), nullable=False),
    Column("course_id", key_text(255), nullable=False),  # key of a course run
    Column("mode", key_text(50), nullable=False),
    Column("is_active", Boolean(), nullable=False),
    Column("created_at", UtcDateTime(), nullable=True),
    Column("unenrolled_at", UtcDateTime(), nullable=True),
    Column("consent_state", key_text(20), nullable=False),
    Column("consent_granted_by", key_text(255), nullable=True, info=PERSONAL),
    Column("consent_granted_at", UtcDateTime(), nullable=True),
    Column("license_state", key_text(20), nullable=True),
    Column("license_assigned_at", UtcDateTime(), nullable=True),
    Column("license_activated_at", UtcDateTime(), nullable=True),
    Column("license_revoked_at", UtcDateTime(), nullable=True),
    Column("license_expires_at", UtcDateTime(), nullable=True),
    Column("version", key_text(40), nullable=False),
    UniqueConstraint("username", "course_id", "customer"),
    ForeignKeyConstraint(
        ["username", "customer"], ["source_learner.username", "source_learner.customer"], ondelete="CASCADE"
    ),
    Index(None, "customer", "id"),
    Index(None, "username", "customer", "id"),
)

source_grade = Table(
    "source_grade",
    metadata,
    Column("username", key_text(255), primary_key=True, info=PERSONAL),
    Column("course_id", key_text(255), primary_key=True),
    Column("percent", ExactDecimal(), nullable=True, info=PERSONAL),  # 0 to 1; None is unknown, not zero
    Column("letter_grade", key_text(255), nullable=True, info=PERSONAL),
    Column("passed", Boolean(), nullable=True, info=PERSONAL),
    Column("passed_at", UtcDateTime(), nullable=True, info=PERSONAL),
    Column("modified_at", UtcDateTime(), nullable=True),
    Column("incomplete_non_gated_content", Integer(), nullable=True, info=PERSONAL),
    Column("version", key_text(40), nullable=False),
)

source_subsection_grade = Table(
    "source_subsection_grade",
    metadata,
    Column("username", key_text(255), primary_key=True, info=PERSONAL),
    Column("course_id", key_text(255), primary_key=True),
    Column("subsection_id", key_text(255), primary_key=True),
    Column("position", Integer(), nullable=False),  # order in the course
    Column("subsection_name", long_text(), nullable=False),
    Column("points_possible", ExactDecimal(), nullable=False),
    Column("points_earned", ExactDecimal(), nullable=True, info=PERSONAL),
    Column("attempted", Boolean(), nullable=False, info=PERSONAL),
    ForeignKeyConstraint(
        ["username", "course_id"], ["source_grade.username", "source_grade.course_id"], ondelete="CASCADE"
    ),
)

source_certificate = Table(
    "source_certificate",
    metadata,
    Column("username", key_text(255), primary_key=True, info=PERSONAL),
    Column("course_id", key_text(255), primary_key=True),
    Column("status", key_text(50), nullable=False),
    Column("is_passing", Boolean(), nullable=True, info=PERSONAL),
    Column("grade", key_text(255), nullable=True, info=PERSONAL),  # text, as the platform gives it
    Column("created_at", UtcDateTime(), nullable=True, info=PERSONAL),
    Column("modified_at", UtcDateTime(), nullable=True),
    Column("version", key_text(40), nullable=False),
)

"""A configuration says since when the LMS refuses its credentials, and when they are tried again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coursewire.storage.tables.columns import UtcDateTime, long_text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the columns; nothing is known yet of any configuration."""
    op.add_column("configuration", sa.Column("failing_since_at", UtcDateTime(), nullable=True))
    op.add_column("configuration", sa.Column("failing_reason", long_text(), nullable=True))
    op.add_column("configuration", sa.Column("next_try_at", UtcDateTime(), nullable=True))

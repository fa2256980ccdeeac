"""A lease gets a number that grows each time that it is taken, so that whoever lost it can be told from its holder."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column; leases of before begin at 0."""
    op.add_column("lease", sa.Column("fence", sa.BigInteger(), nullable=False, server_default="0"))

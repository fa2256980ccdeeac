"""An index for what else was told about a learner in a course."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "ix_outcome_record_remote_key_configuration_course_key",
        "outcome_record",
        ["remote_key", "configuration", "course_key"],
    )

"""The kind joins the keys of outcomes: an enrollment and its completion are told apart by nothing else."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

_KEYS = {
    "uq_outcome_record_key": ["enrollment", "course_key", "subsection"],
    "uq_outcome_record_outcome_key": ["outcome_key"],
}
_BEFORE = ("uq_outcome_record_key", "uq_outcome_record_configuration_outcome_key")


def upgrade() -> None:
    """Make the keys anew, with the kind in them. SQLite copies the table, the others change it in place."""
    with op.batch_alter_table("outcome_record") as batch:
        for name in _BEFORE:
            batch.drop_constraint(name, type_="unique")
        for name, columns in _KEYS.items():
            batch.create_unique_constraint(name, ["configuration", "kind", *columns])

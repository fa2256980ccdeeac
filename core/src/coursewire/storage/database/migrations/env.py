"""Alembic's entry: runs the migrations on the connection that :mod:`coursewire.storage.database.schema` hands over."""

from __future__ import annotations

from alembic import context

from coursewire.storage.database.schema import VERSION_TABLE
from coursewire.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    on_version_apply=context.config.attributes["on_version_apply"],
)
with context.begin_transaction():
    context.run_migrations()

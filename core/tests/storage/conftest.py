"""Rows that the audit tests start from."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from coursewire.storage.tables.records import configuration


@pytest.fixture
def now():
    """An instant with microseconds, far from any time zone's change."""
    return datetime(2026, 5, 17, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture
def new_configuration(engine, now):
    """Makes configurations, and gives their ids."""

    def make() -> UUID:
        uuid = uuid4()
        with engine.begin() as connection:
            connection.execute(
                insert(configuration).values(
                    uuid=uuid, channel="SAP", customer="c", fields="{}", active=True, version=1,
                    created_at=now, updated_at=now,
                )
            )  # fmt: skip
        return uuid

    return make

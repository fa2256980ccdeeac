"""Old transmissions and jobs go; what the LMS holds stays known."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select

from coursewire.storage.audit.retention import prune
from coursewire.storage.tables.records import content_record, job, transmission
from coursewire.testing.database import count_statements


@pytest.fixture
def fill(engine, now, new_configuration):
    """Adds a job, transmissions and a record that are some days old."""
    configuration = new_configuration()

    def add(*, days: int, state: str = "finished", transmissions: int = 1, ended: bool = True):
        at = now - timedelta(days=days)
        uuid = uuid4()
        sent = {
            "configuration": configuration, "kind": "content", "item": "k", "operation": "create",
            "result": "accepted", "job": uuid, "at": at,
        }  # fmt: skip
        with engine.begin() as connection:
            connection.execute(
                insert(job).values(
                    uuid=uuid, kind="content", configuration=configuration, state=state, actor="me",
                    options="{}", started_at=at, finished_at=at if ended else None,
                )
            )  # fmt: skip
            connection.execute(insert(transmission), [sent] * transmissions)
            connection.execute(
                insert(content_record).values(
                    configuration=configuration, content_key=str(uuid), content_type="course", title="",
                    catalogs="[]", state="confirmed", present=True, remote_key="k", attempts=0,
                    created_at=at, updated_at=at, confirmed_at=at,
                )
            )  # fmt: skip
        return uuid

    return add


def _count(engine, table) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_only_what_is_older_goes_and_never_a_record(engine, now, fill):
    fill(days=91, transmissions=3)
    fill(days=91, state="abandoned", ended=False)
    running = fill(days=91, state="running", ended=False)
    kept = fill(days=90, transmissions=2)
    assert prune(engine, before=now - timedelta(days=90)) == {"transmission": 5, "job": 2}
    with engine.connect() as connection:
        assert set(connection.scalars(select(job.c.uuid))) == {running, kept}
        assert set(connection.scalars(select(transmission.c.job))) == {kept}
    assert _count(engine, content_record) == 4
    assert prune(engine, before=now - timedelta(days=90)) == {"transmission": 0, "job": 0}


@pytest.mark.parametrize("rows", [5, 6, 7])
def test_in_batches_with_progress(engine, now, fill, rows):
    fill(days=2, transmissions=rows)
    seen = []
    prune(engine, before=now, batch=3, progress=lambda table, done: seen.append((table, done)))
    assert seen == [("transmission", n) for n in (3, 6, 7) if n < rows] + [("transmission", rows), ("job", 1)]
    assert _count(engine, transmission) == 0


def test_many_rows_take_few_statements(engine, now, fill):
    fill(days=2, transmissions=1200)
    with count_statements(engine) as seen:
        assert prune(engine, before=now)["transmission"] == 1200
    assert seen.count == 1 + 3 + 1 + 1

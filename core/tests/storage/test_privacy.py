"""Forgetting a learner: whatever table holds personal data, nothing of the learner is left in the database."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Boolean, Column, Integer, LargeBinary, Table, Uuid, insert, select, update

from coursewire.errors import ContractError, LeaseHeldError
from coursewire.storage.locks.leases import Lease
from coursewire.storage.privacy import FORGOTTEN, forget, personal_columns
from coursewire.storage.tables import PERSONAL, metadata
from coursewire.storage.tables import source as source_tables
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text
from coursewire.storage.tables.records import identity_link, outcome_record, token, transmission

NAME = "zoe.canary_1%"
MAIL = "zoe@private.example.com"
REMOTE = "remote-zoe-4711"


def value_for(column, now, *, personal):
    """Something that fits a column."""
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return now
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Uuid):
        return uuid4()
    if isinstance(kind, Integer):
        return 3
    if isinstance(kind, source_tables.ExactDecimal):
        return 1
    if column.name == "username":
        return NAME if personal else "somebody.else"
    if column.name == "email":
        return MAIL if personal else "else@example.com"
    if column.name in ("remote_id", "remote_key"):
        return (REMOTE if personal else "remote-else")[: kind.length]
    if isinstance(kind, LargeBinary):
        return b"sealed"
    if column.info.get("personal"):
        text = f"said about {NAME}" if personal else "said about nobody"
        return text[: getattr(kind, "length", None) or 100]
    if column.primary_key:
        return "learner" if personal else "another"
    return "x" * min(getattr(kind, "length", None) or 8, 8)


@pytest.fixture
def filled(engine, new_configuration, now):
    """A row about the learner, and one about somebody else, in every table with personal data."""
    uuid = new_configuration()
    tables = [table for table in metadata.sorted_tables if personal_columns(table)]
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN")
        for personal in (True, False):
            for table in tables:
                row = {
                    column.name: value_for(column, now, personal=personal)
                    for column in table.columns
                    if column.autoincrement is not True
                }
                if "configuration" in row:
                    row["configuration"] = uuid
                if table is outcome_record:
                    row["outcome_key"] = "k" if personal else "other"
                    row["enrollment"] = row["outcome_key"]
                if table is transmission:
                    row["item"] = "k" if personal else "other"
                if table.name == "source_enrollment" and not personal:
                    row |= {"id": "else", "consent_granted_by": NAME}
                connection.execute(insert(table).values(row))
    return tables


def everything(engine):
    """All that every table holds, as text."""
    with engine.connect() as connection:
        return "\n".join(
            f"{table.name}: {row}"
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
        )


SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@SQLITE
def test_no_table_with_personal_data_is_missed(engine, filled, now):
    before = everything(engine)
    for table in filled:
        (lines,) = [[line for line in before.splitlines() if line.startswith(f"{table.name}: ")]]
        assert any(word in " ".join(lines) for word in (NAME, MAIL, REMOTE)), (
            f"nothing to forget in {table.name}"
        )
    counts = forget(engine, NAME, now=now)
    after = everything(engine)
    assert NAME not in after
    assert MAIL not in after
    assert REMOTE not in after
    assert set(counts) >= {table.name for table in filled}
    assert "somebody.else" in after
    assert "said about nobody" in after


@SQLITE
def test_nothing_is_left_in_the_file(engine, filled, now):
    path = Path(engine.url.database)
    files = [path, path.with_name(path.name + "-wal")]
    assert any(NAME.encode() in file.read_bytes() for file in files if file.exists())
    forget(engine, NAME, now=now)
    for file in files:
        content = file.read_bytes() if file.exists() else b""
        assert not any(word.encode() in content for word in (NAME, MAIL, REMOTE)), file.name


@SQLITE
def test_attempts_stay_without_what_they_said(engine, filled, now):
    forget(engine, NAME, now=now)
    with engine.connect() as connection:
        rows = connection.execute(select(transmission).order_by(transmission.c.id)).all()
    mine, other = rows
    assert (mine.item, mine.message, mine.excerpt, mine.fingerprint) == (FORGOTTEN, None, None, None)
    assert mine.result
    assert (other.item, other.message) == ("other", "said about nobody")


@SQLITE
def test_where_others_rows_name_the_learner(engine, filled, now):
    with engine.begin() as connection:
        connection.execute(
            update(transmission)
            .where(transmission.c.item == "other")
            .values(excerpt=f"batch of {REMOTE} and x")
        )
    forget(engine, NAME, now=now)
    with engine.connect() as connection:
        other = connection.execute(select(transmission).where(transmission.c.item == "other")).one()
        granted_by = connection.scalars(select(source_tables.source_enrollment.c.consent_granted_by)).all()
    assert (other.excerpt, other.message) == (None, "said about nobody")
    assert granted_by == [None]


@SQLITE
def test_tokens_that_speak_for_the_learner_go(engine, filled, new_configuration, now):
    uuid = new_configuration()
    with engine.begin() as connection:
        for subject in (REMOTE, "service"):
            connection.execute(
                insert(token).values(
                    configuration=uuid,
                    subject=hashlib.sha256(subject.encode()).hexdigest(),
                    ciphertext=b"x",
                    expires_at=now,
                    updated_at=now,
                )
            )
    assert forget(engine, NAME, now=now)["token"] == 1


def test_a_learner_nobody_knows(engine, now):
    assert forget(engine, "nobody", now=now) == {}


def test_forgetting_on_every_database(engine, new_configuration, now):
    add_link(engine, new_configuration(), now)
    assert forget(engine, NAME, now=now) == {"identity_link": 1}


def add_link(engine, uuid: UUID, now: datetime):
    with engine.begin() as connection:
        connection.execute(
            insert(identity_link).values(
                configuration=uuid, username=NAME, state="linked", origin="by-hand", checked_at=now
            )
        )


@SQLITE
def test_not_while_outcomes_are_being_sent(engine, new_configuration, now):
    uuid = new_configuration()
    add_link(engine, uuid, now)
    with (
        Lease.acquire(engine, f"assessments:{uuid}", owner="job", clock=lambda: now),
        pytest.raises(LeaseHeldError, match="nothing was forgotten"),
    ):
        forget(engine, NAME, now=now)
    assert forget(engine, NAME, now=now + timedelta(hours=1)) == {"identity_link": 1}


@contextmanager
def another_table(*columns):
    table = Table("another", metadata, Column("id", Integer(), primary_key=True), *columns)
    try:
        yield table
    finally:
        metadata.remove(table)


@SQLITE
def test_a_table_that_does_not_say_how_it_forgets_stops_everything(engine, new_configuration, now):
    add_link(engine, new_configuration(), now)
    with (
        another_table(Column("note", long_text(), info=PERSONAL)),
        pytest.raises(ContractError, match="another"),
    ):
        forget(engine, NAME, now=now)
    assert NAME in everything(engine)


@SQLITE
def test_a_table_with_an_address_alone(engine, filled, now):
    with another_table(Column("email", key_text(255), info=PERSONAL)) as table:
        table.create(engine)
        with engine.begin() as connection:
            connection.execute(insert(table), [{"email": MAIL}, {"email": "else@example.com"}])
        assert forget(engine, NAME, now=now)["another"] == 1
        with engine.connect() as connection:
            assert connection.scalars(select(table.c.email)).all() == ["else@example.com"]

"""The schema migrations: they lead to what the code expects, from anywhere, once."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, column, insert, inspect, select, text
from sqlalchemy import table as sql_table

from coursewire.errors import DatabaseError
from coursewire.model.payload import digest
from coursewire.storage.database import schema
from coursewire.storage.database.engine import open_engine
from coursewire.storage.database.schema import REVISIONS, SchemaState, migrate, require_current, schema_state
from coursewire.storage.tables import metadata, records
from coursewire.storage.tables.records import content_record, outcome_record


@pytest.fixture
def bare(bare_database_url):
    engine = open_engine(bare_database_url)
    yield engine
    engine.dispose()


def _migrate_to(engine: Engine, revision: str) -> None:
    """What ``migrate`` of an earlier release did."""
    config = Config()
    config.set_main_option("script_location", str(files(schema.__package__) / "migrations"))
    with engine.begin() as connection:
        config.attributes.update(connection=connection, on_version_apply=lambda **_: None)
        command.upgrade(config, revision)


def _differences(engine: Engine) -> list:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": schema.VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
                "target_metadata": metadata,
            },
        )
        return compare_metadata(context, metadata)


def test_from_empty_to_what_the_code_expects(bare):
    assert schema_state(bare) == SchemaState(None, REVISIONS[-1], schema.SchemaStatus.EMPTY)
    assert migrate(bare) == list(REVISIONS)
    assert schema_state(bare) == SchemaState(REVISIONS[-1], REVISIONS[-1], schema.SchemaStatus.CURRENT)
    require_current(bare)
    assert _differences(bare) == []
    assert migrate(bare) == []


def test_from_each_revision_step_by_step(bare):
    for revision in REVISIONS[:-1]:
        _migrate_to(bare, revision)
        assert schema_state(bare).current == revision
        with pytest.raises(DatabaseError, match=f"older release.*is {revision}, .*coursewire init"):
            require_current(bare)
    assert migrate(bare) == [REVISIONS[-1]]
    assert _differences(bare) == []


def test_launches_and_states_keep_their_rows_when_their_tables_get_new_names(bare):
    _migrate_to(bare, "0008")
    configuration, now = uuid4(), datetime(2026, 3, 1, tzinfo=UTC)
    columns = {
        "hand_over": {
            "configuration": configuration,
            "username": "ada",
            "course_key": "A+B",
            "remote_id": "g-1",
            "callback": "/api",
            "ciphertext": b"sealed",
            "received_at": now,
        },
        "grant_state": {
            "state": "digest",
            "configuration": configuration,
            "session": "digest",
            "redirect_uri": "https://host.example.com/back",
            "verifier": None,
            "expires_at": now,
            "used_at": None,
        },
    }
    with bare.begin() as connection:
        values = {"channel": "ACME", "customer": "c", "fields": "{}", "active": True, "version": 1}
        connection.execute(
            insert(records.configuration).values(uuid=configuration, created_at=now, updated_at=now, **values)
        )
        for new, old in ((records.launch, "hand_over"), (records.oauth_state, "grant_state")):
            before = sql_table(old, *(column(each.name, each.type) for each in new.columns))
            connection.execute(insert(before).values(columns[old]))

    assert migrate(bare) == list(REVISIONS[REVISIONS.index("0008") + 1 :])

    with bare.connect() as connection:
        assert dict(connection.execute(select(records.launch)).one()._mapping) == columns["hand_over"]
        assert dict(connection.execute(select(records.oauth_state)).one()._mapping) == columns["grant_state"]
    assert {"hand_over", "grant_state"}.isdisjoint(inspect(bare).get_table_names())


def test_the_comparison_sees_a_difference(bare):
    """Else an empty list of differences would prove nothing."""
    migrate(bare)
    with bare.begin() as connection:
        connection.execute(text("ALTER TABLE job ADD COLUMN surplus INTEGER"))
    assert [difference[0] for difference in _differences(bare)] == ["remove_column"]


def test_the_list_of_revisions_is_that_of_the_scripts():
    scripts = ScriptDirectory(str(files(schema.__package__) / "migrations"))
    assert [script.revision for script in scripts.walk_revisions()] == list(reversed(REVISIONS))
    assert scripts.get_heads() == [REVISIONS[-1]]


def test_a_database_that_is_not_set_up_is_refused(bare):
    with pytest.raises(DatabaseError, match=r"not set up.*Run 'coursewire init'"):
        require_current(bare)
    assert inspect(bare).get_table_names() == []


def test_a_newer_database_is_refused_and_left_alone(bare):
    migrate(bare)
    with bare.begin() as connection:
        connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    assert schema_state(bare).status is schema.SchemaStatus.NEWER
    for refused in (require_current, migrate):
        with pytest.raises(DatabaseError, match=r"newer release.*is 9999, .*--upgrade coursewire"):
            refused(bare)
    assert schema_state(bare).current == "9999"


@pytest.mark.parametrize("bare_database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_failed_migration_leaves_no_trace(bare):
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE source_grade (a INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        migrate(bare)
    assert inspect(bare).get_table_names() == ["source_grade"]
    assert schema_state(bare).status is schema.SchemaStatus.EMPTY


def test_two_processes_at_once_do_not_collide(bare_database_url):
    script = (
        "import sys\n"
        "from coursewire.storage.database.engine import open_engine\n"
        "from coursewire.storage.database.schema import migrate\n"
        "engine = open_engine(sys.argv[1])\n"
        "print(migrate(engine))\n"
        "engine.dispose()\n"
    )

    def run(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script, bare_database_url], capture_output=True, text=True, check=False
        )

    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(run, range(3)))
    assert [process.stderr for process in ended] == ["", "", ""]
    printed = sorted((process.stdout.strip() for process in ended), key=len)
    assert printed == ["[]", "[]", str(list(REVISIONS))]


def test_a_second_migration_waits_for_the_first(bare):
    applied = []
    other = threading.Thread(target=lambda: applied.append(migrate(bare)))
    with schema._sole_migration(bare):
        other.start()
        other.join(0.3)
        assert applied == []
    other.join()
    assert applied == [list(REVISIONS)]


@pytest.mark.parametrize("bare_database_url", ["mariadb"], indirect=True)
def test_a_migration_that_does_not_end_is_not_waited_for_ever(bare, monkeypatch):
    monkeypatch.setattr(schema, "LOCK_TIMEOUT_S", 0)
    with schema._sole_migration(bare), pytest.raises(DatabaseError, match="another process is setting up"):
        migrate(bare)
    monkeypatch.setattr(schema, "LOCK_TIMEOUT_S", 10)
    assert migrate(bare) == list(REVISIONS)


def test_keys_of_the_greatest_length_fit_and_keep_their_capitals(engine, new_configuration, now):
    """utf8mb4 takes four bytes a character, and MySQL's keys hold 3072 bytes."""
    configuration = new_configuration()
    long = "\N{GRINNING FACE}" * 255
    row = {
        "configuration": configuration, "state": "planned", "present": False, "attempts": 0,
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    outcome = {**row, "remote_key": long, "kind": "assessments", "username": long, "enrollment": long[:64]}
    with engine.begin() as connection:
        for end in ("a", "A"):
            key = long[:-1] + end
            connection.execute(
                insert(content_record).values(
                    row | {"content_key": key, "content_type": "course", "title": long * 400, "catalogs": "[]"}
                    | {"remote_key": key}
                )
            )  # fmt: skip
            connection.execute(
                insert(outcome_record).values(
                    outcome | {"course_key": long, "subsection": key, "outcome_key": digest(key.encode())}
                )
            )
    with engine.connect() as connection:
        rows = connection.execute(select(content_record.c.content_key, content_record.c.title)).all()
        assert sorted(rows) == [(long[:-1] + "A", long * 400), (long[:-1] + "a", long * 400)]
        found = connection.execute(
            select(outcome_record.c.subsection, outcome_record.c.created_at).where(
                outcome_record.c.subsection == long[:-1] + "A"
            )
        )
        assert found.all() == [(long[:-1] + "A", now)]

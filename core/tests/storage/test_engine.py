"""Opening a database, and what is said when that fails."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, make_url, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from coursewire.errors import DatabaseError
from coursewire.storage.database import engine as engine_module
from coursewire.storage.database.engine import database_errors, open_engine, read_url, writing
from coursewire.storage.tables.records import limit
from coursewire.testing.database import DEMAND, VARIABLES, bare_database, count_statements, server_url

SQLITE_ONLY = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SERVERS = pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)


def _bucket(name: str, now: datetime) -> dict:
    return {"bucket": name, "hits": 1, "resets_at": now}


# -- what every database does alike ---------------------------------------------------------------


def test_an_instant_comes_back_as_it_went_in(engine, now):
    far = now.astimezone(timezone(timedelta(hours=9, minutes=30)))
    with engine.begin() as connection:
        connection.execute(insert(limit).values(_bucket("a", far)))
    with engine.connect() as connection:
        back = connection.scalar(select(limit.c.resets_at))
    assert back == now
    assert back.tzinfo is UTC


def test_a_naive_time_is_refused(engine, now):
    with engine.begin() as connection, pytest.raises(StatementError, match="naive time"):
        connection.execute(insert(limit).values(_bucket("a", now.replace(tzinfo=None))))


def test_keys_that_differ_in_capitals_are_two(engine, now):
    with engine.begin() as connection:
        connection.execute(insert(limit), [_bucket("key", now), _bucket("KEY", now)])
    with engine.connect() as connection:
        assert connection.scalars(select(limit.c.bucket).where(limit.c.bucket == "KEY")).all() == ["KEY"]


def test_a_fault_of_the_statement_is_not_the_databases(engine, now):
    with database_errors(engine.url), pytest.raises(IntegrityError) as caught, engine.begin() as connection:
        connection.execute(insert(limit), [_bucket("anna@example.com", now)] * 2)
    assert "anna" not in str(caught.value).partition("[SQL")[2]


def test_a_reader_of_a_read_only_engine_cannot_write(engine, database_url, now):
    with engine.begin() as connection:
        connection.execute(insert(limit).values(_bucket("a", now)))
    reader = open_engine(database_url, read_only=True)
    for statement in (insert(limit).values(_bucket("b", now)), text("CREATE TABLE surplus (a INTEGER)")):
        with reader.connect() as connection:
            assert connection.scalars(select(limit.c.bucket)).all() == ["a"]
            with pytest.raises(DatabaseError, match="cannot be written"), database_errors(database_url):
                connection.execute(statement)
    reader.dispose()


def test_nobody_writes_between_a_read_and_the_write_that_follows(engine, now):
    with engine.begin() as connection:
        connection.execute(insert(limit).values(_bucket("a", now) | {"hits": 0}))
    read = threading.Event()

    def increment(connection: Connection) -> None:
        hits = connection.scalar(select(limit.c.hits).with_for_update())
        read.set()
        connection.execute(update(limit).values(hits=hits + 1))

    def increment_too() -> None:
        with writing(engine) as connection:
            increment(connection)

    other = threading.Thread(target=increment_too)
    with writing(engine) as connection:
        hits = connection.scalar(select(limit.c.hits).with_for_update())
        other.start()
        assert not read.wait(0.3), "the other one did not wait for its turn"
        connection.execute(update(limit).values(hits=hits + 1))
    other.join()
    with engine.connect() as connection:
        assert connection.scalar(select(limit.c.hits)) == 2


def test_statements_are_counted(engine, now):
    with count_statements(engine) as seen, engine.begin() as connection:
        connection.execute(insert(limit), [_bucket(str(n), now) for n in range(50)])
        connection.execute(select(limit))
    assert seen.count == 2
    assert seen.texts[1].startswith("SELECT")
    with engine.connect() as connection:
        connection.execute(select(limit))
    assert seen.count == 2


def test_a_missing_table_says_run_init(bare_database_url):
    engine = open_engine(bare_database_url)
    with (
        pytest.raises(DatabaseError, match=r"lacks a table.*Run 'coursewire init'"),
        database_errors(bare_database_url),
        engine.connect() as connection,
    ):
        connection.execute(select(limit))
    engine.dispose()


def test_an_exhausted_pool_says_what_to_do(engine, database_url):
    narrow = create_engine(engine.url, pool_size=1, max_overflow=0, pool_timeout=0)
    with (
        narrow.connect(),
        pytest.raises(DatabaseError, match="no free connection"),
        database_errors(database_url),
    ):
        narrow.connect()
    narrow.dispose()


# -- URLs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x.db", "sqlite+pysqlite"),
        ("postgresql://h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg"),
        ("mysql://h/d", "mysql+pymysql"),
        ("mariadb://h/d", "mariadb+pymysql"),
    ],
)
def test_the_driver_is_named(url, driver):
    assert read_url(url).drivername == driver


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "cannot be read"),
        ("geheim", "cannot be read"),
        ("postgresql://me:geheim@host:port/d", "cannot be read"),
        ("oracle://me:geheim@host/d", "'oracle'"),
        ("postgresql+psycopg2://me:geheim@host/d", r"'postgresql\+psycopg2'"),
        ("postgres://me:geheim@host/d", "'postgres'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_a_wrong_url_is_refused_without_repeating_it(url, why):
    with pytest.raises(DatabaseError, match=why) as caught:
        open_engine(url)
    assert "sqlite:///PATH" in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("module", "url", "extra"),
    [("psycopg", "postgresql://h/d", "postgresql"), ("pymysql", "mariadb://h/d", "mysql")],
)
def test_a_missing_driver_says_what_to_install(monkeypatch, module, url, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DatabaseError, match=rf"pip install 'coursewire\[{extra}\]'"):
        open_engine(url)


def test_another_missing_module_is_not_taken_for_a_driver():
    with pytest.raises(ModuleNotFoundError), database_errors("sqlite:///x.db"):
        import no_such_module  # noqa: F401


# -- servers ----------------------------------------------------------------------------------------


@SERVERS
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"username": "nobody_here", "password": "geheim"}, "refused the user name or password"),
        ({"database": "no_such_database"}, "does not exist"),
        ({"port": 1}, "cannot be reached"),
        ({"host": "no-such-host.invalid"}, "cannot be reached"),
    ],
)
def test_a_server_that_cannot_be_used(database_url, change, what):
    url = make_url(database_url).set(**change).render_as_string(hide_password=False)
    engine = open_engine(url)
    with pytest.raises(DatabaseError, match=what) as caught, database_errors(url):
        engine.connect()
    assert "geheim" not in str(caught.value)
    assert caught.value.where.startswith(make_url(url).get_backend_name())
    assert caught.value.next_step
    engine.dispose()


def _number(connection: Connection) -> int:
    mysql = connection.dialect.name != "postgresql"
    return connection.scalar(text("SELECT CONNECTION_ID()" if mysql else "SELECT pg_backend_pid()"))


def _end_from_outside(engine: Engine, number: int) -> None:
    mysql = engine.dialect.name != "postgresql"
    killer = create_engine(engine.url, isolation_level="AUTOCOMMIT")
    with killer.connect() as other:
        other.execute(text(f"KILL {number}" if mysql else f"SELECT pg_terminate_backend({number})"))
    killer.dispose()


@SERVERS
def test_a_connection_that_the_server_ended_is_replaced(engine):
    with engine.connect() as connection:
        idle = _number(connection)
    _end_from_outside(engine, idle)
    with engine.connect() as connection:
        assert _number(connection) != idle


@SERVERS
def test_a_connection_lost_in_the_middle_is_explained(engine, database_url):
    with engine.connect() as connection:
        _end_from_outside(engine, _number(connection))
        with (
            pytest.raises(DatabaseError, match="ended the connection"),
            database_errors(database_url),
        ):
            connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_mysql_refuses_what_it_would_else_cut_off(engine, now):
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT @@time_zone")) == "+00:00"
        with pytest.raises(Exception, match="too long"):
            connection.execute(insert(limit).values(_bucket("x" * 256, now)))


def test_a_server_is_skipped_without_its_variable_unless_demanded(monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLES["postgresql"], raising=False)
    monkeypatch.delenv(DEMAND, raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"set {VARIABLES['postgresql']} to"):
        server_url("postgresql")
    monkeypatch.setenv(DEMAND, "1")
    with (
        pytest.raises(pytest.fail.Exception, match=VARIABLES["postgresql"]),
        bare_database("postgresql", tmp_path),
    ):
        pass  # pragma: no cover


# -- SQLite -----------------------------------------------------------------------------------------


def test_sqlite_needs_the_folder(tmp_path):
    with pytest.raises(DatabaseError, match=r"there is no folder .*missing"):
        open_engine(f"sqlite:///{tmp_path}/missing/x.db")


def test_sqlite_read_only_makes_no_file(tmp_path):
    with pytest.raises(DatabaseError, match=r"no database yet.*Run 'coursewire init'"):
        open_engine(f"sqlite:///{tmp_path}/x.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


@SQLITE_ONLY
def test_sqlite_is_set_up(engine, database_url):
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 1
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA busy_timeout")) == 10_000


def test_sqlite_read_only_changes_no_byte_even_after_a_crash(tmp_path):
    """The first to open a crashed database would else move the log's pages into the file."""
    path = tmp_path / "with space and %20.db"
    script = (
        "import os, sys\n"
        "from sqlalchemy import text\n"
        "from coursewire.storage.database.engine import open_engine\n"
        "engine = open_engine(sys.argv[1])\n"
        "with engine.begin() as connection:\n"
        "    connection.execute(text('CREATE TABLE t (a INTEGER)'))\n"
        "    connection.execute(text('INSERT INTO t VALUES (1)'))\n"
        f"os.kill(os.getpid(), {int(signal.SIGKILL)})\n"
    )
    url = f"sqlite:///{tmp_path}/with space and %2520.db"  # a URL, so % is written as %25
    killed = subprocess.run([sys.executable, "-c", script, url], check=False)
    assert killed.returncode == -signal.SIGKILL
    log = path.with_name(path.name + "-wal")
    before = path.read_bytes(), log.read_bytes()
    assert before[1], "the crash left nothing to recover, so this test shows nothing"
    engine = open_engine(url, read_only=True)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT a FROM t")).all() == [1]
    engine.dispose()
    assert (path.read_bytes(), log.read_bytes()) == before


@SQLITE_ONLY
def test_sqlite_readers_do_not_wait_for_a_writer(engine, now):
    with engine.begin() as writer:
        writer.execute(insert(limit).values(_bucket("a", now)))
        with engine.connect() as reader:
            assert reader.scalars(select(limit.c.bucket)).all() == []


@SQLITE_ONLY
def test_sqlite_locked_by_another(engine, database_url, now, monkeypatch):
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0)
    impatient = open_engine(database_url)
    with (
        writing(engine),
        impatient.connect() as connection,
        pytest.raises(DatabaseError, match="locked by another process"),
        database_errors(database_url),
    ):
        connection.execute(insert(limit).values(_bucket("a", now)))
    impatient.dispose()


def test_sqlite_file_that_is_something_else(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(hashlib.sha256(b"noise").digest() * 200)
    engine = open_engine(f"sqlite:///{path}")
    with pytest.raises(DatabaseError, match="damaged or no database"), database_errors(engine.url):
        engine.connect()
    engine.dispose()


def test_sqlite_folder_in_place_of_a_file(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}")
    with pytest.raises(DatabaseError, match="cannot be opened"), database_errors(engine.url):
        engine.connect()
    engine.dispose()


@SQLITE_ONLY
def test_sqlite_full(engine, database_url, now):
    with engine.connect() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(DatabaseError, match=r"disk is full.*audit prune"), database_errors(database_url):
            connection.execute(insert(limit), [_bucket(f"{n:0>250}", now) for n in range(1000)])


def test_a_fault_that_is_not_known_passes_through(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(Exception, match="syntax error"), database_errors(engine.url), engine.connect() as c:
        c.execute(text("SELEKT"))
    engine.dispose()

"""The engine of the database: SQLite on disk, PostgreSQL, MySQL or MariaDB, set up to behave alike.

Transactions read what is committed (READ COMMITTED, and in effect the same on SQLite), writers wait for each
other instead of failing, times are UTC, text that is too long is refused instead of cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from coursewire.errors import DatabaseError
from coursewire.storage.database.driver_errors import database_errors, describe

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["database_errors", "open_engine", "read_url", "writing"]

BUSY_TIMEOUT_S = 10
"""Time for which a SQLite writer waits for another one."""

CONNECT_TIMEOUT_S = 10
"""Time that a database server may take for its first answer."""

RECYCLE_S = 1800
"""Age at which a connection is replaced: firewalls drop silent ones, MySQL does after 8 hours."""

POOL_SIZE = 10
POOL_OVERFLOW = 20
"""Together with :data:`POOL_SIZE` nearly as many connections as ``asyncio.to_thread`` has threads (32)."""

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_SCHEMES = (
    "Use sqlite:///PATH, postgresql+psycopg://USER:PASSWORD@HOST/DATABASE "
    "or mysql+pymysql://USER:PASSWORD@HOST/DATABASE."
)
_MYSQL_SESSION = (
    "SET SESSION time_zone = '+00:00', default_storage_engine = 'InnoDB', "
    "sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION'"
)


def read_url(url: str) -> URL:
    """Read a database URL and name its driver.

    ``postgresql://``, ``mysql://`` and ``mariadb://`` mean the drivers that this package's extras install.

    Raises:
        DatabaseError: The text is no URL, or its database or driver is not supported.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password, so neither it nor the cause is shown.
        raise DatabaseError(
            "the database URL cannot be read",
            why="it does not have the form SCHEME://...; mind that special characters in a password are "
            "written with %",
            next_step=_SCHEMES,
        ) from None
    backend = parsed.drivername.partition("+")[0]
    if parsed.drivername not in (backend, _DRIVERS.get(backend)) or backend not in _DRIVERS:
        raise DatabaseError(
            "the database URL names a database or a driver that is not supported",
            why=f"its scheme is {parsed.drivername!r}",
            next_step=_SCHEMES,
        )
    return parsed.set(drivername=_DRIVERS[backend])


def open_engine(url: str, *, read_only: bool = False) -> Engine:
    """Make an engine that threads may share; nothing is connected yet.

    On SQLite a statement that writes begins a transaction with ``BEGIN IMMEDIATE`` and waits for its turn,
    while reading outside of it holds no lock. Code that must read and then write what it read uses
    :func:`writing`.

    Args:
        url: URL: ``sqlite:///PATH``, ``postgresql+psycopg://...``, ``mysql+pymysql://...`` or
            ``mariadb+pymysql://...``.
        read_only: True to make every write fail. A SQLite file must exist and stays byte for byte as it is.

    Raises:
        DatabaseError: The URL or the driver cannot be used, or the folder of the SQLite file is missing.
    """
    parsed = read_url(url)
    with database_errors(url):
        if parsed.get_backend_name() == "sqlite":
            return _open_sqlite(parsed, read_only=read_only)
        if parsed.get_backend_name() == "postgresql":
            return _open_postgresql(parsed, read_only=read_only)
        return _open_mysql(parsed, read_only=read_only)


def remove_side_files(engine: Engine) -> None:
    """Let SQLite take away the empty files that a read-only connection leaves beside the database.

    Only a connection that may write removes them, when it is the last one to close. A log that is not empty
    is another process's, or of one that died; it is left alone, so that the database stays as it is.
    """
    path = _read_only_path(engine)
    if path is None or not _is_empty(Path(f"{path}-wal")):
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=0)) as connection:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def _read_only_path(engine: Engine) -> Path | None:
    """Return the file of a read-only SQLite engine; None for any other engine."""
    query, database = engine.url.query, engine.url.database
    if engine.dialect.name != "sqlite" or query.get("mode") != "ro" or database is None:
        return None
    return Path(url2pathname(urlsplit(database).path))


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that may write from its first statement on, even if that statement reads.

    On SQLite no other process writes between its reads and its writes; elsewhere lock the rows that are
    read (``with_for_update``), which SQLite does not know and does not need here.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def _open_sqlite(url: URL, *, read_only: bool) -> Engine:
    path = Path(url.database or ":memory:")
    if str(path) == ":memory:" or str(path).startswith("file:"):
        raise DatabaseError(
            "the database URL names no file",
            where=describe(url),
            why="records must outlive the process",
            next_step="Write sqlite:///PATH, with a fourth slash if the path begins at the root.",
        )
    if not path.parent.is_dir():
        raise DatabaseError(
            "the database file cannot be made",
            where=describe(url),
            why=f"there is no folder {path.parent}",
            next_step="Run 'coursewire init', or make the folder, or correct COURSEWIRE_DATABASE_URL.",
        )
    if read_only:
        if not path.is_file():
            raise DatabaseError(
                "there is no database yet", where=describe(url), next_step="Run 'coursewire init'."
            )
        url = url.set(database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"})
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_use_lifo=True,  # each connection has a cache of its own: the one that was used last knows most
        # sqlite3's own control: it begins at the first INSERT, UPDATE, DELETE or REPLACE, in this mode.
        connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": "IMMEDIATE"},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    return engine


def _open_postgresql(url: URL, *, read_only: bool) -> Engine:
    return create_engine(
        url,
        **_SERVER_POOL,
        connect_args=_unless_given(url, connect_timeout=CONNECT_TIMEOUT_S, application_name="coursewire"),
        isolation_level="READ COMMITTED",
        execution_options={"postgresql_readonly": True} if read_only else {},
    )


def _open_mysql(url: URL, *, read_only: bool) -> Engine:
    engine = create_engine(
        url.update_query_dict({"charset": "utf8mb4"}),
        **_SERVER_POOL,
        connect_args=_unless_given(url, connect_timeout=CONNECT_TIMEOUT_S),
        isolation_level="READ COMMITTED",
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(_MYSQL_SESSION)
        if read_only:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.close()

    return engine


_SERVER_POOL: dict[str, Any] = {
    "hide_parameters": True,
    "pool_size": POOL_SIZE,
    "max_overflow": POOL_OVERFLOW,
    "pool_pre_ping": True,
    "pool_recycle": RECYCLE_S,
}


def _unless_given(url: URL, **arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in url.query}

"""Errors of database drivers as messages of ours, with the next step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from coursewire.errors import DatabaseError

EXCERPT_LENGTH = 300
"""Characters of the driver's own words that are repeated."""


class _Trouble(NamedTuple):
    what: str
    next_step: str


_BUSY = _Trouble(
    "the database is locked by another process",
    "Try again; if it stays so, find the process that keeps a transaction open.",
)
_READ_ONLY = _Trouble(
    "the database cannot be written",
    "A dry run never writes; for anything else give this user the right to write the database "
    "(for SQLite: the file and its folder).",
)
_FULL = _Trouble(
    "the database's disk is full", "Free some space, for instance with 'coursewire audit prune'."
)
_UNREACHABLE = _Trouble(
    "the database server cannot be reached",
    "Check that it runs and that COURSEWIRE_DATABASE_URL names its host and port.",
)
_LOST = _Trouble("the database server ended the connection", "Run the command again once the server is up.")
_REFUSED = _Trouble(
    "the database server refused the user name or password", "Correct them in COURSEWIRE_DATABASE_URL."
)
_FORBIDDEN = _Trouble(
    "the database user lacks a right", "Grant it all rights on this database; tables are its own."
)
_UNKNOWN = _Trouble(
    "the database does not exist", "Create it on the server, or correct COURSEWIRE_DATABASE_URL."
)
_NO_SCHEMA = _Trouble("the database lacks a table or a column", "Run 'coursewire init'.")
_OCCUPIED = _Trouble(
    "the database already has a table of that name", "Give Coursewire a database of its own, then run init."
)
_DAMAGED = _Trouble("the file is damaged or no database", "Restore it from a backup, or name another file.")
_UNUSABLE = _Trouble(
    "the database file cannot be opened or read",
    "Check the path, the disk, and the rights of this user on the file and its folder.",
)
_CROWDED = _Trouble(
    "the database has no free connection", "Run fewer workers, or allow the server more connections."
)

# https://www.sqlite.org/rescode.html, by the beginning of the name
_SQLITE = {
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_PERM": _READ_ONLY,
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR": _UNUSABLE,
    "SQLITE_CANTOPEN": _UNUSABLE,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_CORRUPT": _DAMAGED,
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "40P01": _BUSY,
    "55P03": _BUSY,
    "25006": _READ_ONLY,
    "53100": _FULL,
    "57P01": _LOST,
    "57P02": _LOST,
    "57P03": _UNREACHABLE,
    "28000": _REFUSED,
    "28P01": _REFUSED,
    "42501": _FORBIDDEN,
    "3D000": _UNKNOWN,
    "42P01": _NO_SCHEMA,
    "42703": _NO_SCHEMA,
    "42P07": _OCCUPIED,
    "53300": _CROWDED,
}
# https://dev.mysql.com/doc/mysql-errors/8.4/en/ and https://mariadb.com/kb/en/mariadb-error-code-reference/
_MYSQL = {
    1205: _BUSY,
    1213: _BUSY,
    1290: _READ_ONLY,
    1792: _READ_ONLY,
    1836: _READ_ONLY,
    1021: _FULL,
    1114: _FULL,
    2002: _UNREACHABLE,
    2003: _UNREACHABLE,
    1927: _LOST,
    2006: _LOST,
    2013: _LOST,
    1045: _REFUSED,
    1698: _REFUSED,
    1044: _FORBIDDEN,
    1142: _FORBIDDEN,
    1049: _UNKNOWN,
    1054: _NO_SCHEMA,
    1146: _NO_SCHEMA,
    1050: _OCCUPIED,
    1040: _CROWDED,
    1203: _CROWDED,
}
# Where the driver gives no code: SQLite's faults of a statement, and libpq while it connects. First hit wins.
_WORDS = {
    "no such table": _NO_SCHEMA,
    "no such column": _NO_SCHEMA,
    "has no column": _NO_SCHEMA,
    "already exists": _OCCUPIED,
    "FATAL:  role": _REFUSED,
    "password authentication failed": _REFUSED,
    "no password supplied": _REFUSED,
    "no pg_hba.conf entry": _REFUSED,
    "FATAL:  database": _UNKNOWN,
    "too many": _CROWDED,
    "remaining connection slots": _CROWDED,
    "server closed the connection": _LOST,
    "connection to server": _UNREACHABLE,
    "connection failed": _UNREACHABLE,
    "connection timeout": _UNREACHABLE,
    "resolve host": _UNREACHABLE,
}
_EXTRAS = {"psycopg": "postgresql", "pymysql": "mysql"}


def describe(url: str | URL) -> str:
    """Return the name of the database that a URL means, without user, password and options."""
    parsed = make_url(url)
    backend = parsed.drivername.partition("+")[0]
    if parsed.host is None:
        return f"{backend} {parsed.database or ''}".strip()
    port = f":{parsed.port}" if parsed.port else ""
    return f"{backend} {parsed.host}{port}/{parsed.database or ''}"


@contextmanager
def database_errors(url: str | URL) -> Iterator[None]:
    """Turn an exception of a driver inside the block into :class:`~coursewire.errors.DatabaseError`.

    Faults of the statement, such as a broken unique key, pass through.

    Args:
        url: URL of the database, whose name stands in the message; user, password and options are never shown.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _EXTRAS:
            raise
        raise DatabaseError(
            "the driver of this database is not installed",
            where=describe(url),
            why=f"there is no package {error.name!r}",
            next_step=f"Run: pip install 'coursewire[{_EXTRAS[error.name]}]'",
        ) from error
    except PoolTimeoutError as error:
        raise DatabaseError(_CROWDED.what, where=describe(url), next_step=_CROWDED.next_step) from error
    except DBAPIError as error:
        trouble = _trouble(error.orig)
        if trouble is None:
            raise
        raise DatabaseError(
            trouble.what, where=describe(url), why=_own_words(error.orig), next_step=trouble.next_step
        ) from error


def _trouble(error: BaseException | None) -> _Trouble | None:
    name = getattr(error, "sqlite_errorname", None)
    if name is not None:
        for beginning, trouble in _SQLITE.items():
            if name.startswith(beginning):
                return trouble
    if error is not None and error.args and isinstance(error.args[0], int):
        return _MYSQL.get(error.args[0])  # before the SQL state, which says less on MySQL
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return _POSTGRESQL.get(state)
    text = str(error)
    return next((trouble for words, trouble in _WORDS.items() if words in text), None)


def _own_words(error: BaseException | None) -> str:
    """Return the first line of the driver's message; later lines may repeat values, which may be personal."""
    args = error.args if error is not None else ()
    text = str(args[1] if len(args) > 1 and isinstance(args[0], int) else error)
    return text.strip().partition("\n")[0][:EXCERPT_LENGTH]

"""Databases for tests: fixtures that give each test a fresh one, and a counter of statements.

SQLite needs nothing. PostgreSQL and MariaDB are used when ``COURSEWIRE_TEST_POSTGRESQL`` and
``COURSEWIRE_TEST_MARIADB`` hold the URL of a user who may create databases; else those tests are skipped,
or fail with ``COURSEWIRE_TEST_DEMAND_DATABASES=1``. A test for one kind alone says
``@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)``.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, create_engine, event, make_url, text

from coursewire.storage.database.engine import open_engine, read_url
from coursewire.storage.database.schema import migrate
from coursewire.storage.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = {"postgresql": "COURSEWIRE_TEST_POSTGRESQL", "mariadb": "COURSEWIRE_TEST_MARIADB"}
DEMAND = "COURSEWIRE_TEST_DEMAND_DATABASES"
BACKENDS = ("sqlite", *VARIABLES)


@dataclass(slots=True)
class Statements:
    """The statements that were sent to the database, in order; a bulk statement counts once."""

    texts: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Return the number of statements."""
        return len(self.texts)


@contextmanager
def count_statements(engine: Engine) -> Iterator[Statements]:
    """Count the statements that the block sends; those that begin and end transactions do not count."""
    seen = Statements()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.texts.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def server_url(backend: str) -> str:
    """The URL of the server that tests of ``backend`` may create databases on; skips the test if there is none."""
    variable = VARIABLES[backend]
    url = os.environ.get(variable, "")
    if url:
        return url
    reason = f"set {variable} to the URL of a {backend} user who may create databases to run this"
    if os.environ.get(DEMAND) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def bare_database(backend: str, folder: Path) -> Iterator[str]:
    """An empty database without any table, dropped afterwards.

    Args:
        backend: ``sqlite``, ``postgresql`` or ``mariadb``.
        folder: Where SQLite puts its file.

    Yields:
        The URL.
    """
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'coursewire.db'}"
        return
    server = read_url(server_url(backend))
    name = f"coursewire_test_{secrets.token_hex(6)}"
    # A foreign character set as the default, to see that no table relies on the server's.
    how = "" if backend == "postgresql" else " CHARACTER SET latin1"
    force = " WITH (FORCE)" if backend == "postgresql" else ""
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}{how}"))
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            with admin.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name}{force}"))
    finally:
        admin.dispose()


@pytest.fixture(params=BACKENDS)
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables, once for each kind."""
    with bare_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Gives the URL of the session's migrated database of a kind; for :func:`database_url`."""
    urls: dict[str, str] = {}
    with ExitStack() as cleanup:

        def get(backend: str) -> str:
            if backend not in urls:
                url = cleanup.enter_context(bare_database(backend, tmp_path_factory.mktemp(backend)))
                with _opened(url) as engine:
                    migrate(engine)
                urls[backend] = url
            return urls[backend]

        yield get


@pytest.fixture(params=BACKENDS)
def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_database: Callable[[str], str]
) -> str:
    """URL of a database with all tables and no rows, once for each kind."""
    url = migrated_database(request.param)
    if request.param == "sqlite":
        path = tmp_path / "coursewire.db"
        shutil.copyfile(make_url(url).database or "", path)
        return f"sqlite:///{path}"
    with _opened(url) as engine, engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on :func:`database_url`."""
    with _opened(database_url) as engine:
        yield engine


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()

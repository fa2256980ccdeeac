"""Setting up an installation: its data folder, its secret key and its database."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from coursewire.configurations.secrets import SecretBox
from coursewire.errors import SettingsError
from coursewire.settings import Settings
from coursewire.storage.database.driver_errors import database_errors, describe
from coursewire.storage.database.engine import open_engine
from coursewire.storage.database.schema import migrate, schema_state


@dataclass(frozen=True, slots=True)
class SetUp:
    """The result of setting up an installation.

    Attributes:
        data_dir: Path of the data folder.
        data_dir_made: True when the folder was made, False when it was there.
        secret_key: Path of the key file, or the name of the variable that holds the key.
        key_made: True when the key was made, False when it was there.
        database: A name of the database for people, without a password.
        schema: The revision of the schema that the database has now.
        migrations: The revisions that were applied, oldest first; empty when it was up to date.
    """

    data_dir: str
    data_dir_made: bool
    secret_key: str
    key_made: bool
    database: str
    schema: str | None
    migrations: list[str]


def set_up(settings: Settings) -> SetUp:
    """Make what an installation needs and does not have yet; bring its database up to date.

    Args:
        settings: The settings of the installation.

    Raises:
        SetupError: The folder, the key or the database cannot be made or used.
    """
    data_dir_made = not settings.data_dir.is_dir()
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            "the data folder cannot be made",
            where=str(settings.data_dir),
            why=error.strerror or "",
            next_step="Correct COURSEWIRE_DATA_DIR, or the rights of the folder above it.",
        ) from error
    key_made = settings.secret_key is None and not settings.secret_key_file.exists()
    if key_made:
        SecretBox.create_key_file(settings.secret_key_file)
    SecretBox.open(settings)
    with database_errors(settings.database_url):
        engine = open_engine(settings.database_url)
        _keep_private(engine.url)
        try:
            migrations = migrate(engine)
            schema = schema_state(engine).current
        finally:
            engine.dispose()
    return SetUp(
        data_dir=str(settings.data_dir),
        data_dir_made=data_dir_made,
        secret_key=str(settings.secret_key_file) if settings.secret_key is None else "COURSEWIRE_SECRET_KEY",
        key_made=key_made,
        database=describe(settings.database_url),
        schema=schema,
        migrations=migrations,
    )


def _keep_private(url: URL) -> None:
    """Make a new database file readable by nobody else: it holds learners' results."""
    if url.get_backend_name() == "sqlite" and url.database:
        with suppress(OSError):  # SQLite says better what is wrong
            Path(url.database).touch(mode=0o600)

"""``coursewire init``: make an installation, or bring it up to date."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from coursewire.cli.options import Json
from coursewire.cli.output import put, put_check, put_json
from coursewire.configurations.secrets import SecretBox
from coursewire.errors import SettingsError
from coursewire.settings import Settings
from coursewire.storage.database.driver_errors import database_errors, describe
from coursewire.storage.database.engine import open_engine
from coursewire.storage.database.schema import migrate, schema_state


def init(json: Json = False) -> None:
    """Make the data folder, the secret key and the database.

    Run it again after an upgrade: it brings the database up to date and leaves everything else as it is.
    """
    settings = Settings.load()
    done = set_up(settings)
    if json:
        put_json(done)
        return
    put_check(True, f"data folder {done['data_dir']}" + (" made" if done["data_dir_made"] else ""))
    if done["key_made"]:
        put_check(
            True,
            f"secret key {done['secret_key']} made",
            "Keep a copy of it in a safe place: without it the stored secrets are lost.",
        )
    else:
        put_check(True, f"secret key: {done['secret_key']}")
    count = len(done["migrations"])
    news = f"brought to schema {done['schema']} in {count} steps" if count else f"at schema {done['schema']}"
    put_check(True, f"database {done['database']} {news}")
    put("Next: coursewire load BUNDLE, then coursewire config add --file FILE", style="dim")


def set_up(settings: Settings) -> dict[str, Any]:
    """Make what an installation needs and does not have yet.

    Returns:
        What was made: the stable form that ``init --json`` prints.

    Raises:
        SetupError: The folder, the key or the database cannot be made or used.
    """
    folder_made = not settings.data_dir.is_dir()
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
            applied = migrate(engine)
            schema = schema_state(engine).current
        finally:
            engine.dispose()
    return {
        "data_dir": str(settings.data_dir),
        "data_dir_made": folder_made,
        "secret_key": str(settings.secret_key_file)
        if settings.secret_key is None
        else "COURSEWIRE_SECRET_KEY",
        "key_made": key_made,
        "database": describe(settings.database_url),
        "schema": schema,
        "migrations": applied,
    }


def _keep_private(url: URL) -> None:
    """Make a new database file readable by nobody else: it holds learners' results."""
    if url.get_backend_name() == "sqlite" and url.database:
        with suppress(OSError):  # SQLite says better what is wrong
            Path(url.database).touch(mode=0o600)

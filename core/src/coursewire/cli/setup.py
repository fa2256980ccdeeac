"""``coursewire init``, ``load`` and ``channels``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coursewire.cli import doctor
from coursewire.cli.options import Json

if TYPE_CHECKING:
    from sqlalchemy import URL

    from coursewire.settings import Settings
    from coursewire.sources.database import LoadReport

PROBLEMS_SHOWN = 20
"""Refused lines that a person is shown; ``--json`` lists all that the report keeps."""

_PANEL = "Set up"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=_PANEL)(init)
    app.command(rich_help_panel=_PANEL)(load)
    app.command(rich_help_panel=_PANEL)(channels)
    app.command("doctor", rich_help_panel=_PANEL)(doctor.doctor)


def init(json: Json = False) -> None:
    """Make the data folder, the secret key and the database.

    Run it again after an upgrade: it brings the database up to date and leaves everything else as it is.
    """
    from coursewire.cli.output import put, put_check, put_json
    from coursewire.settings import Settings

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
    from coursewire.configurations.secrets import SecretBox
    from coursewire.errors import SettingsError
    from coursewire.storage.database.driver_errors import database_errors, describe
    from coursewire.storage.database.engine import open_engine
    from coursewire.storage.database.schema import migrate, schema_state

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
    from contextlib import suppress

    if url.get_backend_name() == "sqlite" and url.database:
        with suppress(OSError):  # SQLite says better what is wrong
            Path(url.database).touch(mode=0o600)


def load(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="Folder of JSON-lines files.", show_default=False)
    ],
    json: Json = False,
) -> None:
    """Load customers, catalogs, content and results from a bundle.

    Loading again updates what is there. Exit status: 1 when lines were refused, 2 when nothing could be read.
    """
    from coursewire.cli.common import open_installation
    from coursewire.cli.output import note, progress
    from coursewire.sources.database import load_bundle

    with open_installation() as installation:
        if installation.settings.source != "database":
            note(
                f"The source of this installation is {installation.settings.source!r}: "
                "what is loaded here is kept, but not used.",
                style="yellow",
            )
        with progress() as track:
            report = load_bundle(installation.engine, bundle, progress=track(""))
    _show_load(report, json=json)
    if report.refused:
        sound = sum(file.new + file.changed + file.unchanged for file in report.files.values())
        raise typer.Exit(1 if sound else 2)


def _show_load(report: LoadReport, *, json: bool) -> None:
    from dataclasses import asdict

    from coursewire.cli.output import note, put_json, put_table

    if json:
        for problem in report.problems:
            put_json({"refused": asdict(problem)})
        files = {name: asdict(file) for name, file in report.files.items()}
        put_json({"files": files, "refused": report.refused, "warnings": report.warnings})
        return
    numbers = ("new", "changed", "unchanged", "refused")
    rows = [
        (name, *(f"{getattr(file, number):,}" for number in numbers)) for name, file in report.files.items()
    ]
    put_table(("file", *numbers), rows, right=numbers)
    for warning in report.warnings:
        note(f"note: {warning}", style="yellow")
    for problem in report.problems[:PROBLEMS_SHOWN]:
        note(f"refused: {problem}", style="red")
    more = report.refused - PROBLEMS_SHOWN
    if more > 0:
        note(f"and {more:,} more refused lines; --json lists them", style="red")


def channels(json: Json = False) -> None:
    """Show the installed channels, and why one could not be loaded."""
    from dataclasses import asdict

    from coursewire.cli.output import put, put_json, put_table
    from coursewire.plugins.loading import load_channels
    from coursewire.plugins.registry import CHANNELS
    from coursewire.settings import Settings

    settings = Settings.load()
    report = load_channels(allowed=settings.channels, hooks_file=settings.hooks_file).report
    if json:
        for row in report:
            put_json(asdict(row))
        return
    rows = [
        (
            row.code or row.name,
            row.state.value,
            row.title or ("operator's hooks" if row.group != CHANNELS else ""),
            f"{row.distribution} {row.version}".strip(),
        )
        for row in report
    ]
    put_table(
        ("channel", "state", "title", "distribution"),
        rows,
        empty="No channel is installed. Install one, for example: pip install coursewire-canvas",
    )
    for row in report:
        if row.reason:
            put()
            put(f"{row.where} is {row.state.value}", style="bold")
            put(f"  {row.reason}")

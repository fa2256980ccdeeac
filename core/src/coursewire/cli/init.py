"""``coursewire init``: make an installation, or bring it up to date."""

from __future__ import annotations

from dataclasses import asdict

from coursewire.cli.options import Json
from coursewire.cli.output import put, put_check, put_json
from coursewire.operations.set_up import set_up
from coursewire.settings import Settings


def init(json: Json = False) -> None:
    """Make the data folder, the secret key and the database.

    Run it again after an upgrade: it brings the database up to date and leaves everything else as it is.
    """
    done = set_up(Settings.load())
    if json:
        put_json(asdict(done))
        return
    put_check(True, f"data folder {done.data_dir}" + (" made" if done.data_dir_made else ""))
    if done.key_made:
        put_check(
            True,
            f"secret key {done.secret_key} made",
            "Keep a copy of it in a safe place: without it the stored secrets are lost.",
        )
    else:
        put_check(True, f"secret key: {done.secret_key}")
    count = len(done.migrations)
    news = f"brought to schema {done.schema} in {count} steps" if count else f"at schema {done.schema}"
    put_check(True, f"database {done.database} {news}")
    put("Next: coursewire load BUNDLE, then coursewire config add --file FILE", style="dim")

"""``coursewire config new-key`` and ``rotate-key``: the key that protects stored secrets."""

from __future__ import annotations

from dataclasses import asdict

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import Json
from coursewire.cli.output import note, put, put_json
from coursewire.configurations import secrets


def new_key(json: Json = False) -> None:
    """Print a new secret key. It is stored nowhere."""
    key = secrets.new_key()
    if json:
        put_json({"key": key})
    else:
        typer.echo(key)


def rotate_key(json: Json = False) -> None:
    """Encrypt every stored secret with the first of the keys, so that the others can be removed.

    Put the new key in front of the old one first: in COURSEWIRE_SECRET_KEY with a comma between, in the key file
    on a line of its own. Exit status 1 when a secret could not be read with any key.
    """
    with open_host() as host:
        report = host.rotate_key()
    if json:
        put_json(asdict(report))
    else:
        put(f"{report.renewed} secrets encrypted anew, {report.current} had the first key already.")
    for each in report.unreadable:
        note(f"unreadable with any key: {each.name} of configuration {each.configuration}", style="red")
    if report.unreadable:
        raise typer.Exit(1)

"""``coursewire channels``: the installed plugins, and what became of each."""

from __future__ import annotations

from dataclasses import asdict

from coursewire.cli.installed import installed_channels
from coursewire.cli.options import Json
from coursewire.cli.output import put, put_json, put_table
from coursewire.plugins.registry import CHANNELS


def channels(json: Json = False) -> None:
    """Show the installed channels, and why one could not be loaded."""
    report = installed_channels().report
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

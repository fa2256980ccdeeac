"""``coursewire audit prune``: delete what is older than the retention time."""

from __future__ import annotations

from typing import Annotated

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import Json
from coursewire.cli.output import put, put_json


def prune(
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, metavar="N", help="Keep so many days, not those of the settings."),
    ] = None,
    json: Json = False,
) -> None:
    """Delete attempts and jobs that are older than the retention time. Records are never deleted."""
    with open_host() as host:
        before, deleted = host.history.prune(days=days)
    if json:
        put_json({"before": before, "deleted": deleted})
    else:
        put(
            f"Deleted {deleted['transmission']:,} attempts and {deleted['job']:,} jobs "
            f"from before {before:%Y-%m-%d %H:%M} UTC."
        )

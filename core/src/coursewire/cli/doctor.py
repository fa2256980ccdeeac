"""``coursewire doctor``: a check of everything that runs need."""

from __future__ import annotations

from dataclasses import asdict

import typer

from coursewire.cli.options import Json
from coursewire.cli.output import put_check, put_json
from coursewire.operations.diagnosis import diagnose


def doctor(json: Json = False) -> None:
    """Check whether everything is here that runs need.

    Settings, key, database, channels, configurations, source, clock and disk. Exit status 1 if something is wrong.
    """
    wrong = 0
    for finding in diagnose():
        wrong += not finding.good
        if json:
            put_json(asdict(finding))
        else:
            put_check(finding.good, f"{finding.name}: {finding.text}", finding.next_step)
    if wrong:
        raise typer.Exit(1)

"""The commands that turn content into payloads: ``preview``, ``plan``, ``transmit``."""

from __future__ import annotations

import typer

from coursewire.cli import preview, runs

_PANEL = "Transmit"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=_PANEL)(preview.preview)
    app.command(rich_help_panel=_PANEL)(runs.plan)
    app.command(rich_help_panel=_PANEL)(runs.transmit)

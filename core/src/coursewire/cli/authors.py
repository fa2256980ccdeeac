"""What authors of channels use: ``coursewire new-channel`` and ``conformance``."""

from __future__ import annotations

import typer

from coursewire.cli import conformance, new_channel

_PANEL = "Write a channel"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("new-channel", rich_help_panel=_PANEL)(new_channel.new_channel)
    app.command("conformance", rich_help_panel=_PANEL)(conformance.conformance)

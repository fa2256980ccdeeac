"""The ``coursewire`` command."""

from coursewire.cli.app import main

__all__ = ["main"]

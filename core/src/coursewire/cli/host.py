"""The host that commands work on, and the name of who runs them."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from coursewire.host import Host
from coursewire.installation import Installation
from coursewire.observability.logs import set_up_logs
from coursewire.observability.tracing import send_away
from coursewire.settings import Settings
from coursewire.storage.database.driver_errors import database_errors


@contextmanager
def open_host(*, read_only: bool = False, settings: Settings | None = None) -> Iterator[Host]:
    """Open the installation that the settings describe, for one command; errors of its database are ours.

    Args:
        read_only: Refuse every write to the database.
        settings: The settings; read from the environment and the settings file when left out.

    Raises:
        CoursewireError: The settings or the database cannot be used; also every error of the block.
    """
    settings = settings or Settings.load()
    set_up_logs(settings)
    if settings.traces:
        send_away()
    installation = Installation(settings, read_only=read_only)
    try:
        with database_errors(settings.database_url):
            yield Host(installation=installation)
    finally:
        installation.close()


def actor() -> str:
    """Return the name of the user who runs the command, for histories."""
    try:
        return getpass.getuser()
    except OSError:  # a container's user without a name
        return "command"

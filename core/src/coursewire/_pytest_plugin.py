"""The plugin that an installed Coursewire adds to pytest: it records and replays cassettes.

It is loaded in every run of pytest beside which Coursewire is installed, so that it imports nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--record-cassettes``."""
    parser.getgroup("coursewire").addoption(
        "--record-cassettes",
        metavar="FILE",
        help="record cassettes anew, from the tenant of this configuration file, or from the channel's "
        "simulator with the word 'simulator'; without this option they are replayed",
    )


@pytest.fixture
def cassettes(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return the player of a channel's cassettes: see ``coursewire.testing.cassettes.Player``."""
    from coursewire.testing.cassettes import make_players  # noqa: PLC0415 - see above

    return make_players(request)

"""For channel authors: the conformance suite, the simulator base, and the fixtures that go with them.

::

    from coursewire.testing import ChannelSuite


    class TestAcme(ChannelSuite):
        channel = plugin
        golden = Path(__file__).parent / "golden"
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coursewire.testing.cassette_replay import UnrecordedRequestError
    from coursewire.testing.cassette_scan import Finding, scan_cassettes
    from coursewire.testing.cassettes import Player
    from coursewire.testing.conformance.running import CheckResult, Outcome, run_suite
    from coursewire.testing.conformance.suite import ChannelSuite
    from coursewire.testing.scrubbing import Scrubbing
    from coursewire.testing.sessions import open_session

__all__ = [
    "ChannelSuite",
    "CheckResult",
    "Finding",
    "Outcome",
    "Player",
    "Scrubbing",
    "UnrecordedRequestError",
    "open_session",
    "run_suite",
    "scan_cassettes",
]

_HOMES = {"ChannelSuite": "suite", "CheckResult": "running", "Outcome": "running", "run_suite": "running"}

_BESIDE = {
    "Finding": "cassette_scan",
    "Player": "cassettes",
    "Scrubbing": "scrubbing",
    "UnrecordedRequestError": "cassette_replay",
    "open_session": "sessions",
    "scan_cassettes": "cassette_scan",
}


def __getattr__(name: str) -> Any:
    # On first use: simulators import this package too, and need none of it.
    if name in _BESIDE:
        return getattr(import_module(f"{__name__}.{_BESIDE[name]}"), name)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.conformance.{_HOMES[name]}"), name)

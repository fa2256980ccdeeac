"""The conformance suite on an installed channel, told as JSON lines.

``python -m coursewire.testing.report NAME`` takes the name of the entry point. It prints one object a line:

- ``{"event": "begin", "total": 44}`` when it is known how many checks there are,
- ``{"event": "check", "name", "title", "capability", "outcome", "message", "explained", "seconds"}`` as each one
  ends; the outcome is ``passed``, ``failed``, ``skipped`` or ``not applicable``,
- ``{"event": "end"}`` when all have run, or ``{"event": "error", "message"}`` when they could not.

It is what ``coursewire conformance`` runs, as a process of its own: no command imports the test kit.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from coursewire.plugins.faults import describe
from coursewire.plugins.loading import load_channel_object
from coursewire.plugins.registry import CHANNELS
from coursewire.testing import ChannelSuite, run_suite
from coursewire.testing.conformance.checks import Fault
from coursewire.testing.conformance.kit import make_simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coursewire.testing import CheckResult


def plugin_of(name: str) -> Any:
    """The plugin that the entry point of this name offers.

    Raises:
        LookupError: None, or several, have this name.
    """
    found = list(entry_points(group=CHANNELS, name=name))
    if len(found) != 1:
        raise LookupError(f"{len(found)} installed channels have the entry point {name!r}")
    return found[0].load()


def tell(stream: BinaryIO, event: str, **more: Any) -> None:
    """Print one line, at once."""
    stream.write(orjson.dumps({"event": event, **more}, option=orjson.OPT_APPEND_NEWLINE))
    stream.flush()


def report(name: str, stream: BinaryIO) -> bool:
    """Run the suite on the channel with this entry point; False when it could not be run to its end."""

    def tell_check(result: CheckResult) -> None:
        tell(
            stream,
            "check",
            name=result.name,
            title=result.title,
            capability=result.capability,
            outcome=result.outcome.value,
            message=result.message,
            explained=result.explained,
            seconds=round(result.duration_s, 3),
        )

    try:
        plugin = plugin_of(name)
        make_simulator(load_channel_object(plugin).channel)  # without it every single check would say so
        suite: type[ChannelSuite] = type("Suite", (ChannelSuite,), {"channel": plugin})
        tell(stream, "begin", total=len(suite.checks()))
        run_suite(plugin, progress=tell_check)
    except Fault as fault:
        tell(stream, "error", message=f"{fault.what}: {fault.seen}")
        return False
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything; the command says what
        tell(stream, "error", message=describe(error))
        return False
    tell(stream, "end")
    return True


def main(args: Sequence[str]) -> int:
    """Run the suite; returns the exit status, which is 0 also when checks failed."""
    (name,) = args
    # What checks and plugins print goes with the errors; the lines go where standard output was.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as stream:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return 0 if report(name, stream) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The conformance suite on an installed channel, told as JSON lines.

``python -m coursewire.testing.report NAME`` takes the name of the entry point. It prints one object a line:

- ``{"event": "begin", "total": 44}`` when the checks are known,
- ``{"event": "check", "name", "title", "topic", "outcome", "message", "seconds"}`` as each one ends, the outcome
  ``passed``, ``failed`` or ``skipped``,
- ``{"event": "end"}`` when all have run, or ``{"event": "error", "message"}`` when they could not.

It is what ``coursewire conformance`` runs, as a process of its own: no command imports the test kit.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from coursewire.channels.registry import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

MODULE = """
from coursewire.testing import ChannelSuite
from coursewire.testing.report import plugin_of


class TestInstalledChannel(ChannelSuite):
    channel = plugin_of({name!r})
"""


def plugin_of(name: str) -> Any:
    """The plugin that the entry point of this name offers.

    Raises:
        LookupError: None, or several, have this name.
    """
    found = list(entry_points(group=CHANNELS, name=name))
    if len(found) != 1:
        raise LookupError(f"{len(found)} installed channels have the entry point {name!r}")
    return found[0].load()


class Teller:
    """A plugin of pytest's that tells what happens.

    Args:
        stream: Where the lines go.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._checks: dict[str, dict[str, str]] = {}
        self.wrong = ""

    def tell(self, **event: Any) -> None:
        """Print one line, at once."""
        self._stream.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
        self._stream.flush()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what speaks against collecting the checks."""
        if report.failed:
            self.wrong = report.longreprtext

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know the checks, and tell how many there are."""
        for item in session.items:
            function = getattr(item, "function", None)
            check = getattr(function, "check", None)
            self._checks[item.nodeid] = {
                "name": item.name,
                "title": getattr(check, "title", "") or item.name.removeprefix("test_").replace("_", " "),
                "topic": getattr(function, "__module__", "").rpartition(".")[2].replace("_", " "),
            }
        self.tell(event="begin", total=len(session.items))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell how a check ended: by its own call, or by what went wrong around it."""
        if report.when == "call" or not report.passed:
            self.tell(
                event="check",
                **self._checks[report.nodeid],
                outcome=report.outcome,
                message=_message(report),
                seconds=round(report.duration, 3),
            )


def _message(report: pytest.TestReport) -> str:
    if report.passed:
        return ""
    if isinstance(report.longrepr, tuple):  # of a skip: file, line, reason
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else report.longreprtext
    return str(text).partition("NonconformanceError: ")[2] or str(text)


def main(args: Sequence[str]) -> int:
    """Run the suite; returns the exit status, which is 0 also when checks failed."""
    import pytest  # noqa: PLC0415 - an extra; who has not got it is told so by the command

    (name,) = args
    # What checks print is theirs; the lines go where standard output was when all began.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as stream, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test_installed_channel.py"
        file.write_text(MODULE.format(name=name), encoding="utf-8")
        settings = Path(folder) / "pytest.ini"
        settings.write_text("[pytest]\n", encoding="utf-8")
        teller = Teller(stream)
        # The suite alone: no settings, options or plugins of the place where it is called.
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        for variable in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
            os.environ.pop(variable, None)
        status = pytest.main(
            [
                "-c",
                str(settings),
                "--rootdir",
                folder,
                "-p",
                "no:cacheprovider",
                "-p",
                "no:terminal",
                str(file),
            ],
            plugins=[teller],
        )
        if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            teller.tell(event="end")
            return 0
        if status == pytest.ExitCode.INTERRUPTED and not teller.wrong:
            return 130
        teller.tell(
            event="error", message=teller.wrong or f"pytest ended with {pytest.ExitCode(status).name}"
        )
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

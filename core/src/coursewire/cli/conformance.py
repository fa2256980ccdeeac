"""``coursewire conformance``: what an installed channel declares, and whether it holds.

The checks are those of ``coursewire.testing.ChannelSuite``. They run in a process of their own, since no command
imports the test kit.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from coursewire.cli.installed import installed_channels
from coursewire.cli.options import Json
from coursewire.cli.output import progress, put, put_check, put_json, put_table
from coursewire.errors import ChannelLoadError, ConfigurationError
from coursewire.plugins.describe import capabilities_in_words, limits_in_words
from coursewire.plugins.registry import LoadedChannel

_REPORT = "coursewire.testing.report"
_LAST_WORDS = 2000
"""The number of characters of a run's last output that are shown when it broke off."""

_COLOURS = {"passed": "green", "failed": "bold red", "skipped": "yellow", "not applicable": "dim"}
"""The colour of every result; red needs a person, yellow was left out on purpose."""


@dataclass
class Report:
    """The results of a run of the suite.

    Attributes:
        checks: One dictionary for each check, in the order in which they ran; see :mod:`coursewire.testing.report`.
    """

    checks: list[dict[str, Any]] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        """Return the number of checks with this result, such as ``passed``."""
        return sum(check["outcome"] == outcome for check in self.checks)

    def by_capability(self) -> dict[str, list[dict[str, Any]]]:
        """Return the checks by the capability that calls for them; "" for those that every channel must pass."""
        found: dict[str, list[dict[str, Any]]] = {}
        for check in self.checks:
            found.setdefault(check["capability"], []).append(check)
        return found

    @property
    def conformant(self) -> bool:
        """True when at least one check passed and none failed."""
        return bool(self.count("passed")) and not self.count("failed")

    @property
    def sentence(self) -> str:
        """The counts in words."""
        seconds = sum(check["seconds"] for check in self.checks)
        counts = ", ".join(f"{self.count(outcome)} {outcome}" for outcome in _COLOURS if self.count(outcome))
        return f"{len(self.checks)} checks: {counts}, in {seconds:.1f} s"


def conformance(
    channel: Annotated[str, typer.Argument(metavar="CODE", help="Code of the channel.", show_default=False)],
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a README or a page.")
    ] = False,
    json: Json = False,
) -> None:
    """Check whether a channel keeps what every channel must.

    The channel runs against its own simulator; which checks are made follows from what it declares.
    Exit status: 0 when all hold, 1 when one does not.
    """
    if json and markdown:
        raise typer.BadParameter("--json and --markdown do not go together")
    loaded = installed_channels().get(channel.upper())
    _require_simulator(loaded)
    report = Report()
    with progress() as track:
        show = track(loaded.channel.code)
        for total, check in _run(loaded):
            report.checks.append(check)
            if json:
                put_json(check)
            show("checks", len(report.checks), total)
    if json:
        put_json(_summary(loaded, report))
    elif markdown:
        _print_markdown(loaded, report)
    else:
        _print(loaded, report)
    if not report.conformant:
        raise typer.Exit(1)


def _require_simulator(loaded: LoadedChannel) -> None:
    if loaded.channel.simulator is None:
        raise ConfigurationError(
            f"channel {loaded.channel.code} has no simulator, so nothing can be sent and counted",
            where=loaded.where,
            next_step='Its authors name one in declare_channel: simulator="package.module:Class", built on '
            "coursewire.testing.simulator.Simulator.",
        )


def _run(loaded: LoadedChannel) -> Iterator[tuple[int, dict[str, Any]]]:
    """Run the checks in a process of their own.

    Yields:
        The number of all checks, and one check as it ends.

    Raises:
        ChannelLoadError: The checks broke off.
    """
    total, ended, wrong = 0, False, ""
    with TemporaryFile() as errors:
        with subprocess.Popen(  # noqa: S603 - our own module, and the name of something installed
            [sys.executable, "-m", _REPORT, loaded.name], stdout=subprocess.PIPE, stderr=errors
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                event = orjson.loads(line)
                match event.pop("event"):
                    case "begin":
                        total = event["total"]
                    case "check":
                        yield total, event
                    case "error":
                        wrong = event["message"]
                    case "end":
                        ended = True
        if ended:
            return
        errors.seek(0)
        wrong = wrong or errors.read().decode("utf-8", "replace").strip()
    raise ChannelLoadError(
        f"the checks of channel {loaded.channel.code} broke off",
        where=loaded.where,
        why=wrong[-_LAST_WORDS:] or f"the process ended with status {process.returncode} without a word",
        next_step="Install what its simulator needs (pip install 'coursewire[testing]' brings the test kit); the "
        "channel's own tests show where it broke off.",
    )


def _result(check: dict[str, Any]) -> str:
    """Return the result of a check; one that could be made with a folder only is not called "not applicable"."""
    needs_a_folder = check["outcome"] == "not applicable" and check["message"]
    return "needs a folder" if needs_a_folder else str(check["outcome"])


def _print(loaded: LoadedChannel, report: Report) -> None:
    """Print the report for a person."""
    put(f"{loaded.channel.title}: {loaded.where}, for plugin API {loaded.channel.requires_api}", style="bold")
    put()
    rows: list[tuple[object, ...]] = []
    for capability, checks in report.by_capability().items():
        rows += [
            (
                (capability or "every channel") if number == 0 else "",
                check["title"],
                Text(_result(check), _COLOURS[check["outcome"]]),
            )
            for number, check in enumerate(checks)
        ]
    put_table(("for", "what must hold", "result"), rows)
    put()
    put_table(("what it can do", "declared"), capabilities_in_words(loaded.channel).items())
    put()
    put_table(("limit", "value"), limits_in_words(loaded.channel).items())
    for check in report.checks:
        if check["outcome"] in ("skipped", "failed"):
            put()
            put(f"{check['outcome']}: {check['name']}", style=_COLOURS[check["outcome"]])
            for line in check["message"].splitlines():
                put(line.strip(), indent=2)
    put()
    verdict = "conforms" if report.conformant else "does not conform"
    put_check(report.conformant, f"{loaded.channel.code} {verdict}. {report.sentence}.")


def _print_markdown(loaded: LoadedChannel, report: Report) -> None:
    """Print the report as Markdown."""
    verdict = "conforms" if report.conformant else "does **not** conform"
    parts = [
        f"# Conformance of {loaded.channel.code}",
        f"{loaded.channel.title}, by {loaded.distribution} {loaded.version}: {verdict}. {report.sentence}.",
        "## Checks",
        _markdown_table(
            ("for", "what must hold", "result"),
            [
                (check["capability"] or "every channel", check["title"], _result(check))
                for check in report.checks
            ],
        ),
        *(
            f"### {check['name']}\n\n```text\n{check['message']}\n```"
            for check in report.checks
            if check["outcome"] == "failed"
        ),
        "## Capabilities",
        _markdown_table(("capability", "answer"), capabilities_in_words(loaded.channel).items()),
        "## Limits",
        _markdown_table(("limit", "value"), limits_in_words(loaded.channel).items()),
    ]
    sys.stdout.write("\n\n".join(parts) + "\n")


def _markdown_table(columns: tuple[str, ...], rows: Any) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def _summary(loaded: LoadedChannel, report: Report) -> dict[str, Any]:
    """Return the stable form of the report."""
    channel = loaded.channel
    return {
        "channel": channel.code,
        "title": channel.title,
        "distribution": loaded.distribution,
        "version": loaded.version,
        "requires_api": channel.requires_api,
        "conformant": report.conformant,
        **{outcome.replace(" ", "_"): report.count(outcome) for outcome in _COLOURS},
        "capabilities": {
            name: sorted(value) if name == "content_types" else value
            for name, value in channel.capabilities.model_dump(mode="json").items()
        },
        "limits": channel.limits.model_dump(mode="json"),
    }

"""``coursewire conformance``: what an installed channel declares, and whether it holds.

The checks are those of ``coursewire.testing.ChannelSuite``. They run in a process of their own, since no command
imports the test kit: what operators run does not depend on pytest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coursewire.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from coursewire.channels.registry import LoadedChannel

_REPORT = "coursewire.testing.report"
_LAST_WORDS = 2000
"""So much of what a run printed last is shown when it broke off."""

_MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}
_COLOURS = {"passed": "green", "failed": "red", "skipped": "yellow"}


@dataclass
class Report:
    """What a run of the suite said.

    Attributes:
        checks: One a check, in the order in which they ran: name, title, topic, outcome, message, seconds.
    """

    checks: list[dict[str, Any]] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        """How many checks ended so."""
        return sum(check["outcome"] == outcome for check in self.checks)

    @property
    def conformant(self) -> bool:
        """True when checks were made and none failed."""
        return bool(self.count("passed")) and not self.count("failed")

    @property
    def sentence(self) -> str:
        """The counts, for people."""
        seconds = sum(check["seconds"] for check in self.checks)
        counts = ", ".join(f"{self.count(outcome)} {outcome}" for outcome in _MARKS if self.count(outcome))
        return f"{len(self.checks)} checks: {counts or 'none made'}, in {seconds:.1f} s"


def conformance(
    channel: Annotated[str, typer.Argument(metavar="CODE", help="Code of the channel.", show_default=False)],
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a README or a page.")
    ] = False,
    json: Json = False,
) -> None:
    """Check an installed channel against its simulator: does it keep what every channel must?

    Which checks are made follows from what it declares. Exit status: 0 when all hold, 1 when one does not.
    """
    from coursewire.channels.loading import load_channels
    from coursewire.cli.output import put_json
    from coursewire.config.settings import Settings

    if json and markdown:
        raise typer.BadParameter("--json and --markdown do not go together")
    settings = Settings.load()
    loaded = load_channels(allowed=settings.channels, hooks_file=settings.hooks_file).get(channel.upper())
    _check_simulator(loaded)
    _check_kit(loaded)
    report = Report()
    with _progress(loaded) as show:
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


def _progress(loaded: LoadedChannel) -> Any:
    from contextlib import contextmanager

    from coursewire.cli.output import progress

    @contextmanager
    def tracked() -> Iterator[Callable[[str, int, int], None]]:
        with progress() as track:
            yield track(loaded.channel.code)

    return tracked()


def _check_simulator(loaded: LoadedChannel) -> None:
    from coursewire.errors import ConfigurationError

    if loaded.channel.simulator is None:
        raise ConfigurationError(
            f"channel {loaded.channel.code} has no simulator, so nothing can be sent and counted",
            where=loaded.where,
            next_step='Its authors name one in declare_channel: simulator="package.module:Class", built on '
            "coursewire.testing.simulator.Simulator.",
        )


def _check_kit(loaded: LoadedChannel) -> None:
    from importlib.util import find_spec

    from coursewire.errors import SettingsError

    if find_spec("pytest") is None:
        raise SettingsError(
            f"channel {loaded.channel.code} cannot be checked here",
            why="the checks need pytest, which is not installed",
            next_step="Install the test kit: pip install 'coursewire[testing]'",
        )


def _run(loaded: LoadedChannel) -> Iterator[tuple[int, dict[str, Any]]]:
    """Run the checks in a process of their own: the number of all, and each one as it ends.

    Raises:
        ChannelLoadError: They could not be run to their end.
    """
    import subprocess
    from tempfile import TemporaryFile

    import orjson

    from coursewire.errors import ChannelLoadError

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
        next_step="Run the channel's own tests with pytest: they show where.",
    )


def _print(loaded: LoadedChannel, report: Report) -> None:
    """The report for a person."""
    from itertools import groupby

    from rich.text import Text

    from coursewire.channels.words import capabilities_in_words, limits_in_words
    from coursewire.cli.output import put, put_check, put_table

    put(f"{loaded.channel.title}: {loaded.where}, for plugin API {loaded.channel.requires_api}", style="bold")
    put()
    rows: list[tuple[object, object, object]] = []
    for topic, checks in groupby(report.checks, key=lambda check: check["topic"]):
        rows += [
            (
                topic if number == 0 else "",
                Text(_MARKS[check["outcome"]], _COLOURS[check["outcome"]]),
                check["title"],
            )
            for number, check in enumerate(checks)
        ]
    put_table(("about", "", "what must hold"), rows)
    put()
    put_table(("what it can do", "declared"), capabilities_in_words(loaded.channel).items())
    put()
    put_table(("limit", "value"), limits_in_words(loaded.channel).items())
    for outcome in ("skipped", "failed"):
        for check in report.checks:
            if check["outcome"] == outcome:
                put()
                put(f"{outcome}: {check['title']} ({check['name']})", style=_COLOURS[outcome])
                for line in check["message"].splitlines():
                    put(line.strip(), indent=2)
    put()
    verdict = "conforms" if report.conformant else "does not conform"
    put_check(report.conformant, f"{loaded.channel.code} {verdict}. {report.sentence}.")


def _print_markdown(loaded: LoadedChannel, report: Report) -> None:
    """The report as Markdown."""
    from coursewire.channels.words import capabilities_in_words, limits_in_words

    verdict = "conforms" if report.conformant else "does **not** conform"
    parts = [
        f"# Conformance of {loaded.channel.code}",
        f"{loaded.channel.title}, by {loaded.distribution} {loaded.version}: {verdict}. {report.sentence}.",
        "## Checks",
        _markdown_table(
            ("about", "what must hold", "result"),
            [(check["topic"], check["title"], check["outcome"]) for check in report.checks],
        ),
        *(
            f"### {check['title']}\n\n```text\n{check['message']}\n```"
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
    channel = loaded.channel
    return {
        "channel": channel.code,
        "title": channel.title,
        "distribution": loaded.distribution,
        "version": loaded.version,
        "requires_api": channel.requires_api,
        "conformant": report.conformant,
        **{outcome: report.count(outcome) for outcome in _MARKS},
        "capabilities": channel.capabilities.model_dump(mode="json"),
        "limits": channel.limits.model_dump(mode="json"),
    }

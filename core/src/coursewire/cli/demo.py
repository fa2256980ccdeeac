"""``coursewire demo``: everything once, on this machine, in a few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import Json
from coursewire.cli.output import note, progress, put, put_check, put_json, put_table
from coursewire.errors import ConfigurationError
from coursewire.host import Host
from coursewire.inbound.desk import Inbound
from coursewire.model.kinds import Kind
from coursewire.operations.set_up import set_up
from coursewire.pipeline.runners.inline import Ended
from coursewire.pipeline.selection import RunRequest
from coursewire.plugins.registry import LoadedChannel
from coursewire.plugins.simulators import make_simulator
from coursewire.settings import Settings
from coursewire.sources.bundle_source import BundleSource
from coursewire.sources.sample import sample_bundle

ACTOR = "demo"

Simulators = Mapping[str, Any]
"""The running simulators, by the code of their channel."""


def demo(
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Work in this folder and leave it there.")
    ] = None,
    json: Json = False,
) -> None:
    """Send sample courses and results to simulated LMSs."""
    with _folder(keep) as folder, ExitStack() as stack:
        settings = Settings.load(
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'coursewire.db'}",
            secret_key=None,
            secret_key_file=folder / "secret.key",
            allow_insecure_urls=True,
            source="database",
            runner="inline",
        )

        def tell(text: str) -> None:
            if not json:
                put_check(True, text)

        set_up(settings)
        tell(f"installation in {folder}, with database and secret key")
        host = stack.enter_context(open_host(settings=settings))
        report = host.load_bundle(sample_bundle())
        lines = ", ".join(
            f"{file.new + file.unchanged + file.changed} {name}" for name, file in report.files.items()
        )
        tell(f"sample bundle loaded: {lines}")
        customer = asyncio.run(_first_customer())
        simulators = {}
        for channel in host.channels:
            if channel.channel.simulator is None:
                continue
            code = channel.channel.code
            simulators[code] = _start(host, channel, customer, stack)
            tell(f"{code} simulated at {simulators[code].url}, and configured")
        if not simulators:
            raise ConfigurationError(
                "no installed channel has a simulator",
                next_step="Install one, for example: pip install coursewire-canvas",
            )
        runs = {kind: _run_twice(host, kind, customer, simulators) for kind in Kind}
        for number, (name, more) in enumerate((("first", ""), ("second", ", since nothing changed"))):
            sent = ", ".join(f"{_sent(both[number]):,} {kind.noun}s" for kind, both in runs.items())
            tell(f"{name} run: {sent} sent{more}")
        rows = [
            _row(kind, one, two, simulators)
            for kind, both in runs.items()
            for one, two in zip(*both, strict=True)
        ]
        rows.sort(key=lambda row: row["channel"])
        if json:
            for row in rows:
                put_json(row)
        else:
            _show(rows, keep)
    if any(row["exit_status"] for row in rows):
        raise typer.Exit(1)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Make the folder to work in; one that is not kept is removed at the end."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with TemporaryDirectory(prefix="coursewire-demo-") as name:
        yield Path(name)


def _start(host: Host, channel: LoadedChannel, customer: str, stack: ExitStack) -> Any:
    """Run a channel's simulator in a thread, and configure a customer for it.

    Returns:
        The simulator; it is stopped when the stack is left.
    """
    simulator = make_simulator(channel)
    stack.enter_context(simulator.running())
    fields = {**simulator.sample_config(), "display_name": f"{channel.channel.code} demo"}
    for old in host.configurations.list(channel=channel.channel.code):
        # A folder that was kept: the old simulator is gone, and with it what was sent to it.
        host.configurations.remove(old.uuid, actor=ACTOR)
    host.configurations.add(channel.channel, customer, fields, active=True, actor=ACTOR)
    return simulator


async def _first_customer() -> str:
    """Return the UUID of the first customer of the sample bundle, by name."""
    customers = await BundleSource(sample_bundle()).customers()
    return min(customers, key=lambda customer: customer.name).uuid


def _run_twice(
    host: Host, kind: Kind, customer: str, simulators: Simulators
) -> tuple[list[Ended], list[Ended]]:
    if not any(channel.channel.capabilities.takes(kind) for channel in host.channels):
        return [], []
    if kind.is_outcome:
        asyncio.run(_enroll(host, customer, simulators))
    return _run(host, kind, customer, simulators), _run(host, kind, customer, simulators)


async def _enroll(host: Host, customer: str, simulators: Simulators) -> None:
    """Let the simulated LMSs know who studies there: some take results of their own students only."""
    async for page in host.installation.source.enrollments(customer):
        for facts in page:
            course = facts.course.course_key or facts.course.run_key
            for simulator in simulators.values():
                if facts.learner.email and course in simulator.items:
                    simulator.enroll(course, facts.learner.email)


def _run(host: Host, kind: Kind, customer: str, simulators: Simulators) -> list[Ended]:
    """Run the jobs of a kind, and let the LMSs that fetch by themselves do so."""

    async def run() -> list[Ended]:
        selection = await host.select(RunRequest(kind, actor=ACTOR))
        with progress() as track:
            ended = await host.run(
                selection,
                progress=lambda configuration: track(configuration.display_name),
                heed_signals=True,
            )
        if kind is Kind.CONTENT:
            call = Inbound(host.installation).call
            for simulator in simulators.values():
                await simulator.fetch(call, customer)
        return ended

    return asyncio.run(run())


def _sent(ended: Sequence[Ended]) -> int:
    return sum(each.summary.done.total() for each in ended if each.summary)


def _row(kind: Kind, first: Ended, second: Ended, simulators: Simulators) -> dict[str, Any]:
    """Return the stable form of the two runs of a configuration."""
    configuration = first.job.configuration
    one = first.summary.as_dict() if first.summary else {}
    two = second.summary.as_dict() if second.summary else {}
    error = first.error or second.error
    return {
        "channel": configuration.channel,
        "kind": kind.value,
        "name": configuration.display_name,
        "created": one.get("created", 0) + one.get("offered", 0),
        "skipped": one.get("skipped", {}),
        "failed": one.get("failed", 0),
        "requests": one.get("requests", 0),
        "seconds": one.get("seconds", 0.0),
        "at_the_lms": len(simulators[configuration.channel].items) if kind is Kind.CONTENT else None,
        "unchanged": two.get("unchanged", 0),
        "again": sum(two.get(name, 0) for name in ("created", "updated", "retired", "offered")),
        "requests_again": two.get("requests", 0),
        "exit_status": max(first.exit_status, second.exit_status),
        "error": str(error) if error else one.get("error") or two.get("error"),
    }


def _show(rows: list[dict[str, Any]], keep: Path | None) -> None:
    """Print the runs as tables, and what to look at next."""

    put()
    numbers = ("created", "skipped", "failed", "requests", "at LMS", "again")
    put_table(
        ("channel", "kind", *numbers),
        [
            (
                row["channel"],
                row["kind"],
                row["created"],
                sum(row["skipped"].values()),
                row["failed"],
                row["requests"],
                row["at_the_lms"],
                row["again"],
            )
            for row in rows
        ],
        right=numbers,
    )
    put('"again" is what the second run sent.', style="dim")
    put()
    put_table(
        ("not sent", "kind", "why", "at"),
        [(count, kind, reason, where) for kind, reason, count, where in _left_out(rows)],
        right=("not sent",),
    )
    for row in rows:
        if row["error"]:
            note(f"{row['channel']}, {row['kind']}: {row['error']}", style="red")
    put()
    if keep is None:
        put("The folder is removed again; --keep DIR leaves it for you to look around.", style="dim")
    else:
        put("To look around:", style="dim")
        put(f"export COURSEWIRE_DATA_DIR={keep.absolute()} COURSEWIRE_ALLOW_INSECURE_URLS=1", style="dim")
        put("then coursewire status, coursewire jobs, coursewire audit list", style="dim")


def _left_out(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str, int, str]]:
    """Yield kind, reason, number and channels of what was not sent."""
    for kind in dict.fromkeys(row["kind"] for row in rows):
        of_kind = [row for row in rows if row["kind"] == kind]
        for reason in dict.fromkeys(reason for row in of_kind for reason in row["skipped"]):
            met = [row for row in of_kind if reason in row["skipped"]]
            count = sum(row["skipped"][reason] for row in met)
            everywhere = len(met) == len(of_kind) and len(met) > 1
            yield kind, reason, count, "all" if everywhere else ", ".join(row["channel"] for row in met)

"""``coursewire transmit``: send what needs sending."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import ChannelCode, Config, Course, Customer, Json, KindArgument, Learner
from coursewire.cli.output import (
    because,
    counted,
    instant,
    note,
    progress,
    put_json,
    put_table,
    show_error,
)
from coursewire.cli.plan import show_plans
from coursewire.cli.runs import (
    Force,
    count_of,
    failed_row,
    left_out_rows,
    note_left_out,
    note_nothing,
    run_request,
    sum_up,
)
from coursewire.errors import CoursewireError
from coursewire.host import Host
from coursewire.model.reasons import ReasonInfo
from coursewire.pipeline.runners.inline import Ended, calm_collector
from coursewire.pipeline.selection import RunRequest, Selection

COUNTS = ("created", "updated", "retired", "unchanged", "skipped", "failed", "waiting")
OFFERED = "offered"
"""A count with a column of its own only where something was offered: most LMSs are sent to."""


def transmit(
    kind: KindArgument,
    channel: ChannelCode = None,
    customer: Customer = None,
    config: Config = None,
    learner: Learner = None,
    course: Course = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the plan; the database stays as it is.")
    ] = False,
    force: Force = False,
    confirm_retire: Annotated[
        int | None,
        typer.Option(
            "--confirm-retire", min=0, metavar="N", help="Agree that up to N items are retired by each run."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Send what needs sending.

    For every active configuration whose channel takes it, or for those that are named.

    With --json the last line is the summary. The exit status is the highest one of all runs.
    """
    request = run_request(
        kind,
        channel=channel,
        customer=customer,
        config=config,
        learner=learner,
        course=course,
        force=force,
        confirm_retire=confirm_retire,
    )
    if dry_run:
        raise typer.Exit(show_plans(request, json=json))
    with open_host() as host:
        selection, ended = asyncio.run(_run(host, request))
    raise typer.Exit(_report(selection, ended, json=json))


async def _run(host: Host, request: RunRequest) -> tuple[Selection, list[Ended]]:
    """Run the jobs of a request, with their progress on stderr."""
    selection = await host.select(request)
    calm_collector()
    with progress() as track:
        ended = await host.run(
            selection,
            progress=lambda configuration: track(configuration.display_name),
            heed_signals=True,
        )
    return selection, ended


def _report(selection: Selection, ended: Sequence[Ended], *, json: bool) -> int:
    """Print how runs ended: a row each and the totals.

    Returns:
        The exit status of the command: the highest of all runs.
    """
    note_left_out(selection)
    rows = [failed_row(refused.configuration, refused.error) for refused in selection.refused]
    errors: list[CoursewireError] = [refused.error for refused in selection.refused]
    names = {each.configuration.uuid: each.configuration.display_name for each in selection.refused}
    own: dict[str, Sequence[ReasonInfo]] = {}
    for each in ended:
        configuration = each.job.configuration
        names[configuration.uuid] = configuration.display_name
        if each.error is not None:
            errors.append(each.error)
        own[configuration.channel] = each.job.installation.channels.reasons_of(configuration.channel)
        rows.append(_row(each))
    status = max((row["exit_status"] for row in rows), default=0)
    totals = sum_up(rows, (OFFERED, *COUNTS))
    if json:
        for error in errors:
            show_error(error)
        put_json(
            {
                "kind": selection.request.kind.value,
                "jobs": rows,
                "left_out": left_out_rows(selection),
                **totals,
                "exit_status": status,
            }
        )
        return int(status)
    _put_rows(rows, names, totals)
    for row in rows:
        _put_reasons(
            names[row["configuration"]], row, selection.request.kind.noun, own.get(row["channel"], ())
        )
    if selection.request.learner is not None and not any(totals.values()):
        note_nothing(selection.request)
    for error in errors:
        show_error(error)
    _note_other_errors(rows, names, errors)
    return int(status)


def _row(ended: Ended) -> dict[str, Any]:
    """Return the stable form of one run: its job, its summary, and the error of either."""
    row = failed_row(ended.job.configuration, ended.error)
    summary = ended.summary.as_dict() if ended.summary else {}
    return {
        **row,
        "job": ended.job.uuid,
        "exit_status": ended.exit_status,
        **summary,
        "error": row["error"] or summary.get("error"),
    }


def _put_rows(rows: Sequence[dict[str, Any]], names: dict[Any, str], totals: dict[str, int]) -> None:
    columns: tuple[str, ...] = COUNTS
    if totals[OFFERED]:  # in place of what an LMS that fetches by itself never shows
        done = [name for name in COUNTS[:3] if totals[name]]
        columns = (OFFERED, *done, *COUNTS[3:])
    table = [
        (names[row["configuration"]], *(f"{count_of(row.get(name, 0)):,}" for name in columns))
        for row in rows
    ]
    if len(rows) > 1:
        table.append(("total", *(f"{totals[name]:,}" for name in columns)))
    put_table(("configuration", *columns), table, right=columns)


def _put_reasons(name: str, row: dict[str, Any], noun: str, own: Sequence[ReasonInfo]) -> None:
    """Say why items were not sent, until when they wait, and what to do.

    Args:
        name: The configuration's name.
        row: The stable form of its run.
        noun: The word for one item.
        own: The reason codes that its channel declares.
    """
    if row.get("reason"):
        note(f"{name}: nothing to do: {because(row['reason'])}", style="yellow")
    for counts, style in (("skipped", "yellow"), ("failed_by_reason", "red"), ("waiting_by_reason", "cyan")):
        for reason, count in row.get(counts, {}).items():
            note(f"{name}: {counted(reason, count, noun, own)}", style=style)
    if row.get("waiting_until"):
        until = instant(row["waiting_until"])
        note(f"{name}: what waits may go from {until} on; run the command again then.", style="cyan")
    for what, why in row.get("source_failures", {}).items():
        said = "consent could not be asked for, so no more was sent"
        if what != "consent":
            said = f"catalog {what} could not be read, so nothing was retired"
        note(f"{name}: {said}: {why}", style="red")


def _note_other_errors(
    rows: Sequence[dict[str, Any]], names: dict[Any, str], errors: Sequence[CoursewireError]
) -> None:
    """Print the errors of runs that are known from their summary only."""
    shown = {str(error) for error in errors}
    for row in rows:
        if row["error"] and row["error"] not in shown:
            note(f"{names[row['configuration']]}: {row['error']}", style="red")

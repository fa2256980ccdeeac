"""``coursewire transmit``: send what needs sending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from coursewire.cli.common import actor, open_installation, run_to_end
from coursewire.cli.options import ChannelCode, Config, Course, Customer, Json, KindArgument, Learner
from coursewire.cli.output import (
    because,
    counted,
    instant,
    note,
    noun,
    progress,
    put_json,
    put_table,
    show_error,
)
from coursewire.cli.plan import show_plan
from coursewire.cli.runs import (
    Asked,
    Force,
    count_of,
    failed_row,
    left_out_rows,
    note_left_out,
    note_nothing,
    select,
    sum_up,
)
from coursewire.errors import CoursewireError
from coursewire.pipeline.runners.inline import Ended, calm_collector
from coursewire.pipeline.selection import Selection
from coursewire.plugins.loading import load_named

COUNTS = ("created", "updated", "retired", "unchanged", "skipped", "failed", "waiting")
OFFERED = "offered"
"""A column of its own only where something was: most LMSs are sent to."""


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
    asked = Asked(kind, channel, customer, config, learner, course, force, confirm_retire)
    if dry_run:
        raise typer.Exit(show_plan(asked, json=json))

    with open_installation() as installation:
        selection = select(installation, asked)
        runner = load_named("coursewire.runners", installation.settings.runner)()
        calm_collector()
        with progress() as track:
            jobs = [
                asked.run_job(
                    installation,
                    ready.configuration,
                    actor=actor(),
                    progress=track(ready.configuration.display_name),
                )
                for ready in selection.ready
            ]
            ended: list[Ended] = run_to_end(runner.run(jobs))
    raise typer.Exit(report(asked, ended, selection, json=json))


def report(asked: Asked, ended: Sequence[Ended], selection: Selection, *, json: bool) -> int:
    """Print how runs ended: a row each and the totals.

    Returns:
        The exit status of the command: the highest of all runs.
    """
    note_left_out(asked, selection)
    rows = [failed_row(refused.configuration, refused.error) for refused in selection.refused]
    errors: list[CoursewireError] = [refused.error for refused in selection.refused]
    names = {each.configuration.uuid: each.configuration.display_name for each in selection.refused}
    for each in ended:
        configuration = each.job.configuration
        names[configuration.uuid] = configuration.display_name
        if each.error is not None:
            errors.append(each.error)
        row = {
            **failed_row(configuration, each.error),
            "job": each.job.uuid,
            "exit_status": each.exit_status,
        }
        summary = each.summary.as_dict() if each.summary else {}
        rows.append({**row, **summary, "error": row["error"] or summary.get("error")})
    status = max((row["exit_status"] for row in rows), default=0)
    shown: tuple[str, ...] = COUNTS
    if any(row.get(OFFERED) for row in rows):  # in place of what an LMS that fetches by itself never shows
        done = [name for name in COUNTS[:3] if any(row.get(name) for row in rows)]
        shown = (OFFERED, *done, *COUNTS[3:])
    totals = sum_up(rows, (OFFERED, *COUNTS) if json else shown)
    if json:
        for error in errors:
            show_error(error)
        put_json(
            {
                "kind": asked.kind.value,
                "jobs": rows,
                "left_out": left_out_rows(selection),
                **totals,
                "exit_status": status,
            }
        )
        return status
    table = [(names[row["configuration"]], *(_number(row.get(name, 0)) for name in shown)) for row in rows]
    if len(rows) > 1:
        table.append(("total", *(f"{totals[name]:,}" for name in shown)))
    put_table(("configuration", *shown), table, right=shown)
    for row in rows:
        explain(names[row["configuration"]], row, noun(asked.kind))
    if asked.learner is not None and not any(totals.values()):
        note_nothing(asked)
    for error in errors:
        show_error(error)
    for row in rows:
        if row["error"] and not any(str(error) == row["error"] for error in errors):
            note(f"{names[row['configuration']]}: {row['error']}", style="red")
    return status


def explain(name: str, row: dict[str, Any], noun: str) -> None:
    """Say why items were not sent, until when they wait, and what to do."""
    if row.get("reason"):
        note(f"{name}: nothing to do: {because(row['reason'])}", style="yellow")
    for counts, style in (("skipped", "yellow"), ("failed_by_reason", "red"), ("waiting_by_reason", "cyan")):
        for reason, count in row.get(counts, {}).items():
            note(f"{name}: {counted(reason, count, noun)}", style=style)
    if row.get("waiting_until"):
        until = instant(row["waiting_until"])
        note(f"{name}: what waits may go from {until} on; run the command again then.", style="cyan")
    for what, why in row.get("source_failures", {}).items():
        said = "consent could not be asked for, so no more was sent"
        if what != "consent":
            said = f"catalog {what} could not be read, so nothing was retired"
        note(f"{name}: {said}: {why}", style="red")


def _number(value: Any) -> str:
    return f"{count_of(value):,}"

"""``coursewire plan`` and ``transmit``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coursewire.cli.options import ChannelCode, Config, Customer, Json, Keys, Kind, KindName

if TYPE_CHECKING:
    from coursewire.config.configuration import Runnable
    from coursewire.errors import CoursewireError
    from coursewire.jobs.content import ContentJob
    from coursewire.jobs.inline import Ended
    from coursewire.jobs.installation import Installation
    from coursewire.transmit.plan import PlanItem

Force = Annotated[bool, typer.Option("--force", help="Send what is unchanged, too, and heed no pause.")]

COUNTS = ("created", "updated", "retired", "unchanged", "skipped", "failed", "waiting")


def plan(
    kind: Kind,
    channel: ChannelCode = None,
    customer: Customer = None,
    config: Config = None,
    keys: Keys = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Show what a run would do, item by item, with reasons. Nothing is written and nothing is sent.

    With --json each line is one item, and the last line is the summary. That the guard would stop the run is said,
    and is no failure of the plan.
    """
    from coursewire.errors import GuardError

    status = show_plan(
        kind, channel=channel, customer=customer, config=config, keys=keys, force=force, json=json
    )
    raise typer.Exit(0 if status == GuardError.exit_status else status)


def transmit(
    kind: Kind,
    channel: ChannelCode = None,
    customer: Customer = None,
    config: Config = None,
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

    For every active configuration, or for those that are named.

    With --json the last line is the summary. The exit status is the highest one of all runs.
    """
    if dry_run:
        status = show_plan(
            kind,
            channel=channel,
            customer=customer,
            config=config,
            force=force,
            confirm_retire=confirm_retire,
            json=json,
        )
        raise typer.Exit(status)
    from coursewire.channels.loading import load_named
    from coursewire.cli.common import actor, open_installation, run_to_end
    from coursewire.cli.output import progress
    from coursewire.jobs.content import ContentJob

    with open_installation() as installation:
        runnable = select(installation, kind, channel=channel, customer=customer, config=config)
        runner = load_named("coursewire.runners", installation.settings.runner)()
        with progress() as track:
            jobs = [
                ContentJob(
                    installation,
                    ready.configuration,
                    force=force,
                    confirm_retire=confirm_retire,
                    actor=actor(),
                    progress=track(ready.configuration.display_name),
                )
                for ready in runnable.ready
            ]
            ended: list[Ended] = run_to_end(runner.run(jobs))
    raise typer.Exit(report(kind, ended, runnable, json=json))


def select(
    installation: Installation, kind: KindName, *, channel: str | None, customer: object, config: str | None
) -> Runnable:
    """The configurations that are meant.

    Raises:
        ConfigurationError: None is meant, or none can run.
    """
    from coursewire.cli.common import channel_of, refuse_other_kinds
    from coursewire.errors import ConfigurationError

    concerned = [channel_of(installation, channel)] if channel else list(installation.channels)
    refuse_other_kinds(kind, concerned)
    code = concerned[0].channel.code if channel else None
    found = installation.configurations.find(config) if config else None
    runnable = installation.configurations.runnable(
        {each.channel.code: each.channel for each in installation.channels},
        channel=code,
        customer=str(customer) if customer else None,
        uuids=[found.uuid] if found else None,
    )
    if runnable.ready or runnable.refused:
        return runnable
    asked = [f"--channel {code}" if channel else "", f"--customer {customer}" if customer else ""]
    asked += [f"--config {config}" if config else ""]
    meant = " ".join(filter(None, asked))
    raise ConfigurationError(
        f"no active configuration fits {meant}" if meant else "there is no active configuration",
        next_step="`coursewire config list` shows what there is; `coursewire config add` adds one, "
        "`coursewire config activate` makes one active.",
    )


def show_plan(
    kind: KindName,
    *,
    channel: str | None,
    customer: object,
    config: str | None,
    force: bool,
    json: bool,
    keys: Sequence[str] | None = None,
    confirm_retire: int | None = None,
) -> int:
    """Print the plans of the configurations that are meant, over a database that cannot be written.

    Returns:
        The exit status that a run would have before it sends anything.
    """
    from coursewire.cli.common import open_installation, run_to_end
    from coursewire.cli.output import put_json, show_error
    from coursewire.errors import CoursewireError
    from coursewire.jobs.content import ContentJob

    status = 0
    totals: list[dict[str, Any]] = []
    with open_installation(read_only=True) as installation:
        runnable = select(installation, kind, channel=channel, customer=customer, config=config)
        for refused in runnable.refused:
            status = max(status, refused.error.exit_status)
            totals.append(_failed_row(refused.configuration, refused.error))
            show_error(refused.error)
        for ready in runnable.ready:
            job = ContentJob(installation, ready.configuration, force=force, confirm_retire=confirm_retire)
            try:
                summary = run_to_end(_plan_one(job, keys, json=json))
            except CoursewireError as error:
                status = max(status, error.exit_status)
                totals.append(_failed_row(ready.configuration, error))
                show_error(error)
            else:
                status = max(status, summary["exit_status"])
                totals.append(summary)
    if json:
        put_json(
            {
                "kind": kind.value,
                "dry_run": True,
                "plans": totals,
                **_sum(totals, _PLANNED),
                "exit_status": status,
            }
        )
    return status


_PLANNED = ("create", "update", "retire")


async def _plan_one(job: ContentJob, keys: Sequence[str] | None, *, json: bool) -> dict[str, Any]:
    from coursewire.cli.output import note, put, put_json
    from coursewire.errors import GuardError

    configuration = job.configuration
    survey, pages = await job.plan()
    counts: Counter[str] = Counter()
    left: Counter[str] = Counter(survey.left)
    if not json:
        put(f"{configuration.display_name} ({configuration.channel} {configuration.short_id})", style="bold")
    shown: set[str] = set()
    async for page in pages:
        for item in page:
            if item.operation is None:
                left[item.reason] += 1
            else:
                counts[item.operation.value] += 1
        wanted = [item for item in page if _is_shown(item, keys)]
        if json:
            for item in wanted:
                put_json({"configuration": configuration.uuid, **item.as_dict()})
        elif wanted:
            _put_page(wanted, first=not shown)
        shown.update(item.key for item in wanted)
    for key in keys or ():
        if key not in shown:
            what = "nothing to do" if key in survey.wanted else "no catalog of this configuration holds it"
            note(f"{key}: {what}; `coursewire audit show` tells more")
    summary: dict[str, Any] = {
        "configuration": configuration.uuid,
        "channel": configuration.channel,
        "customer": configuration.customer,
        **{name: counts[name] for name in _PLANNED},
        "left": dict(sorted(left.items())),
        "present": survey.present,
        "source_failures": survey.wanted.failures,
        "guard": None,
        "exit_status": 1 if survey.wanted.failures else 0,
    }
    try:
        job.check_guard(survey)
    except GuardError as error:
        summary["guard"] = str(error)
        summary["exit_status"] = error.exit_status
        note(f"guard: {error}", style="bold yellow")
    if not json:
        _put_plan_counts(summary)
    return summary


def _is_shown(item: PlanItem, keys: Sequence[str] | None) -> bool:
    from coursewire.model.reasons import Reason

    if keys:
        return item.key in keys
    return item.operation is not None or item.reason != Reason.UNCHANGED


def _put_page(items: Sequence[PlanItem], *, first: bool) -> None:
    from coursewire.cli.output import put_rows

    put_rows(
        {"to do": 6, "key": 26, "title": 0, "why": 26},
        (
            (
                item.operation.value if item.operation else "leave",
                item.key,
                item.title,
                item.reason
                + (f": {', '.join(item.fields)}" if item.fields else "")
                + (f": {item.message}" if item.message else ""),
            )
            for item in items
        ),
        header=first,
        cut="title",
    )


def _put_plan_counts(summary: dict[str, Any]) -> None:
    from coursewire.cli.output import note, put

    put("  ".join(f"{name} {summary[name]:,}" for name in _PLANNED), style="bold")
    for reason, count in summary["left"].items():
        put(f"  {reason} {count:,}", style="dim")
    for catalog, why in summary["source_failures"].items():
        note(f"catalog {catalog} could not be read: {why}", style="red")
    put()


def report(kind: KindName, ended: Sequence[Ended], runnable: Runnable, *, json: bool) -> int:
    """Print how runs ended: a row each and the totals.

    Returns:
        The exit status of the command: the highest of all runs.
    """
    from coursewire.cli.output import note, put_json, put_table, show_error

    rows = [_failed_row(refused.configuration, refused.error) for refused in runnable.refused]
    errors: list[CoursewireError] = [refused.error for refused in runnable.refused]
    names = {each.configuration.uuid: each.configuration.display_name for each in runnable.refused}
    for each in ended:
        configuration = each.job.configuration
        names[configuration.uuid] = configuration.display_name
        if each.error is not None:
            errors.append(each.error)
        row = {
            **_failed_row(configuration, each.error),
            "job": each.job.uuid,
            "exit_status": each.exit_status,
        }
        summary = each.summary.as_dict() if each.summary else {}
        rows.append({**row, **summary, "error": row["error"] or summary.get("error")})
    status = max((row["exit_status"] for row in rows), default=0)
    totals = _sum(rows, COUNTS)
    if json:
        for error in errors:
            show_error(error)
        put_json({"kind": kind.value, "jobs": rows, **totals, "exit_status": status})
        return status
    table = [(names[row["configuration"]], *(_number(row.get(name, 0)) for name in COUNTS)) for row in rows]
    if len(rows) > 1:
        table.append(("total", *(f"{totals[name]:,}" for name in COUNTS)))
    put_table(("configuration", *COUNTS), table, right=COUNTS)
    for row in rows:
        explain(names[row["configuration"]], row)
    for error in errors:
        show_error(error)
    for row in rows:
        if row["error"] and not any(str(error) == row["error"] for error in errors):
            note(f"{names[row['configuration']]}: {row['error']}", style="red")
    return status


def explain(name: str, row: dict[str, Any]) -> None:
    """Say why items were not sent, until when they wait, and what to do."""
    from coursewire.cli.output import counted, instant, note

    for counts, style in (("skipped", "yellow"), ("failed_by_reason", "red"), ("waiting_by_reason", "cyan")):
        for reason, count in row.get(counts, {}).items():
            note(f"{name}: {counted(reason, count)}", style=style)
    if row.get("waiting_until"):
        until = instant(row["waiting_until"])
        note(f"{name}: what waits may go from {until} on; run the command again then.", style="cyan")
    for catalog, why in row.get("source_failures", {}).items():
        note(f"{name}: catalog {catalog} could not be read, so nothing was retired: {why}", style="red")


def _failed_row(configuration: Any, error: CoursewireError | None) -> dict[str, Any]:
    return {
        "configuration": configuration.uuid,
        "channel": configuration.channel,
        "customer": configuration.customer,
        "job": None,
        "exit_status": error.exit_status if error else 0,
        "error": str(error) if error else None,
    }


def _sum(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, int]:
    return {name: sum(_count(row.get(name, 0)) for row in rows) for name in names}


def _count(value: Any) -> int:
    return sum(value.values()) if isinstance(value, dict) else int(value)


def _number(value: Any) -> str:
    return f"{_count(value):,}"

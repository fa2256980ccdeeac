"""``coursewire audit``: what was sent, when, what the LMS answered, and what to do about it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coursewire.cli import history, status
from coursewire.cli.options import (
    Config,
    ConfigNeeded,
    Course,
    Format,
    Json,
    KindName,
    Learner,
    OnlyKind,
)

if TYPE_CHECKING:
    from coursewire.configurations.configuration import Configuration
    from coursewire.installation import Installation


class Releasable(StrEnum):
    """States of records that a person may end."""

    FAILED = "failed"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    IN_DOUBT = "in-doubt"
    PLANNED = "planned"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    status.register(app)
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    history.register(group)
    group.command()(retry)
    group.command()(export)
    group.command()(prune)
    app.add_typer(
        group,
        name="audit",
        help="See what was sent and answered; retry, export, prune.",
        rich_help_panel="Look",
    )


def retry(
    config: ConfigNeeded,
    items: Annotated[
        list[str] | None, typer.Option("--item", metavar="KEY", help="This item; may be repeated.")
    ] = None,
    all_failed: Annotated[
        bool,
        typer.Option("--all-failed", help="Everything that failed, was rejected, is blocked or in doubt."),
    ] = False,
    states: Annotated[
        list[Releasable] | None, typer.Option("--state", help="Everything in this state.")
    ] = None,
    learner: Learner = None,
    course: Course = None,
    kind: OnlyKind = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with the item.")
    ] = "",
    json: Json = False,
) -> None:
    """Let the next run try items again, without pause and even if the LMS refused them before.

    It is content that is meant; outcomes with --kind, or with --learner and --course, which mean every kind of
    outcomes. Items in doubt are taken to be at the LMS and are sent again as updates. Your name and reason are
    logged.
    """
    from coursewire.cli.common import OUTCOMES, actor, find_configuration, open_installation, outcome_keys
    from coursewire.cli.output import put, put_json
    from coursewire.model.kinds import Kind
    from coursewire.storage.audit.requeue import FAILED_STATES, requeue
    from coursewire.storage.audit.states import State

    if sum(map(bool, (items, all_failed, states, learner))) != 1:
        raise typer.BadParameter("give one of --item, --all-failed, --state and --learner")
    if (learner is None) is not (course is None) or (learner and kind is KindName.CONTENT):
        raise typer.BadParameter("--learner and --course go together, and are for outcomes")
    chosen = [State(each.value.replace("-", " ")) for each in states or ()]
    if not chosen:
        chosen = list(FAILED_STATES) if all_failed else [*FAILED_STATES, State.PLANNED]
    kinds = [kind or KindName.CONTENT] if kind or learner is None else OUTCOMES
    count = 0
    with open_installation() as installation:
        found = find_configuration(installation, config)
        for each in kinds:
            keys = items
            if items:
                _demand_items(installation, found, each, items, chosen)
            elif learner is not None and course is not None:
                keys = outcome_keys(installation, found, each, learner, course)
            count += requeue(
                installation.engine,
                found.uuid,
                states=chosen,
                keys=keys,
                actor=actor(),
                reason=reason,
                now=installation.clock(),
                kind=Kind(each.value),
            )
    if json:
        put_json({"configuration": found.uuid, "kinds": list(kinds), "released": count})
    else:
        put(f"{count:,} items go again with the next run:")
        for each in kinds:
            put(f"coursewire transmit {each.value} --config {found.short_id}", indent=2)


def _demand_items(
    installation: Installation,
    configuration: Configuration,
    kind: KindName,
    items: list[str],
    states: list[Any],
) -> None:
    from coursewire.cli.common import records_of
    from coursewire.errors import ConfigurationError

    records = records_of(installation, configuration, kind).fetch(items)
    wrong = [
        f"{key} is {records[key].state.value}" if key in records else f"{key} is unknown"
        for key in items
        if key not in records or records[key].state not in states
    ]
    if wrong:
        raise ConfigurationError(
            "not all of the items can be tried again",
            where=configuration.where,
            why="; ".join(wrong),
            next_step=f"To send what is confirmed once more, use `coursewire transmit {kind.value} --force`.",
        )


def export(
    format_: Annotated[Format, typer.Option("--format", help="csv or jsonl.")] = Format.JSONL,
    config: Config = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write there instead of stdout.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
) -> None:
    """Export the log of attempts, oldest first."""
    import sys
    from contextlib import nullcontext

    from coursewire.cli.common import find_configuration, open_installation
    from coursewire.cli.output import json_line
    from coursewire.storage.audit.export import csv_lines, stream
    from coursewire.storage.tables.records import transmission

    with open_installation(read_only=True) as installation:
        only = [find_configuration(installation, config).uuid] if config else None
        rows = stream(installation.engine, transmission, configurations=only)
        with output.open("wb") if output else nullcontext(sys.stdout.buffer) as target:
            for line in (
                csv_lines(rows, transmission) if format_ is Format.CSV and not json else map(json_line, rows)
            ):
                target.write(line)
            target.flush()


def prune(
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, metavar="N", help="Keep so many days, not those of the settings."),
    ] = None,
    json: Json = False,
) -> None:
    """Delete attempts and jobs that are older than the retention time. Records are never deleted."""
    from datetime import timedelta

    from coursewire.cli.common import open_installation
    from coursewire.cli.output import put, put_json
    from coursewire.storage.audit.retention import prune

    with open_installation() as installation:
        before = installation.clock() - timedelta(days=days or installation.settings.retention_days)
        deleted = prune(installation.engine, before=before)
    if json:
        put_json({"before": before, "deleted": deleted})
    else:
        put(
            f"Deleted {deleted['transmission']:,} attempts and {deleted['job']:,} jobs "
            f"from before {before:%Y-%m-%d %H:%M} UTC."
        )

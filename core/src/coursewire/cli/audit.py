"""``coursewire audit``: what was sent, when, what the LMS answered, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coursewire.cli import status
from coursewire.cli.options import Config, ConfigNeeded, Format, Json, Limit, Since

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.audit.records import ContentRecord
    from coursewire.jobs.installation import Installation

JOBS_SEARCHED = 1000
"""Newest jobs among which the beginning of an id is looked for."""


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
    group.command("list")(list_)
    group.command()(show)
    group.command()(retry)
    group.command()(export)
    group.command()(prune)
    app.add_typer(
        group,
        name="audit",
        help="See what was sent and answered; retry, export, prune.",
        rich_help_panel="Look",
    )


def list_(
    config: Config = None,
    item: Annotated[str | None, typer.Option("--item", metavar="KEY", help="Only this item.")] = None,
    result: Annotated[
        str | None, typer.Option("--result", metavar="RESULT", help='Only this result, such as "rejected".')
    ] = None,
    job: Annotated[
        str | None,
        typer.Option("--job", metavar="ID", help="Only this job; the beginning of its id is enough."),
    ] = None,
    since: Since = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List attempts, the newest first."""
    from coursewire.audit import transmissions
    from coursewire.cli.common import find_configuration, open_installation, short
    from coursewire.cli.output import put_json, put_table

    with open_installation(read_only=True) as installation:
        found = transmissions.history(
            installation.engine,
            configuration=find_configuration(installation, config).uuid if config else None,
            item=item,
            result=result.replace("-", " ").replace("at the lms", "at the LMS") if result else None,
            job=_find_job(installation, job) if job else None,
            since=since,
            limit=limit,
        )
    if json:
        for row in found:
            put_json(row)
        return
    put_table(
        ("when", "config", "item", "operation", "result", "HTTP", "reason"),
        [
            (
                f"{row['at']:%m-%d %H:%M:%S}",
                short(row["configuration"]),
                row["item"],
                row["operation"],
                row["result"],
                row["http_status"],
                row["reason"],
            )
            for row in found
        ],
        empty="No attempt fits.",
    )


def show(
    config: ConfigNeeded,
    item: Annotated[str, typer.Option("--item", metavar="KEY", help="The item's key.")],
    json: Json = False,
) -> None:
    """Show the whole history of one item: what the LMS holds, why it waits, and every attempt, oldest first."""
    from dataclasses import asdict

    from coursewire.audit.records import ContentRecords
    from coursewire.cli.common import find_configuration, open_installation
    from coursewire.cli.output import put_json
    from coursewire.errors import ConfigurationError
    from coursewire.model.reasons import explain

    with open_installation(read_only=True) as installation:
        found = find_configuration(installation, config)
        record = ContentRecords(installation.engine, found.uuid).fetch([item]).get(item)
        attempts = list(_attempts(installation, found.uuid, item))[::-1]
    if record is None and not attempts:
        raise ConfigurationError(
            f"nothing is known of item {item!r}",
            where=found.where,
            why="no run has met it yet, or the key is misspelt",
            next_step="Run `coursewire plan content --key KEY`; keys are compared letter by letter.",
        )
    if json:
        reason = (
            dict(zip(("text", "next_step"), explain(record.reason or ""), strict=True)) if record else None
        )
        put_json(
            {"record": asdict(record) if record else None, "explanation": reason, "transmissions": attempts}
        )
        return
    if record is not None:
        _put_record(record)
    _put_attempts(attempts)


def _attempts(installation: Installation, configuration: UUID, item: str) -> Iterator[dict[str, Any]]:
    """Every attempt of one item, newest first."""
    from coursewire.audit import transmissions

    before = None
    while page := transmissions.history(
        installation.engine, configuration=configuration, item=item, before_id=before, limit=500
    ):
        yield from page
        before = page[-1]["id"]


def _put_record(record: ContentRecord) -> None:
    from coursewire.audit.states import State
    from coursewire.cli.output import instant, put_pairs
    from coursewire.model.reasons import explain

    text, step = explain(record.reason or "")
    there = "not at the LMS"
    if record.present:
        there = "the LMS holds it" if record.state is State.CONFIRMED else "the LMS holds it, or may hold it"
    pairs: dict[str, object] = {
        "item": record.content_key,
        "title": record.title,
        "type": record.content_type,
        "state": record.state.value,
        "presence": there,
        "pending": record.operation.value if record.operation else "nothing",
        "reason": f"{record.reason}: {text}" if text else record.reason,
        "message": record.message,
        "next step": step,
        "not before": instant(record.not_before_at),
        "attempts": f"{record.attempts} since the last confirmation" if record.attempts else "",
        "remote key": record.remote_key,
        "remote id": record.remote_id,
        "wanted": record.wanted_fingerprint,
        "confirmed": f"{record.confirmed_fingerprint or ''} {instant(record.confirmed_at)}".strip(),
        "catalogs": "\n".join(record.catalogs),
    }
    put_pairs({name: value for name, value in pairs.items() if value})


def _put_attempts(attempts: list[dict[str, Any]]) -> None:
    from coursewire.cli.common import short
    from coursewire.cli.output import STYLES, instant, put

    put()
    for row in attempts:
        parts = [instant(row["at"]), f"{row['operation']}: {row['result']}"]
        parts += [f"HTTP {row['http_status']}"] if row["http_status"] else []
        parts += [f"{row['duration_ms']:,} ms"] if row["duration_ms"] is not None else []
        put("  ".join([*parts, f"job {short(row['job'])}"]), style=STYLES.get(row["result"], ""))
        for text in (row["reason"], row["message"], row["excerpt"]):
            if text:
                put(text, style="dim", indent=2)
    if not attempts:
        put("Nothing was sent yet, or the log of it has been pruned.")


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
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with the item.")
    ] = "",
    json: Json = False,
) -> None:
    """Let the next run try items again, without pause and even if the LMS refused them before.

    Items in doubt are taken to be at the LMS and are sent again as updates. Your name and reason are logged.
    """
    from coursewire.audit.release import FAILED_STATES, release
    from coursewire.audit.states import State
    from coursewire.cli.common import actor, find_configuration, open_installation
    from coursewire.cli.output import put, put_json

    if sum(map(bool, (items, all_failed, states))) != 1:
        raise typer.BadParameter("give one of --item, --all-failed and --state")
    chosen = [State(each.value.replace("-", " ")) for each in states or ()]
    if not chosen:
        chosen = list(FAILED_STATES) if all_failed else [*FAILED_STATES, State.PLANNED]
    with open_installation() as installation:
        found = find_configuration(installation, config)
        if items:
            _demand_items(installation, found.uuid, items, chosen)
        count = release(
            installation.engine,
            found.uuid,
            states=chosen,
            keys=items,
            actor=actor(),
            reason=reason,
            now=installation.clock(),
        )
    if json:
        put_json({"configuration": found.uuid, "released": count})
    else:
        put(
            f"{count:,} items go again with the next run: coursewire transmit content --config {found.short_id}"
        )


def _demand_items(
    installation: Installation, configuration: UUID, items: list[str], states: list[Any]
) -> None:
    from coursewire.audit.records import ContentRecords
    from coursewire.errors import ConfigurationError

    records = ContentRecords(installation.engine, configuration).fetch(items)
    wrong = [
        f"{key} is {records[key].state.value}" if key in records else f"{key} is unknown"
        for key in items
        if key not in records or records[key].state not in states
    ]
    if wrong:
        raise ConfigurationError(
            "not all of the items can be tried again",
            where=f"configuration {configuration}",
            why="; ".join(wrong),
            next_step="To send what is confirmed once more, use `coursewire transmit content --force`.",
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

    from coursewire.audit import transmissions
    from coursewire.cli.common import find_configuration, open_installation
    from coursewire.cli.output import json_line

    with open_installation(read_only=True) as installation:
        only = find_configuration(installation, config).uuid if config else None
        rows = transmissions.stream(installation.engine, configuration=only)
        with output.open("wb") if output else nullcontext(sys.stdout.buffer) as stream:
            for line in _csv(rows) if format_ is Format.CSV and not json else map(json_line, rows):
                stream.write(line)
            stream.flush()


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    import csv
    import io

    from coursewire.audit.tables import transmission

    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, [column.name for column in transmission.columns])
    writer.writeheader()
    for row in rows:
        row["at"] = row["at"].isoformat()
        writer.writerow({name: _harmless(value) for name, value in row.items()})
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _harmless(value: Any) -> Any:
    """Text of an LMS that a spreadsheet would take for a formula gets an apostrophe in front."""
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )


def prune(
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, metavar="N", help="Keep so many days, not those of the settings."),
    ] = None,
    json: Json = False,
) -> None:
    """Delete attempts and jobs that are older than the retention time. Records are never deleted."""
    from datetime import timedelta

    from coursewire.audit.retention import prune
    from coursewire.cli.common import open_installation
    from coursewire.cli.output import put, put_json

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


def _find_job(installation: Installation, text: str) -> UUID:
    from uuid import UUID

    from coursewire.audit import jobs
    from coursewire.errors import ConfigurationError

    start = text.replace("-", "").lower()
    if len(start) == 32:
        try:
            return UUID(start)
        except ValueError:
            start = text
    known = jobs.recent(installation.engine, limit=JOBS_SEARCHED)
    matches = [job["uuid"] for job in known if job["uuid"].hex.startswith(start)]
    if len(matches) == 1:
        return UUID(str(matches[0]))
    raise ConfigurationError(
        f"{len(matches)} jobs begin with {text!r}" if matches else f"there is no job {text!r}",
        next_step="`coursewire jobs` lists the last ones; give more of the id.",
    )

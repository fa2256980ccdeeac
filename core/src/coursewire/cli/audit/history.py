"""``coursewire audit list`` and ``show``: what was tried, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import Config, ConfigNeeded, Course, Json, Learner, Limit, OnlyKind, Since
from coursewire.cli.output import STYLES, instant, put, put_json, put_pairs, put_table, short
from coursewire.errors import ConfigurationError
from coursewire.model.reasons import ReasonInfo, explain
from coursewire.storage.audit.records import ContentRecord, OutcomeRecord, Record
from coursewire.storage.audit.states import State


def list_(
    config: Config = None,
    kind: OnlyKind = None,
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
    with open_host(read_only=True) as host:
        found = host.history.attempts(
            configuration=host.configurations.find(config).uuid if config else None,
            kind=kind,
            item=item,
            result=result.replace("-", " ").replace("at the lms", "at the LMS") if result else None,
            job=host.history.find_job(job) if job else None,
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
                " ".join(filter(None, (row["learner"], row["course"], row["subsection"])))
                if "learner" in row
                else row["item"],
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
    item: Annotated[str | None, typer.Option("--item", metavar="KEY", help="The item's key.")] = None,
    learner: Learner = None,
    course: Course = None,
    kind: OnlyKind = None,
    json: Json = False,
) -> None:
    """Show the whole history of an item: what the LMS holds, why it waits, and every attempt, oldest first.

    Give --item, or --learner and --course for the outcomes of somebody in a course.
    """
    if (item is None) is not (learner is not None and course is not None):
        raise typer.BadParameter("give --item, or --learner and --course")
    with open_host(read_only=True) as host:
        found = host.configurations.find(config)
        shown = asyncio.run(host.history.items(found, item=item, learner=learner, course=course, kind=kind))
        own = host.channels.reasons_of(found.channel)
    if not shown:
        what = f"item {item!r}" if item is not None else f"outcomes of {learner!r} in {course!r}"
        step = "coursewire plan content --key KEY" if item is not None else "coursewire why"
        raise ConfigurationError(
            f"nothing is known of {what}",
            where=found.where,
            why="no run has met it yet, or the key is misspelt",
            next_step=f"Run `{step}`; keys and names are compared letter by letter.",
        )
    for each in shown:
        if json:
            put_json(each.as_dict(own))
            continue
        if each.record is not None:
            _put_record(each.record, own)
        _put_attempts(each.attempts)


def _put_record(record: Record, own: Sequence[ReasonInfo]) -> None:
    text, step = explain(record.reason or "", own)
    there = "not at the LMS"
    if record.present:
        there = "the LMS holds it" if record.state is State.CONFIRMED else "the LMS holds it, or may hold it"
    about: dict[str, object] = {}
    if isinstance(record, ContentRecord):
        about = {"item": record.content_key, "title": record.title, "type": record.content_type}
    if isinstance(record, OutcomeRecord):
        about = {
            "learner": record.username,
            "course": record.course_key,
            "subsection": record.subsection,
            "kind": record.kind,
            "key": record.key,
        }
    pairs: dict[str, object] = {
        **about,
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
        "catalogs": list(getattr(record, "catalogs", ())),
    }
    put_pairs({name: value for name, value in pairs.items() if value})


def _put_attempts(attempts: Sequence[dict[str, Any]]) -> None:
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

"""``coursewire audit list`` and ``show``: what was tried, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from json import loads
from typing import Annotated, Any
from uuid import UUID

import typer

from coursewire.cli.common import (
    find_configuration,
    open_installation,
    outcome_keys,
    records_of,
    short,
)
from coursewire.cli.options import (
    Config,
    ConfigNeeded,
    Course,
    Json,
    Learner,
    Limit,
    OnlyKind,
    Since,
)
from coursewire.cli.output import STYLES, instant, put, put_json, put_pairs, put_table
from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError
from coursewire.installation import Installation
from coursewire.model.payload import OUTCOMES, Kind
from coursewire.model.reasons import explain
from coursewire.storage.audit import jobs, transmissions
from coursewire.storage.audit.records import ContentRecord, OutcomeRecord, OutcomeRecords, Record
from coursewire.storage.audit.states import State

JOBS_SEARCHED = 1000
"""Newest jobs among which the beginning of an id is looked for."""


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
    with open_installation(read_only=True) as installation:
        found = transmissions.history(
            installation.engine,
            configurations=[find_configuration(installation, config).uuid] if config else None,
            kind=kind if kind else None,
            item=item,
            result=result.replace("-", " ").replace("at the lms", "at the LMS") if result else None,
            job=_find_job(installation, job) if job else None,
            since=since,
            limit=limit,
        )
        _name_outcomes(installation, found)
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


def _name_outcomes(installation: Installation, rows: Sequence[dict[str, Any]]) -> None:
    """Add learner, course and subsection to attempts of outcomes, whose key is a digest; not to forgotten ones."""
    groups = defaultdict(list)
    for row in rows:
        if row["kind"] != Kind.CONTENT:
            groups[row["configuration"], Kind(row["kind"])].append(row)
    for (configuration, kind), some in groups.items():
        found = OutcomeRecords(installation.engine, configuration, kind).fetch(
            sorted({row["item"] for row in some})
        )
        for row in some:
            if record := found.get(row["item"]):
                row["learner"], row["course"] = record.username, record.course_key
                row["subsection"] = record.subsection


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
    with open_installation(read_only=True) as installation:
        found = find_configuration(installation, config)
        shown = list(_histories(installation, found, item, learner, course, kind))
    if not shown:
        what = f"item {item!r}" if item is not None else f"outcomes of {learner!r} in {course!r}"
        step = "coursewire plan content --key KEY" if item is not None else "coursewire why"
        raise ConfigurationError(
            f"nothing is known of {what}",
            where=found.where,
            why="no run has met it yet, or the key is misspelt",
            next_step=f"Run `{step}`; keys and names are compared letter by letter.",
        )
    for record, attempts in shown:
        if json:
            put_json(_history_json(record, attempts))
            continue
        if record is not None:
            _put_record(record)
        _put_attempts(attempts)


def _histories(
    installation: Installation,
    configuration: Configuration,
    item: str | None,
    learner: str | None,
    course: str | None,
    kind: Kind | None,
) -> Iterator[tuple[Record | None, list[dict[str, Any]]]]:
    """Records and their attempts, oldest first; of the kind, or of every kind that has any."""
    for each in [kind] if kind else (Kind if item is not None else OUTCOMES):
        keys = [item] if item is not None else []
        if learner is not None and course is not None and each in OUTCOMES:
            keys = outcome_keys(installation, configuration, each, learner, course)
        records = records_of(installation, configuration, each).fetch(keys)
        for key in keys:
            attempts = list(_attempts(installation, configuration.uuid, each, key))[::-1]
            if key in records or attempts:
                yield records.get(key), attempts


def _history_json(record: Record | None, attempts: list[dict[str, Any]]) -> dict[str, Any]:

    if record is None:
        return {"record": None, "explanation": None, "transmissions": attempts}
    fields = asdict(record)
    if fields.get("evidence"):
        fields["evidence"] = loads(fields["evidence"])
    words = dict(zip(("text", "next_step"), explain(record.reason or ""), strict=True))
    return {"record": fields, "explanation": words, "transmissions": attempts}


def _attempts(
    installation: Installation, configuration: UUID, kind: Kind, item: str
) -> Iterator[dict[str, Any]]:
    """Every attempt of one item, newest first."""
    before = None
    while page := transmissions.history(
        installation.engine,
        configurations=[configuration],
        kind=kind,
        item=item,
        before_id=before,
        limit=500,
    ):
        yield from page
        before = page[-1]["id"]


def _put_record(record: Record) -> None:

    text, step = explain(record.reason or "")
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
        "catalogs": "\n".join(getattr(record, "catalogs", ())),
    }
    put_pairs({name: value for name, value in pairs.items() if value})


def _put_attempts(attempts: list[dict[str, Any]]) -> None:

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


def _find_job(installation: Installation, text: str) -> UUID:

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

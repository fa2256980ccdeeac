"""``coursewire status``: how every configuration stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from coursewire.cli.common import (
    channel_of,
    customer_names,
    open_installation,
    records_of,
    short,
)
from coursewire.cli.config.settings import state_of
from coursewire.cli.options import ChannelCode, Customer, Json
from coursewire.cli.output import counted, noun, put, put_json, put_table
from coursewire.model.payload import OUTCOMES, Kind
from coursewire.pipeline.summary import WAITING
from coursewire.storage.audit import jobs as job_log
from coursewire.storage.audit.requeue import FAILED_STATES
from coursewire.storage.audit.states import State


def status(channel: ChannelCode = None, customer: Customer = None, json: Json = False) -> None:
    """Show what is at the LMS, what waits, and what failed and why."""
    with open_installation(read_only=True) as installation:
        found = installation.configurations.list(
            channel=channel_of(installation, channel).channel.code if channel else None,
            customer=str(customer) if customer else None,
        )
        names = customer_names(installation, {each.customer for each in found})
        rows = [_row(installation, each, names[each.customer]) for each in found]
    if json:
        for row in rows:
            put_json(row)
        return
    numbers = ("at LMS", "waiting", "skipped", "failed")
    put_table(
        ("id", "for", "state", *numbers, "last run"),
        [line for row in rows for line in _lines(row, numbers[1:])],
        right=numbers,
        empty="There is no configuration. `coursewire config template CODE` shows what one needs.",
    )
    for row in rows:
        _explain(row)


def _lines(row: dict[str, Any], counts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """A line for content, and one for each kind of outcome that a run has looked at."""
    kinds = [("", row)] + [(kind.value, row[kind.value]) for kind in OUTCOMES]
    for name, part in kinds:
        if name and not part["last_job"]:
            continue
        yield (
            "" if name else short(row["configuration"]),
            f"  {name}" if name else f"{row['channel']}, {row['customer_name']}",
            "" if name else row["state"].partition(":")[0],
            f"{part['present']:,}",
            *(f"{sum(part[count].values()):,}" for count in counts),
            _last(part["last_job"]),
        )


def _row(installation: Any, configuration: Any, customer: str) -> dict[str, Any]:

    def part(kind: Kind) -> dict[str, Any]:
        records = records_of(installation, configuration, kind)
        last = job_log.recent(installation.engine, configurations=[configuration.uuid], kind=kind, limit=1)
        return {**_count(records.counts()), "last_job": last[0] if last else None}

    return {
        "configuration": configuration.uuid,
        "channel": configuration.channel,
        "customer": configuration.customer,
        "customer_name": customer,
        "name": configuration.display_name,
        "state": state_of(installation, configuration),
        "needs_reconnect": configuration.needs_reconnect_reason,
        **part(Kind.CONTENT),
        **{kind.value: part(kind) for kind in OUTCOMES},
    }


def _count(counts: Sequence[tuple[str, str | None, bool, int]]) -> dict[str, Any]:

    present = retired = 0
    waiting, skipped, failed = Counter[str](), Counter[str](), Counter[str]()
    for state, reason, there, count in counts:
        present += count if there else 0
        retired += count if state == State.RETIRED else 0
        if state in FAILED_STATES:
            failed[reason or state.replace(" ", "-")] += count
        elif state in (State.PLANNED, State.SENDING, State.OFFERED):
            (skipped if reason and reason not in WAITING else waiting)[reason or state] += count
    return {
        "present": present,
        "retired": retired,
        "waiting": dict(sorted(waiting.items())),
        "skipped": dict(sorted(skipped.items())),
        "failed": dict(sorted(failed.items())),
    }


def _last(job: dict[str, Any] | None) -> str:
    return f"{job['started_at']:%m-%d %H:%M}\n{job['state']}" if job else "never"


def _explain(row: dict[str, Any]) -> None:

    config = short(row["configuration"])
    lines = []
    if ":" in row["state"]:
        lines.append((row["state"], "red" if row["state"].startswith("invalid") else "yellow"))
    if row["needs_reconnect"]:
        step = f"Mend it with `coursewire config edit {config}`, then `coursewire config check {config}`."
        lines.append((f"needs reconnect: {row['needs_reconnect']}. {step}", "red"))
    for kind in Kind:
        part = row if kind is Kind.CONTENT else row[kind.value]
        for counts, style in (("failed", "red"), ("waiting", "cyan"), ("skipped", "yellow")):
            lines += [(counted(reason, count, noun(kind)), style) for reason, count in part[counts].items()]
    if lines:
        put()
        put(f"{row['name']} ({config})", style="bold")
    for text, style in lines:
        put(text, style=style, indent=2)

"""``coursewire status``: how every configuration stands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coursewire.cli.host import open_host
from coursewire.cli.options import ChannelCode, Customer, Json
from coursewire.cli.output import counted, put, put_json, put_table, short
from coursewire.model.kinds import Kind
from coursewire.model.reasons import Reason, ReasonInfo
from coursewire.operations.status import ConfigurationStatus


def status(channel: ChannelCode = None, customer: Customer = None, json: Json = False) -> None:
    """Show what is at the LMS, what waits, and what failed and why."""
    with open_host(read_only=True) as host:
        found = asyncio.run(host.status(channel=channel, customer=customer))
        own = {
            code: host.channels.reasons_of(code) for code in {each.configuration.channel for each in found}
        }
    if json:
        for each in found:
            put_json(each.as_dict())
        return
    doubts = any(part.in_doubt for each in found for part in each.kinds.values())
    numbers = ("at LMS", "waiting", "skipped", "failed", *(("in doubt",) if doubts else ()))
    put_table(
        ("id", "for", "state", *numbers, "last run"),
        [line for each in found for line in _lines(each, doubts=doubts)],
        right=numbers,
        empty="There is no configuration. `coursewire config template CODE` shows what one needs.",
    )
    for each in found:
        _put_explanations(each, own[each.configuration.channel])


def _lines(status: ConfigurationStatus, *, doubts: bool) -> Iterator[tuple[object, ...]]:
    """Yield a line for content, and one for each kind of outcome that a run has looked at; ``doubts`` adds a column."""
    for kind, part in status.kinds.items():
        if kind is Kind.CONTENT:
            channel = status.configuration.channel
            heads = (status.configuration.short_id, f"{channel}, {status.customer_name}", _word(status))
        elif part.last_job:
            heads = ("", f"  {kind.value}", "")
        else:
            continue
        counts = (part.waiting, part.skipped, part.failed)
        yield (
            *heads,
            f"{part.present:,}",
            *(f"{sum(each.values()):,}" for each in counts),
            *((f"{part.in_doubt:,}",) if doubts else ()),
            _last(part.last_job),
        )


def _word(status: ConfigurationStatus) -> str:
    return status.state.partition(":")[0]


def _last(job: Mapping[str, Any] | None) -> list[str]:
    """Return the lines of the cell about the last job."""
    return [f"{job['started_at']:%m-%d %H:%M}", job["state"]] if job else ["never"]


def _put_explanations(status: ConfigurationStatus, own: Sequence[ReasonInfo]) -> None:
    """Print what is wrong with a configuration, and why items are not at the LMS.

    Args:
        status: The status of the configuration.
        own: The reason codes that its channel declares.
    """
    configuration = status.configuration
    config = short(configuration.uuid)
    lines = []
    if ":" in status.state:
        lines.append((status.state, "red" if status.state.startswith("invalid") else "yellow"))
    if configuration.needs_reconnect_reason:
        step = f"Mend it with `coursewire config edit {config}`, then `coursewire config check {config}`."
        lines.append((f"needs reconnect: {configuration.needs_reconnect_reason}. {step}", "red"))
    if configuration.failing:
        lines.append((configuration.failing, "red"))
    for kind, part in status.kinds.items():
        for counts, style in ((part.failed, "red"), (part.waiting, "cyan"), (part.skipped, "yellow")):
            lines += [(counted(reason, count, kind.noun, own), style) for reason, count in counts.items()]
        if part.in_doubt:
            lines.append((counted(Reason.IN_DOUBT, part.in_doubt, kind.noun, own), "red"))
    if lines:
        put()
        put(f"{configuration.display_name} ({config})", style="bold")
    for text, style in lines:
        put(text, style=style, indent=2)

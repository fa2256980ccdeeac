"""``coursewire jobs``: the last runs."""

from __future__ import annotations

from typing import Any

from coursewire.cli.host import open_host
from coursewire.cli.options import Config, Json, Limit
from coursewire.cli.output import put_json, put_table, short


def jobs(config: Config = None, limit: Limit = 20, json: Json = False) -> None:
    """Show the last runs, the newest first."""
    with open_host(read_only=True) as host:
        only = host.configurations.find(config).uuid if config else None
        found = host.history.jobs(configuration=only, limit=limit)
        names = {each.uuid: each.display_name for each in host.configurations.list(include_removed=True)}
    if json:
        for job in found:
            put_json(job)
        return
    put_table(
        ("job", "when", "configuration", "kind", "state", "summary"),
        [
            (
                short(job["uuid"]),
                f"{job['started_at']:%Y-%m-%d %H:%M}",
                names.get(job["configuration"], short(job["configuration"])),
                job["kind"],
                job["state"],
                _result(job),
            )
            for job in found
        ],
        empty="No run yet. `coursewire transmit content` makes one.",
    )


def _result(job: dict[str, Any]) -> str:
    """Return the error of a job, or its counts in words."""
    if job["error"]:
        return str(job["error"])
    parts = []
    for name, value in (job["summary"] or {}).items():
        count = sum(value.values()) if isinstance(value, dict) else value
        if isinstance(count, int) and count and name not in ("requests",) and not name.endswith("_by_reason"):
            parts.append(f"{name} {count:,}")
    return ", ".join(parts)

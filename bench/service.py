"""Fifty viewers of the host service on a million transmissions: how long every page takes."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from bench.million import bundle
from bench.viewers import THINK_S, VIEWERS, crowd
from coursewire.testing.database import VARIABLES, bare_database

if TYPE_CHECKING:
    from rich.console import Console

WITHIN_MS = 300
"""What the 95th percentile of every page may last."""

STARTS_WITHIN_S = 60


def backend() -> str:
    """The database that is named by the variables of the tests, else SQLite."""
    return next((name for name, variable in VARIABLES.items() if os.environ.get(variable)), "sqlite")


def measure_service(
    count: int, seconds: float, work: Path, console: Console, step: Any, simulator: Any
) -> None:
    """Fill a database, serve it, let the viewers look, and print what they waited for.

    Args:
        count: Transmissions.
        seconds: How long they look.
        work: A folder.
        console: Where the tables go.
        step: Runs a step of the worker.
        simulator: Runs a simulator.
    """
    work.mkdir(parents=True)
    with bare_database(backend(), work) as url:
        here = {"COURSEWIRE_DATABASE_URL": url}
        step("prepare", work, str(bundle(work / "bundle")), extra=here)
        fields = []
        for code in ("SAP", "CANVAS"):
            with simulator(code, work) as running:
                fields.append([code, running["fields"]])
        start = time.perf_counter()
        callers = step("fill", work, str(count), json.dumps(fields), extra=here)
        console.print(
            f"[dim]{backend()}: {count:,} transmissions written in {time.perf_counter() - start:.0f} s[/dim]"
        )
        with served(work, here) as (address, process):
            for think, part in ((True, 1), (False, 3)):
                before = _cpu_s(process.pid)
                found = asyncio.run(
                    crowd(address, callers, transmissions=count, seconds=seconds / part, think=think)
                )
                found["cpu_s"] = _cpu_s(process.pid) - before
                if think:
                    console.print(_table(found, f"{VIEWERS} viewers, {count:,} transmissions, {backend()}"))
                pause = f"thinking {THINK_S[0]} to {THINK_S[1]} s between pages"
                _tell(console, found, pause if think else "without thinking (saturated)")
            console.print(f"[dim]memory of the service at the end: {_resident_mb(process.pid):.0f} MB[/dim]")


@contextmanager
def served(folder: Path, here: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The real ``coursewire serve``, with its address."""
    from bench.__main__ import environment

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "coursewire", "serve", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment() | here | {"COURSEWIRE_DATA_DIR": str(folder)}, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(
                        f"the service did not start:\n{(folder / 'serve.log').read_text()}"
                    ) from None
                time.sleep(0.2)
        yield address, process
    finally:
        process.terminate()
        process.wait(60)


def _table(found: dict[str, Any], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("page", "looks", "p50 ms", "p95 ms", "max ms", f"within {WITHIN_MS} ms"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    for name, times in sorted(found["pages"].items()):
        last = percentile(times, 95)
        table.add_row(
            name,
            str(len(times)),
            f"{statistics.median(times):.0f}",
            f"{last:.0f}",
            f"{max(times):.0f}",
            "yes" if last <= WITHIN_MS else "[bold]NO[/bold]",
        )
    return table


def _tell(console: Console, found: dict[str, Any], how: str) -> None:
    every = [one for times in found["pages"].values() for one in times]
    over = sorted(name for name, times in found["pages"].items() if percentile(times, 95) > WITHIN_MS)
    console.print(
        f"{how}: {len(every) / found['seconds']:.0f} pages a second, p50 {statistics.median(every):.0f} ms, "
        f"p95 {percentile(every, 95):.0f} ms, max {max(every):.0f} ms; "
        f"{found['cpu_s'] / len(every) * 1000:.1f} ms of processor a page; load {os.getloadavg()[0]:.1f}; "
        f"beyond {WITHIN_MS} ms at p95: {len(over)} of {len(found['pages'])} pages"
    )
    for fault, times in found["faults"].items():
        console.print(f"[bold]not 200:[/bold] {fault}: {times}", markup=True)


def percentile(times: list[float], part: int) -> float:
    """The value that so many percent of the times do not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, -(-len(ordered) * part // 100) - 1)]


def _cpu_s(pid: int) -> float:
    """Seconds of processor that a process has used; unlike its answers they do not depend on what else runs."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    """What a process holds in memory; 0 where the system does not tell it this way."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)

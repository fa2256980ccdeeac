"""How long a channel author waits: the tests of a new channel, and the conformance suite of every channel here.

Seconds say little on another machine, so that they are given beside those of a bare start in the same run: a
process that only imports what every one of these loads.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

LOADED = "import aiohttp, httpx, pydantic, pytest, sqlalchemy"
ROUNDS = 3
"""How often each is measured; the least counts, since other work on the machine can only add."""


def measure_kit(work: Path, console: Console) -> None:
    """Measure, and print one table."""
    rows = map(json.loads, _run("-m", "coursewire", "channels", "--json").splitlines())
    channels = sorted(row["code"] for row in rows if row["state"] == "loaded")
    _run("-m", "coursewire", "new-channel", "acme", "--yes", "--into", str(work))
    bare: list[float] = []
    found: dict[str, list[tuple[float, int]]] = {"a new channel, by pytest": []}
    for _ in range(ROUNDS):
        bare.append(_bare())
        found["a new channel, by pytest"].append(_new_channel(work / "coursewire-acme"))
        for code in channels:
            found.setdefault(code, []).append(_conformance(code))
    table = Table(title="Conformance suite", title_justify="left")
    for heading in ("channel", "checks", "s", "bare start s", "ratio"):
        table.add_column(heading, justify="left" if heading == "channel" else "right")
    for name, measured in found.items():
        least_s, checks = min(measured)
        table.add_row(name, str(checks), f"{least_s:.1f}", f"{min(bare):.2f}", f"{least_s / min(bare):.1f}")
    console.print(table)


def _bare() -> float:
    started = time.perf_counter()
    _run("-c", LOADED)
    return time.perf_counter() - started


def _new_channel(folder: Path) -> tuple[float, int]:
    """Seconds as pytest counts them, and how many tests passed."""
    said = _run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder, path=folder / "src")
    passed = re.search(r"(\d+) passed in ([\d.]+)s", said)
    if passed is None:
        raise SystemExit(f"the new channel's tests failed:\n{said}")
    return float(passed[2]), int(passed[1])


def _conformance(code: str) -> tuple[float, int]:
    """Seconds of all checks, and how many passed."""
    *checks, summary = map(json.loads, _run("-m", "coursewire", "conformance", code, "--json").splitlines())
    return sum(check["seconds"] for check in checks), summary["passed"]


def _run(*arguments: str, cwd: Path | None = None, path: Path | None = None) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COURSEWIRE_")}
    if path is not None:
        kept["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=kept, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout

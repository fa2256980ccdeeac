"""``make bench``: a first transmission and one without changes, against the floor, for every channel."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.kit import measure_kit
from bench.material import CUSTOMER, multiply, results
from bench.service import measure_service
from coursewire.sources.sample import sample_bundle

ROOT = Path(__file__).resolve().parent.parent
CHANNELS = ("SAP", "CANVAS")
MANY = 20_000
VIEWED = 1_000_000


def find_bundle() -> Path:
    """The bundle that is named, else the large one beside the project, else the sample."""
    named = os.environ.get("COURSEWIRE_BENCH_BUNDLE")
    if named:
        return Path(named)
    beside = ROOT.parent / "shared" / "data" / "edx-2020"
    return beside if beside.is_dir() else sample_bundle()


def environment() -> dict[str, str]:
    """Of every step: nothing of the person's own installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COURSEWIRE_")}
    return kept | {"COURSEWIRE_ALLOW_INSECURE_URLS": "1", "PYTHONPATH": str(ROOT)}


def step(
    name: str, folder: Path, *arguments: str, extra: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """Run one step in a process of its own, with ``extra`` in its environment."""
    command = [sys.executable, "-m", "bench.worker", name, str(folder), *arguments]
    done = subprocess.run(
        command, env=environment() | dict(extra), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@contextmanager
def simulator(code: str, folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """A running simulator in a process of its own."""
    command = [sys.executable, "-m", "bench.worker", "simulate", str(folder), code, *options]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


def reset(url: str) -> None:
    """Let a simulator forget what arrived."""
    urllib.request.urlopen(
        urllib.request.Request(f"{url}/_simulator/reset", method="POST"), timeout=10
    ).close()


def counts(url: str) -> dict[str, Any]:
    """What arrived at a simulator."""
    with urllib.request.urlopen(f"{url}/_simulator/counts", timeout=10) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


def measure(bundle: Path, work: Path, table: Table) -> None:
    """Measure every channel with one bundle."""
    template = work / "template"
    template.mkdir(parents=True)
    loaded = step("prepare", template, str(bundle))
    with (bundle / "catalogs.jsonl").open() as catalogs:
        largest = max(map(json.loads, catalogs), key=lambda each: len(each["content_keys"]))
    for code in CHANNELS:
        folder = work / code.lower()
        shutil.copytree(template, folder)
        with simulator(code, folder) as running:
            step("configure", folder, code, largest["customer"], json.dumps(running["fields"]))
            first = step("transmit", folder)
            arrived = counts(running["url"])
            again = step("transmit", folder)
            reset(running["url"])
            least = step("floor", folder, code, running["url"], json.dumps(running["fields"]))
        summary = first["summary"]
        items = summary["created"] + summary["waiting"] + summary["failed"]
        table.add_row(
            code,
            f"{items:,}",
            f"{arrived['items']:,}",
            f"{first['seconds']:.2f}",
            f"{least['posting']:.2f} + {least['inserting']:.2f}",
            f"{first['seconds'] / least['seconds']:.2f}",
            f"{again['seconds']:.2f}",
            str(again["statements"]),
            f"{first['peak_mb']:.0f}",
        )
        shutil.rmtree(folder)
    del loaded
    shutil.rmtree(template)


def measure_results(count: int, work: Path, table: Table) -> None:
    """Measure the completions of ``count`` made-up learners at every channel."""
    template = work / "template"
    template.mkdir(parents=True)
    bundle = results(count, work / "bundle")
    step("prepare", template, str(bundle))
    enrolled = [json.loads(line) for line in (bundle / "enrollments.jsonl").read_text().splitlines()]
    pairs = [
        [row["course_id"].removeprefix("course-v1:").rsplit("+", 1)[0], f"{row['username']}@example.com"]
        for row in enrolled
    ]
    for code in CHANNELS:
        folder = work / code.lower()
        shutil.copytree(template, folder)
        with simulator(code, folder, "keep") as running:
            fields = json.dumps(running["fields"])
            step("configure", folder, code, CUSTOMER, fields)
            step("transmit", folder)
            if code == "CANVAS":
                post(f"{running['url']}/_bench/enroll", json.dumps(pairs).encode())
            first = step("transmit", folder, "completions")
            again = step("transmit", folder, "completions")
            least = step("outcome-floor", folder, code, running["url"], fields)
        done = first["summary"]["created"]
        table.add_row(
            f"{code} completions",
            f"{count:,}",
            f"{done:,}",
            f"{first['seconds']:.2f}",
            f"{least['posting']:.2f} + {least['inserting']:.2f}",
            f"{first['seconds'] / least['seconds']:.2f}",
            f"{again['seconds']:.2f}",
            str(first["statements"]),
            f"{first['peak_mb']:.0f}",
        )
        shutil.rmtree(folder)


def post(url: str, body: bytes) -> None:
    """Tell a simulator something."""
    request = urllib.request.Request(
        url, data=body, method="POST", headers={"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=60).close()


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--many", type=int, default=MANY, help="items of the second, larger bundle; 0 for none"
    )
    parser.add_argument("--results", type=int, default=MANY, help="completions to measure; 0 for none")
    parser.add_argument(
        "--viewed", type=int, default=VIEWED, help="transmissions that viewers look at; 0 for no viewers"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the viewers look")
    parser.add_argument("--service", action="store_true", help="the viewers of the service alone")
    parser.add_argument("--kit", action="store_true", help="the conformance suite alone")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 110)
    alone = options.service or options.kit
    if not alone:
        measure_sending(options, console)
    if options.kit or not alone:
        with tempfile.TemporaryDirectory(prefix="coursewire-bench-") as folder:
            measure_kit(Path(folder), console)
    if options.viewed and (options.service or not alone):
        with tempfile.TemporaryDirectory(prefix="coursewire-bench-") as folder:
            measure_service(
                options.viewed, options.seconds, Path(folder) / "service", console, step, simulator
            )


def measure_sending(options: argparse.Namespace, console: Console) -> None:
    """Measure the jobs of every channel, and print one table."""
    bundle = find_bundle()
    table = Table(title=f"First transmission against the floor ({bundle.name})", title_justify="left")
    for heading in ("channel", "items", "arrived", "job s", "floor s (post + rows)", "ratio"):
        table.add_column(heading, justify="left" if heading == "channel" else "right")
    for heading in ("2nd run s", "statements", "peak MB"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory(prefix="coursewire-bench-") as folder:
        work = Path(folder)
        console.print(f"[dim]{bundle}[/dim]")
        measure(bundle, work / "first", table)
        if options.many:
            measure(multiply(bundle, options.many, work / "many-bundle"), work / "many", table)
        if options.results:
            measure_results(options.results, work / "results", table)
    console.print(table)
    console.print(
        "[dim]job: one first transmission, without the start of the process. floor: the same bodies by bare aiohttp "
        "over as many connections, the same rows by bulk insert. 2nd run: nothing changed.[/dim]"
    )


if __name__ == "__main__":
    main()

"""A channel that somebody wrote from the tutorial alone, for a made-up LMS: REST, tokens, pages, one bulk call.

It is kept as it was written, but for names that have become public since, and is nobody's example: it stands for the
channels outside this project, which core must not break.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "tests" / "material" / "from_the_tutorial" / "coursewire-brightpath"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, clean_python: Any, build_wheels: Any) -> Any:
    """A clean environment with core and this channel, both from wheels."""
    wheels = build_wheels(tmp_path_factory.mktemp("wheels"), ROOT / "core", PROJECT)
    made = clean_python(tmp_path_factory.mktemp("environment"))
    made.install(*wheels.values())
    return made


def said_by(python: Any, folder: Path, *args: str) -> list[dict[str, Any]]:
    """What a command prints as JSON, line by line."""
    environment = {"COURSEWIRE_DATA_DIR": str(folder)}
    said = python.run("-m", "coursewire", *args, "--json", cwd=folder, env=environment)
    return [json.loads(line) for line in said.splitlines()]


def test_it_loads_beside_nothing_else(python: Any, tmp_path: Path) -> None:
    rows = said_by(python, tmp_path, "channels")
    assert [(row["code"], row["state"]) for row in rows] == [("BRIGHTPATH", "loaded")]


def test_its_own_tests_pass(python: Any) -> None:
    # Its conformance suite and its golden pairs are among them.
    said = python.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", cwd=PROJECT)
    counts = re.search(r"(\d+) passed in [\d.]+s", said)
    assert counts, said
    assert int(counts[1]) >= 100
    assert " skipped" not in said


def test_it_transmits_the_sample_bundle(python: Any, tmp_path: Path) -> None:
    rows = {row["kind"]: row for row in said_by(python, tmp_path, "demo")}
    assert {row["channel"] for row in rows.values()} == {"BRIGHTPATH"}
    for kind in ("content", "completions"):
        assert rows[kind]["exit_status"] == 0
        assert rows[kind]["created"] == rows[kind]["unchanged"] > 4
        assert rows[kind]["failed"] == 0

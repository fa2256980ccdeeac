"""Channels that break one rule each: the conformance suite passes the right ones and fails every wrong one, by name.

A wrong channel is a module of ``tests/material/wrong_channels``, a small variation of a right one. Its docstring says
what it does wrong; ``CAUGHT_BY`` names the check that must notice, and words of the message.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from coursewire.cli.new_channel import Answers, write
from coursewire.testing import ChannelSuite, Outcome, run_suite

MATERIAL = Path(__file__).parent / "material"
RIGHT = MATERIAL / "right_channels"
WRONG = sorted((MATERIAL / "wrong_channels").glob("*.py"))
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "wrong-channels.md"
OURS = ("coursewire_acme", "harbor", "wrong_")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a channel as ``new-channel`` writes it; it and the other right one can be imported."""
    folder = tmp_path_factory.mktemp("right") / "coursewire-acme"
    write(folder, Answers("acme", "Acme", "ACME", "Pat Example"))
    before = list(sys.path)
    sys.path[:0] = [str(folder / "src"), str(RIGHT)]
    importlib.invalidate_caches()
    yield folder
    sys.path[:] = before
    for name in [name for name in sys.modules if name.startswith(OURS)]:
        del sys.modules[name]


def load(path: Path) -> ModuleType:
    """A wrong channel."""
    name = f"wrong_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["coursewire_acme.plugin", "harbor"])
def test_the_right_ones_pass_every_check(generated: Path, name: str) -> None:
    golden = generated / "tests" / "golden" if "acme" in name else None
    results = run_suite(importlib.import_module(name), golden=golden)
    assert [result.message for result in results if result.outcome is Outcome.FAILED] == []
    assert not [result for result in results if result.outcome is Outcome.SKIPPED]
    assert sum(result.outcome is Outcome.PASSED for result in results) >= 40


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_the_suite_names_the_fault_and_where_it_is_explained(generated: Path, path: Path) -> None:
    wrong = load(path)
    check, words = wrong.CAUGHT_BY
    golden = generated / "tests" / "golden" if "coursewire_acme" in path.read_text(encoding="utf-8") else None
    results = run_suite(
        wrong, golden=golden, only=lambda listed: listed.check.name in ("test_it_loads", check)
    )
    found = {result.name: result for result in results}
    assert found["test_it_loads"].outcome is Outcome.PASSED, found["test_it_loads"].message
    caught = found[check]
    assert caught.outcome is Outcome.FAILED, f"{path.stem} is not caught by {check}"
    assert words in caught.message.splitlines()[0], caught.message
    assert f"requirement: {check}:" in caught.message
    assert caught.message.splitlines()[-1].split() == ["explained:", caught.explained]


def test_there_are_many_and_each_says_what_is_wrong_with_it(generated: Path) -> None:
    assert len(WRONG) >= 14
    suite: type[ChannelSuite] = type("Any", (ChannelSuite,), {"channel": None})
    known = {listed.check.name for listed in suite.checks()}
    faults = {}
    for path in WRONG:
        wrong = load(path)
        faults[path.stem] = " ".join(wrong.__doc__.split())
        assert re.fullmatch(r"[A-Z][^.]+\.", faults[path.stem]), path
        assert wrong.CAUGHT_BY[0] in known, path
    assert len(set(faults.values())) == len(faults)
    rows = re.findall(r"^\| \[([\w ]+)\]\(\S+\) \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name.replace(" ", "_"): fault for name, fault in rows} == faults

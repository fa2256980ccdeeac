"""Reading the documentation: pages, fenced blocks, and the commands in them."""

import os
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Block:
    """A fenced block: its language, its lines, and the paragraph before it."""

    language: str
    lines: list[str]
    before: str

    @property
    def text(self):
        return "".join(f"{line}\n" for line in self.lines)


def blocks_of(text):
    """The fenced blocks of a page, in order."""
    found, before, fence, ended = [], [], None, False
    for line in text.splitlines():
        bare = line.strip()
        if fence is not None:
            if bare == "```":
                fence.lines = textwrap.dedent("\n".join(fence.lines)).splitlines()  # within a list
                found.append(fence)
                fence, before = None, []
            else:
                fence.lines.append(line)
        elif bare.startswith("```"):
            fence = Block(bare.removeprefix("```"), [], " ".join(before))
        elif bare:
            before = [bare] if ended else [*before, bare]
            ended = False
        else:
            ended = True
    assert fence is None, "a fenced block does not end"
    return found


def commands_of(block):
    """The commands of a console block, each with the output that is shown below it."""
    found = []
    for line in block.lines:
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        else:
            found[-1][1].append(line)
    return found


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def pages():
    """Every Markdown page of the project, by its path from the root."""
    skipped = {".venv", "node_modules", "build", "dist", ".pytest_cache"}
    found = {}
    for folder, names, files in os.walk(ROOT):
        names[:] = sorted(set(names) - skipped - {name for name in names if name.startswith(".")})
        for file in sorted(files):
            if file.endswith(".md"):
                path = Path(folder) / file
                found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    return found


@pytest.fixture(scope="session")
def read_blocks():
    return blocks_of


@pytest.fixture(scope="session")
def read_commands():
    return commands_of


@pytest.fixture
def clean_environment(tmp_path):
    """Nothing of the developer's installation; the command on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COURSEWIRE_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "COLUMNS": "80", "HOME": str(tmp_path), "PYTHONUTF8": "1"}

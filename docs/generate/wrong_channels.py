"""wrong-channels.md: the wrong channels that the conformance suite is tested with, from their sources."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from docs.generate.markdown import code, page, prose, table

ROOT = Path(__file__).resolve().parents[2]
WRONG = sorted((ROOT / "tests" / "material" / "wrong_channels").glob("*.py"))

INTRO = """\
The [conformance suite](conformance.md) is itself tested with channels that break one rule each. Every one is a small variation of
a channel that passes: of the one that `coursewire new-channel` writes, or of one with tokens, batches and pages. The suite
fails each of them by a message that names the fault. Read a row backwards when a check fails: this may be what your channel does."""


@dataclass(frozen=True)
class WrongChannel:
    """One of them, as its source says.

    Attributes:
        path: Of the source.
        fault: What it does wrong: the first line of its docstring.
        check: The check that notices.
        words: What the message says.
    """

    path: Path
    fault: str
    check: str
    words: str


def wrong_channels() -> list[WrongChannel]:
    """All of them, by name; read, not imported."""
    found = []
    for path in WRONG:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        caught = [
            ast.literal_eval(statement.value)
            for statement in tree.body
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "CAUGHT_BY"
        ]
        check, words = caught[-1]
        found.append(WrongChannel(path, " ".join((ast.get_docstring(tree) or "").split()), check, words))
    return found


def pages() -> dict[str, str]:
    """The page."""
    rows = [
        (
            f"[{each.path.stem.replace('_', ' ')}](../../{each.path.relative_to(ROOT).as_posix()})",
            prose(each.fault),
            f"[{code(each.check)}](conformance.md#{each.check.removeprefix('test_').replace('_', '-')})",
            each.words,
        )
        for each in wrong_channels()
    ]
    return {
        "wrong-channels.md": page(
            "Wrong channels",
            INTRO,
            table(("channel", "what it does", "the check that notices", "what it says"), rows),
        )
    }

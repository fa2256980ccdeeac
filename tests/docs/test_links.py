"""Every relative link leads somewhere, and every command that the pages name is one."""

import re
import shlex
from urllib.parse import unquote

import pytest
import typer

from coursewire.cli.app import app
from coursewire.cli.lazy import LazyCommand

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`((?:\$ )?coursewire(?: [^`]+)?)`", re.DOTALL)
PLACEHOLDERS = {
    "KIND": "content",
    "UUID": "d4d5be19-9d4a-4a3e-9f5e-2f6a3f8e1c01",
    "INSTANT": "2026-01-31T12:00:00Z",
    "N": "5",
    "STATE": "failed",
}
GROUP = typer.main.get_command(app)


def prose_of(text):
    """The page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors_of(text):
    """What GitHub makes of headings, and anchors set by hand."""
    found = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"^#{1,6} +(.+?)\s*$", prose_of(text), re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return found


def test_relative_links_resolve(pages, root):
    broken, seen = [], 0
    for name, text in pages.items():
        for target in LINK.findall(prose_of(text)):
            if re.match(r"[a-z]+:", target):
                continue
            seen += 1
            path, _, anchor = unquote(target).partition("#")
            there = (root / name).parent / path if path else root / name
            if not there.exists():
                broken.append(f"{name}: {target}")
            elif anchor and anchor not in anchors_of(there.read_text(encoding="utf-8")):
                broken.append(f"{name}: {target} (no such heading)")
    assert broken == []
    assert seen > 50


def find_command(words):
    """The command that the words name, and what is left of them."""
    command, words = GROUP, list(words)
    while hasattr(command, "commands") and words:
        inner = command.get_command(None, words[0])  # also a channel's own commands
        if inner is None:
            break
        command = inner.load() if isinstance(inner, LazyCommand) else inner
        del words[0]
    return command, words


def fault_of(text, *, whole):
    """What is wrong with a command line; None when nothing is.

    A command in running text may leave out what it demands ("see `coursewire audit show`"), and may name
    a group of commands.
    """
    text = re.split(r"\s(?:\||>|2>|&&|;|#)\s?", text)[0].removesuffix("...").strip()
    words = [PLACEHOLDERS.get(word, word) for word in shlex.split(text)[1:]]
    command, rest = find_command(words)
    if hasattr(command, "commands"):
        odd = [word for word in rest if not word.startswith("-")]
        return (
            f"there is no command {odd[0]!r}" if odd and not odd[0].isupper() and odd[0][0] != "<" else None
        )
    try:
        command.make_context("coursewire", rest)
    except typer.Exit:
        return None
    except typer.TyperException as error:
        incomplete = type(error).__name__ == "MissingParameter" and not whole
        return None if incomplete else f"{type(error).__name__}: {error}"
    return None


def named_commands(pages, read_blocks, read_commands):
    for name, text in pages.items():
        for block in read_blocks(text):
            if block.language == "console":
                for command, _ in read_commands(block):
                    for found in re.split(r"\||&&|;|\$\(|\)", command):
                        words = re.sub(r"^\s*(\w+=\S*\s+)*", "", found)  # variables set for one command
                        if words.startswith("coursewire "):
                            yield name, words, True
        for found in INLINE.findall(prose_of(text)):
            yield name, " ".join(found.split()), False


@pytest.mark.filterwarnings("default")
def test_named_commands_exist(pages, read_blocks, read_commands):
    found = list(named_commands(pages, read_blocks, read_commands))
    wrong = [
        f"{name}: {text}: {fault}"
        for name, text, whole in found
        if (fault := fault_of(text, whole=whole)) is not None
    ]
    assert wrong == []
    assert len(found) > 50


def test_commands_that_messages_name_exist(root):
    """The next steps of errors, reasons and notes."""
    wrong = []
    for path in sorted((root / "core" / "src").rglob("*.py")):
        for text in re.findall(r"[`'](coursewire [a-z][^`'\"{}]*)[`']", path.read_text(encoding="utf-8")):
            fault = fault_of(text, whole=False)
            if fault is not None:
                wrong.append(f"{path.relative_to(root)}: {text}: {fault}")
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "whole", "good"),
    [
        ("coursewire transmit content --dry-run", True, True),
        ("coursewire audit show", False, True),
        ("coursewire audit show", True, False),
        ("coursewire audit", False, True),
        ("coursewire audit shwo", False, False),
        ("coursewire transmit content --dryrun", False, False),
        ("coursewire transmit KIND --customer UUID", True, True),
        ("coursewire --version", False, True),
    ],
)
def test_the_check_itself(text, whole, good):
    assert (fault_of(text, whole=whole) is None) is good

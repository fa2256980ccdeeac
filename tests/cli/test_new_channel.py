"""new-channel: what it writes, asks and refuses."""

import ast
import json
import os
import pty
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

FILES = [
    "CHANGELOG.md",
    "README.md",
    "pyproject.toml",
    "src/coursewire_acme/__init__.py",
    "src/coursewire_acme/plugin.py",
    "src/coursewire_acme/simulator.py",
    "tests/golden/completions/completion.json",
    "tests/golden/content/course.json",
    "tests/test_conformance.py",
]


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def channel_code(folder):
    """The hooks of a generated project; its simulator stands in for the LMS and is no part of the channel."""
    return ast.parse((folder / "src" / "coursewire_acme" / "plugin.py").read_text(encoding="utf-8"))


def imported(tree):
    """The modules that the code imports."""
    nodes = list(ast.walk(tree))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom)}


CORE_WORK = re.compile(
    r"sleep|status_code|headers|TokenAuth|FormAuth|OAuth\w+|pages|rows_of|poll|ThrottledError|Rate|rates"
)


def core_work(tree):
    """Statements and names by which the code would do what core does: wait, try again, renew, page, count calls."""
    nodes = list(ast.walk(tree))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.arg for node in nodes if isinstance(node, ast.keyword | ast.arg) and node.arg}
    statements = {type(node).__name__ for node in nodes if isinstance(node, ast.While | ast.Try)}
    return statements | {name for name in names if CORE_WORK.fullmatch(name)}


def test_nine_files_and_the_next_three_commands(bare, tmp_path):
    said = bare("new-channel", "acme").out
    folder = tmp_path / "coursewire-acme"
    assert files_of(folder) == FILES
    assert len(FILES) <= 9
    assert all(f"  {file}\n" in said for file in FILES)
    after = said.partition("Next:\n")[2].splitlines()
    assert [line.split()[0] for line in after] == ["pip", "pytest", "coursewire"]
    assert all(len(line) <= 80 for line in said.splitlines())
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["coursewire-acme"]


def test_its_author_needs_coursewire_and_nothing_else(bare, tmp_path):
    bare("new-channel", "acme")
    folder = tmp_path / "coursewire-acme"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [re.match(r"[\w-]+", each)[0] for each in project["dependencies"]] == ["coursewire"]
    assert imported(channel_code(folder)) == {"coursewire"}


def test_it_leaves_tokens_retries_rates_and_pages_to_core(bare, tmp_path):
    """It sends each request once, waits for nothing, and lets errors go."""
    bare("new-channel", "acme")
    tree = channel_code(tmp_path / "coursewire-acme")
    assert core_work(tree) == set()


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    pass",
        "try:\n    pass\nexcept OSError:\n    pass",
        "session.sleep(1)",
        "response.status_code == 429",
        "response.headers.get('Retry-After')",
        "cw.TokenAuth",
        "session.pages('/x')",
        "cw.ThrottledError",
        "cw.Rate(calls=1, seconds=1)",
    ],
)
def test_work_that_is_cores_is_noticed(code):
    assert core_work(ast.parse(code))


def test_options_answer_every_question(bare, tmp_path):
    said = bare(
        "new-channel",
        "Coursewire-Big_LMS 2",
        "--title",
        "Größe & Söhne's LMS",
        "--code",
        "big2",
        "--author",
        "Pat Example",
        "--into",
        tmp_path,
        "--json",
    ).last
    assert said["code"] == "BIG2"
    folder = Path(said["folder"])
    assert folder.name == "coursewire-big-lms-2"
    assert sorted(said["files"]) == files_of(folder)
    assert len(said["next"]) == 3
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["authors"] == [{"name": "Pat Example"}]
    assert project["entry-points"]["coursewire.channels"] == {"big-lms-2": "coursewire_big_lms_2.plugin"}
    plugin = (folder / "src" / "coursewire_big_lms_2" / "plugin.py").read_text(encoding="utf-8")
    assert 'code="BIG2"' in plugin
    assert "Größe & Söhne's LMS" in plugin
    assert "class BigLms2Config" in plugin


def test_it_is_well_formed_and_well_typed(bare, tmp_path):
    bare("new-channel", "acme")
    folder = tmp_path / "coursewire-acme"
    for path in folder.rglob("*.json"):
        json.loads(path.read_text())
    assert not [
        path
        for path in folder.rglob("*")
        if path.is_file() and "$" in path.read_text() and path.suffix != ".md"
    ]
    for args in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy", "--strict", "src"]):
        done = subprocess.run(
            [sys.executable, "-m", *args],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_asks_nobody_for_anything_over_the_network(bare, tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise AssertionError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    bare("new-channel", "acme")
    assert files_of(tmp_path / "coursewire-acme") == FILES


def at_terminal(*args, answers, folder):
    """Run the command on a terminal and type; gives status and what was shown."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [Path(sys.executable).with_name("coursewire"), "new-channel", *args],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        os.write(ours, answers.encode())
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so when the other end is closed
                break
            if not part:
                break
            shown += part
        status = process.wait(30)
    os.close(ours)
    return status, shown.decode()


def test_three_questions_on_a_terminal(environment, tmp_path):
    status, shown = at_terminal("acme", answers="Acme Learning\n\nPat Example\n", folder=tmp_path)
    assert status == 0, shown
    assert shown.count("]: ") == 3
    assert "[ACME]" in shown
    readme = (tmp_path / "coursewire-acme" / "README.md").read_text()
    assert "for Acme Learning (code `ACME`)" in readme
    assert "Pat Example" in (tmp_path / "coursewire-acme" / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("args", "questions"),
    [(["--yes"], 0), (["--title", "A", "--code", "AC", "--author", "P"], 0), (["--title", "A"], 2)],
)
def test_no_question_that_was_answered(environment, tmp_path, args, questions):
    status, shown = at_terminal("acme", *args, answers="\n\n\n", folder=tmp_path)
    assert status == 0, shown
    assert shown.count("]: ") == questions


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["Acmé"], "acme-lms"),
        (["9lives"], "begins with a letter"),
        (["a"], "2 to 30"),
        (["a" * 31], "2 to 30"),
        (["acme--lms"], "single hyphens"),
        (["-"], "single hyphens"),
        ([""], "2 to 30"),
        (["../acme"], "cannot be the name"),
        (["simulate"], "is a command already"),
        (["canvas"], "coursewire-canvas"),
        (["acme", "--code", "sap"], "coursewire-sap"),
        (["acme", "--code", "9X"], "--code ACME"),
        (["acme", "--code", "A" * 31], "2 to 30 capitals"),
        (["acme", "--title", 'The "best" LMS'], "quotation marks"),
        (["acme", "--title", "{x}"], "braces"),
        (["acme", "--title", "two\nlines"], "one line"),
        (["acme", "--title", "x" * 61], "1 to 60"),
        (["acme", "--author", "a\\b"], "backslashes"),
        (["acme", "--into", "nowhere"], "--into DIR"),
    ],
)
def test_what_is_refused(bare, tmp_path, args, said):
    error = bare("new-channel", *args, status=2).err
    assert said in error
    assert not list(tmp_path.rglob("coursewire-a*"))


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_nothing_is_overwritten(bare, tmp_path, kind):
    place = tmp_path / "coursewire-acme"
    match kind:
        case "folder":
            place.mkdir()
        case "file":
            place.write_text("mine")
        case "link":
            place.symlink_to(tmp_path / "gone")
    before = place.lstat()
    same = (before.st_ino, before.st_mode, before.st_size, before.st_mtime_ns)
    error = bare("new-channel", "acme", "--json", status=2).error
    assert "exists already" in error["what"]
    assert "--into" in error["next_step"]
    after = place.lstat()
    assert (after.st_ino, after.st_mode, after.st_size, after.st_mtime_ns) == same
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_is_full_leaves_nothing_behind(bare, tmp_path, monkeypatch):
    real = Path.write_text

    def write(self, text, **options):
        if self.name == "simulator.py":
            raise OSError(28, "No space left on device")
        return real(self, text, **options)

    monkeypatch.setattr(Path, "write_text", write)
    assert "No space left" in bare("new-channel", "acme", status=2).err
    assert not list(tmp_path.glob("*coursewire*"))

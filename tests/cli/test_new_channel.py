"""new-channel: what it writes, asks and refuses."""

import ast
import io
import json
import os
import pty
import socket
import subprocess
import sys
import tokenize
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


def code_lines(text):
    """Lines with code: no docstrings, no comments, no blanks."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    beside = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in beside
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - docstrings)


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


def test_the_channel_is_forty_lines_of_code_at_most(bare, tmp_path):
    bare("new-channel", "acme")
    package = tmp_path / "coursewire-acme" / "src" / "coursewire_acme"
    channel = [path.read_text() for path in package.glob("*.py") if path.name != "simulator.py"]
    assert 0 < sum(map(code_lines, channel)) <= 40


def test_code_lines_are_counted_rightly():
    text = '"""Doc\n\nstring."""\n\n# comment\nx = (\n    1,  # one\n)\n\n\ndef f():\n    """Doc."""\n    return """a\nb"""\n'
    assert code_lines(text) == 6


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

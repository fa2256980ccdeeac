"""The tutorials, followed to the letter: every file saved, every command run, every output that is shown compared."""

import os
import re
import subprocess
from itertools import pairwise

import pytest

from coursewire_canvas.simulator import CanvasSimulator

MARK = "=== command"

# What differs from run to run, longest first.
VARYING = [
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "FINGERPRINT"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?"), "INSTANT"),
    (re.compile(r"\b\d\d-\d\d \d\d:\d\d(:\d\d)?\b"), "INSTANT"),
    (re.compile(r"\b[0-9a-f]{8}\b"), "ID"),
    (re.compile(r"\b\d+ ms\b"), "MS"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\b\d+\.\d+ ?s\b"), "SECONDS"),
    (re.compile(r"─+"), "─"),
    (re.compile(r"\s+"), " "),
]
PROGRESS = re.compile(r"^[\w ]+: [\d,]+ of [\d,]+$")


@pytest.fixture
def steps_of(pages, read_blocks, read_commands):
    """Of a page: ("save" or "add", path, text), ("run" or "background", command, shown lines), in order."""

    def read(page):
        found = []
        for block in read_blocks(pages[page]):
            if block.language == "console":
                kind = "background" if "second terminal" in block.before else "run"
                found += [(kind, *each) for each in read_commands(block)]
            else:
                place = re.search(r"(?:[Ss]ave this as|[Aa]dd this to) `([^`]+)`:$", block.before)
                assert place, f"a block that is neither commands nor a file: {block.text[:80]}"
                found.append(("save" if "ave this as" in place[0] else "add", place[1], block.text))
        return found

    return read


def test_the_first_run(steps_of, tmp_path, clean_environment):
    steps = steps_of("docs/tutorial/first-run.md")
    with CanvasSimulator().running() as free:
        port = free.url.rpartition(":")[2]  # one that nobody listens on when it is gone
    background = [command for kind, command, _ in steps if kind == "background"]
    assert background == ["coursewire simulate CANVAS --port 8301"]
    simulator = subprocess.Popen(
        background[0].replace("8301", port).split(),
        env={**clean_environment, "COURSEWIRE_DATA_DIR": str(tmp_path / "other"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert f"http://127.0.0.1:{port}" in simulator.stdout.readline()  # it is up when it says so
        follow(steps, tmp_path, clean_environment, port)
    finally:
        simulator.terminate()
        simulator.communicate(timeout=30)
    assert not list(tmp_path.glob("first-run*"))


@pytest.fixture(scope="module")
def authors_environment(tmp_path_factory, clean_python, build_wheels, root):
    """What an author has: an environment with Coursewire from its wheel, and no channel."""
    wheels = build_wheels(tmp_path_factory.mktemp("wheels"), root / "core")
    made = clean_python(tmp_path_factory.mktemp("author"))
    made.install(wheels["coursewire"])
    return made


def test_the_first_channel(steps_of, tmp_path, clean_environment, authors_environment):
    steps = steps_of("docs/tutorial/first-channel.md")
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_COMPILE": "1"}
    path = f"{authors_environment.bin}{os.pathsep}{clean_environment['PATH']}"

    outputs = follow(steps, tmp_path, {**clean_environment, **offline, "PATH": path})

    said = dict(outputs)
    tests = [output for command, output in outputs if command == "python -m pytest -q"]
    assert len(tests) == 2
    assert all(re.search(r"^\d\d passed in", output, re.MULTILINE) for output in tests), tests
    assert said["coursewire demo"]


def follow(steps, folder, environment, port=""):
    """Do what a page says; gives (command, output) of each command."""
    commands = [(command, shown) for kind, command, shown in steps if kind == "run"]
    outputs = run(script_of(steps, port), folder, environment)
    assert len(outputs) == len(commands)
    for (command, shown), (status, output), following in zip(
        commands, outputs, [*commands[1:], ("", [])], strict=True
    ):
        assert status == 0 or following[0] == "echo $?", f"$ {command} ended with {status}\n{output}"
        if shown:
            compare(command, shown, output)
    return [(command, output) for (command, _), (_, output) in zip(commands, outputs, strict=True)]


def script_of(steps, port):
    """One shell session: files are written where they are mentioned, each command is announced."""
    lines = []
    for kind, what, more in steps:
        if kind in ("save", "add"):
            sign = ">" if kind == "save" else ">>"
            lines.append(f"cat {sign} {what} <<'END OF FILE'\n{with_port(more, port)}END OF FILE")
        elif kind == "run":
            lines += [f"echo '{MARK}' $s; (exit $s)", with_port(what, port), "s=$?"]
    return "\n".join(["s=0", *lines, f"echo '{MARK}' $s", ""])


def with_port(text, port):
    """The simulator's port is written in the page; the test's is another."""
    return text.replace("8301", port) if port else text


def run(script, folder, environment):
    """(exit status, output) of each command."""
    file = folder / "tutorial.sh"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["bash", file],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    _, *parts = done.stdout.split(MARK)
    found = []
    for part, following in pairwise(parts):
        found.append((int(following.split()[0]), part.partition("\n")[2]))
    return found


def compare(command, shown, output):
    """A line of three dots stands for any lines."""
    got = [normal(line) for line in output.splitlines() if line.strip() and not PROGRESS.match(line)]
    for wanted in map(normal, filter(str.strip, shown)):
        if wanted == "...":
            got.insert(0, "...")
            continue
        if got and got[0] == "...":
            assert wanted in got, f"$ {command}\nmissing: {wanted}\nin: {got}"
            del got[: got.index(wanted) + 1]
        else:
            assert got, f"$ {command}\nmissing: {wanted}"
            assert got.pop(0) == wanted, f"$ {command}\n{output}"
    assert got[:1] in ([], ["..."]), f"$ {command}\nnot shown: {got}"


def normal(line):
    for pattern, instead in VARYING:
        line = pattern.sub(instead, line)
    return line.strip()


def test_comparison_notices_what_differs():
    compare("x", ["id 12345678", "...", "end"], "id 9abcdef0\nmore\n  end\n")
    compare("x", ["a", "..."], "a\nb\nc\n")
    for shown, output in ((["a"], "b\n"), (["a", "b"], "a\n"), (["a"], "a\nb\n"), (["...", "z"], "a\n")):
        with pytest.raises(AssertionError):
            compare("x", shown, output)

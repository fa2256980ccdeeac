"""The tutorial, followed to the letter: every file saved, every command run, every output that is shown compared."""

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
    (re.compile(r"─+"), "─"),
    (re.compile(r"\s+"), " "),
]
PROGRESS = re.compile(r"^[\w ]+: [\d,]+ of [\d,]+$")


@pytest.fixture
def tutorial(pages):
    return pages["docs/tutorial/first-run.md"]


@pytest.fixture
def steps(tutorial, read_blocks, read_commands):
    """("save", path, text), ("run", command, shown lines) and ("background", command, []), in order."""
    found = []
    for block in read_blocks(tutorial):
        if block.language == "console":
            kind = "background" if "second terminal" in block.before else "run"
            found += [(kind, *each) for each in read_commands(block)]
        else:
            path = re.search(r"[Ss]ave this as `([^`]+)`:$", block.before)
            assert path, f"a block that is neither commands nor a file: {block.text[:80]}"
            found.append(("save", path[1], block.text))
    return found


def test_it_works_as_written(steps, tmp_path, clean_environment):
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
        commands = [(command, shown) for kind, command, shown in steps if kind == "run"]
        outputs = run(script_of(steps, port), tmp_path, clean_environment)
    finally:
        simulator.terminate()
        simulator.communicate(timeout=30)
    assert len(outputs) == len(commands)
    for (command, shown), (status, output), following in zip(
        commands, outputs, [*commands[1:], ("", [])], strict=True
    ):
        assert status == 0 or following[0] == "echo $?", f"$ {command} ended with {status}\n{output}"
        if shown:
            compare(command, shown, output)
    assert not list(tmp_path.glob("first-run*"))


def script_of(steps, port):
    """One shell session: files are written where they are mentioned, each command is announced."""
    lines = []
    for kind, what, more in steps:
        if kind == "save":
            lines.append(f"cat > {what} <<'END OF FILE'\n{more.replace('8301', port)}END OF FILE")
        elif kind == "run":
            lines += [f"s=$?; echo '{MARK}' $s; (exit $s)", what.replace("8301", port)]
    return "\n".join([*lines, f"echo '{MARK}' $?", ""])


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

"""The command as a whole: help, errors, signals, pipes, terminals, channels' own commands."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coursewire.cli import app as application
from coursewire.cli import lazy
from coursewire.cli.commands import COMMANDS, SECTIONS
from coursewire.cli.lazy import LazyCommand
from coursewire.errors import CoursewireError
from coursewire.plugins.loading import load_channels

COMMAND = Path(sys.executable).with_name("coursewire")


def test_help_lists_every_command_with_a_whole_sentence(bare):
    said = bare("--help").out
    for row in COMMANDS:
        assert re.search(rf"^  {row.name}  +{re.escape(row.help)}$", said, re.MULTILINE), row.name
    assert "Exit status: 0 all well" in said
    assert "..." not in said.replace("[ARGS]...", "")
    assert bare("-h").out == said


WITHOUT_JSON = [
    ["serve"], *(["access", name] for name in ("password", "disable", "enable", "remove", "revoke"))
]  # fmt: skip
"""Commands that have no result to print."""


def test_every_command_has_help_that_fits_80_columns(bare):
    groups = {"config": [], "audit": [], "learners": [], "access": []}
    for group in groups:
        groups[group] = re.findall(r"^  ([a-z-]+)  ", bare(group, "--help").out, re.MULTILINE)
    calls = [[row.name] for row in COMMANDS] + [
        [group, name] for group, names in groups.items() for name in names
    ]
    assert len(calls) > 25
    for call in calls:
        said = bare(*call, "--help").out
        assert max(map(len, said.splitlines())) <= 80, call
        if call not in WITHOUT_JSON and call not in ([group] for group in groups):
            assert "--json" in said, call


def test_each_command_says_of_itself_what_the_list_says():
    assert {row.section for row in COMMANDS} == set(SECTIONS)
    for row in COMMANDS:
        command = LazyCommand(row).load()
        assert command.name == row.name
        assert command.help.startswith(row.help), row.name


def completed(words):
    """The words that are offered for the last one."""
    ask = {
        **os.environ,
        "_COURSEWIRE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = subprocess.run([COMMAND], env=ask, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("coursewire tr", ["transmit"]),
        ("coursewire ", [row.name for row in COMMANDS]),
        ("coursewire config act", ["activate"]),
        ("coursewire audit ", ["list", "show", "retry", "export", "prune"]),
        ("coursewire transmit --dr", ["--dry-run"]),
        ("coursewire plan com", ["completions"]),
    ],
)
def test_words_are_completed(bare, words, offered):
    assert completed(words) == offered


def test_a_command_that_needs_an_extra_says_so(bare, monkeypatch):
    monkeypatch.setattr(lazy, "_load", lazy._load.__wrapped__)
    monkeypatch.delitem(sys.modules, "coursewire.cli.serve", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    said = bare("serve", "--help", status=2).err
    assert "there is no module uvicorn" in said
    assert "pip install 'coursewire[service]'" in said


def test_the_version(bare):
    assert re.fullmatch(r"coursewire \d+\.\d+.*\n", bare("--version").out)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["transmt", "content"], "Did you mean 'transmit'"),
        (["nothing-like-it"], "No such command"),
        (["status", "--bogus"], "No such option"),
        (["plan"], "Missing argument"),
        (["audit", "show", "--config", "x"], "--item"),
        (["audit", "list", "--limit", "0"], "--limit"),
        (["audit", "list", "--since", "yesterday"], "yesterday"),
        (["audit", "list", "--since", "2026-01-01T00:00:00"], "time zone"),
    ],
)
def test_wrong_arguments_end_with_2(bare, args, said):
    assert said in bare(*args, status=2).err


def test_no_arguments_show_the_help(bare):
    assert "transmit" in bare(status=2).all
    assert "retry" in bare("audit", status=2).all


def test_errors_have_four_parts(bare, monkeypatch):
    installed = ", ".join(load_channels().codes())
    said = bare("simulate", "CANVAZ", status=2).err
    assert said.startswith("error: no installed channel has the code 'CANVAZ'\n")
    assert f"\n  why: installed are: {installed}\n" in said
    assert "\n  next: Did you mean CANVAS?\n" in said
    as_json = bare("simulate", "CANVAZ", "--json", status=2)
    assert as_json.error == {
        "code": "unknown-channel",
        "what": "no installed channel has the code 'CANVAZ'",
        "where": "",
        "why": f"installed are: {installed}",
        "next_step": "Did you mean CANVAS?",
    }


def test_a_fault_of_ours_shows_no_traceback_and_no_data(bare, monkeypatch):
    def break_down(**_):
        raise ValueError("planted-canary")

    monkeypatch.setattr("coursewire.settings.Settings.load", break_down)
    said = bare("status", "--json", status=1)
    assert "Traceback" not in said.all
    assert "planted-canary" not in said.all
    assert "COURSEWIRE_DEBUG=1" in said.error["next_step"]
    monkeypatch.setenv("COURSEWIRE_DEBUG", "1")
    with pytest.raises(ValueError, match="planted-canary"):
        application.main(["status"])


def test_interrupting_ends_with_130(bare, monkeypatch):
    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("coursewire.settings.Settings.load", interrupt)
    bare("status", status=130)


def test_a_reader_who_has_enough_is_no_error(cli, canvas):
    cli.add("CANVAS", canvas)
    with subprocess.Popen(
        [COMMAND, "plan", "content", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
        process.wait(30)
    assert said == b""
    assert process.returncode == 141


def test_what_a_terminal_cannot_show_ends_nothing(cli, canvas):
    cli.add("CANVAS", canvas)
    plain = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for args in (["plan", "content"], ["status"], ["channels"], ["doctor"]):
        done = subprocess.run([COMMAND, *args], env=plain, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    rows = subprocess.run(
        [COMMAND, "plan", "content", "--json"], env=plain, capture_output=True, check=True
    ).stdout
    assert "茶与器：一门小课" in [json.loads(line).get("title") for line in rows.splitlines()]


def in_terminal(*args, columns=80, **environment):
    """What a terminal of this width receives, and the exit status."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **environment}
    with subprocess.Popen([COMMAND, *args], stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        received = b""
        while True:
            try:
                block = os.read(ours, 4096)
            except OSError:  # Linux says so at the end
                break
            if not block:
                break
            received += block
        os.close(ours)
        process.wait(30)
    return received.decode(), process.returncode


COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_a_terminal_gets_colours_bars_and_panels_within_80_columns(cli, canvas):
    config = cli.add("CANVAS", canvas)
    text, status = in_terminal("transmit", "content")
    assert status == 0
    assert "\x1b[" in text
    assert "━" in text
    for args in (
        ["status"],
        ["jobs"],
        ["audit", "list"],
        ["plan", "content", "--force"],
        ["doctor"],
        ["channels"],
        ["demo"],
        ["config", "show", config],
        ["audit", "show", "--config", config, "--item", "RiverU+BOAT101"],
    ):
        text, status = in_terminal(*args)
        assert status == 0
        assert max(len(COLOUR.sub("", line)) for line in text.splitlines()) <= 80, args
    text, status = in_terminal("simulate", "CANVAZ")
    assert status == 2
    assert "╭─ unknown-channel" in COLOUR.sub("", text)


def test_no_color_is_respected(cli):
    text, _ = in_terminal("channels", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", text)


CHANNEL = """
import typer
from coursewire import hookimpl
from coursewire.model.channel import Capabilities, Channel, Support
from coursewire.model.configuration import ChannelConfig

class Config(ChannelConfig):
    pass

@hookimpl
def declare_channel():
    return Channel(code="TOY", title="Toy LMS", requires_api=">=2.0,<3", config=Config, capabilities=Capabilities(content=Support.NOT_IMPLEMENTED){more})

@hookimpl
def channel_commands():
    app = typer.Typer()

    @app.command()
    def unlink(name: str):
        "Unlink somebody."
        typer.echo(f"unlinked {{name}}")

    @app.callback()
    def group():
        pass

    return app
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Installs a channel with commands of its own."""
    site = tmp_path / "site"
    info = site / "coursewire_toy-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: coursewire-toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[coursewire.channels]\ntoy = coursewire_toy_{os.getpid()}\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, f"coursewire_toy_{os.getpid()}", raising=False)

    def write(more=""):
        (site / f"coursewire_toy_{os.getpid()}.py").write_text(CHANNEL.format(more=more))

    write()
    return write


def test_a_channel_brings_its_own_commands(bare, toy):
    assert bare("toy", "unlink", "Ada").out == "unlinked Ada\n"
    assert "Unlink somebody" in bare("TOY", "--help").out
    assert "No such command" in bare("toy", "lnk", status=2).err
    assert "toy" not in bare("--help").out.split()


def test_a_channel_without_simulator_or_with_a_broken_one(bare, toy):
    assert "has no simulator" in bare("simulate", "toy", status=2).err
    sys.modules.pop(f"coursewire_toy_{os.getpid()}")
    toy(', simulator="nowhere:Nothing"')
    assert "cannot be loaded" in bare("simulate", "toy", status=2).err


def test_an_error_without_parts_is_one_line(bare, monkeypatch):
    def refuse(**_):
        raise CoursewireError("it is not to be")

    monkeypatch.setattr("coursewire.settings.Settings.load", refuse)
    assert bare("status", status=1).err == "error: it is not to be\n"


@pytest.mark.parametrize(
    ("args", "status"), [(["--version"], 0), (["config", "add"], 2), (["simulate", "NONE"], 2)]
)
def test_the_module_is_the_command_exit_status_included(environment, args, status):
    done = subprocess.run(
        [sys.executable, "-m", "coursewire", *args], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == status

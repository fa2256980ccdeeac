"""simulate and demo: trying things out, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

BLUE_FERRY = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"


@pytest.fixture
def process(environment):
    """Starts the command and ends it whatever happens."""
    command = Path(sys.executable).with_name("coursewire")
    started = []

    def start(*args):
        one = subprocess.Popen(
            [command, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy()
        )
        started.append(one)
        return one

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_simulator_runs_until_it_is_told_to_end(process, cli, tmp_path, number):
    running = process("simulate", "canvas", "--json")
    told = json.loads(running.stdout.readline())
    file = tmp_path / "c.json"
    file.write_text(json.dumps({**told["config"], "customer": BLUE_FERRY}))
    cli("config", "add", "--file", file)
    sent = cli("transmit", "content", "--json").last["created"]
    with urllib.request.urlopen(f"{told['url']}/_simulator/counts") as answer:
        assert json.load(answer)["items"] == sent > 20
    running.send_signal(number)
    assert running.wait(10) == 0


def test_a_person_is_shown_where_to_look(process):
    running = process("simulate", "SAP", "--option", "name_refused=no")
    text = ""
    while "counts" not in text:
        text += running.stdout.readline()
    for part in ("COURSEWIRE_ALLOW_INSECURE_URLS", '"channel": "SAP"', "_simulator/items"):
        assert part in text
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 0


def test_a_simulator_misbehaves_as_often_as_it_was_told(process):
    running = process(
        "simulate", "SAP", "--misbehave", "bad gateway:2", "--misbehave", "html-error-page", "--json"
    )
    url = json.loads(running.stdout.readline())["url"]

    def status():
        try:
            return urllib.request.urlopen(f"{url}/nowhere").status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert [status() for _ in range(4)] == [502, 502, 500, 404]


def test_a_simulator_answers_as_the_release_that_is_wanted(process):
    running = process("simulate", "MOODLE", "--option", "release=4.5.6", "--json")
    url = json.loads(running.stdout.readline())["url"]
    call = f"{url}/webservice/rest/server.php?moodlewsrestformat=json&wstoken=unknown"
    with urllib.request.urlopen(call) as answer:
        assert json.load(answer)["exception"] == "core\\exception\\moodle_exception"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["simulate", "CANVSA"], "Did you mean CANVAS"),
        (["simulate", "CANVAS", "--option", "may_undlete=no"], "may_undelete"),
        (["simulate", "CANVAS", "--option", "token_lifetime_s=long"], "int"),
        (["simulate", "CANVAS", "--option", "nothing"], "nothing"),
        (["simulate", "MOODLE", "--option", "release=nine"], "'nine' is not the number of a release"),
        (["simulate", "CANVAS", "--port", "70000"], "port"),
        (["simulate", "CANVAS", "--misbehave", "slow-anwser"], "slow answer"),
        (["simulate", "CANVAS", "--misbehave", "slow answer:0"], "how often"),
        (["simulate", "CANVAS", "--misbehave", "slow answer:never"], "how often"),
    ],
)
def test_what_cannot_be_simulated(bare, args, said):
    assert said in bare(*args, status=2).err


def test_a_port_that_is_taken(bare, canvas):
    assert "--port" in bare("simulate", "CANVAS", "--port", canvas.url.rpartition(":")[2], status=2).err


def test_the_demo_shows_everything(bare):
    said = bare("demo").out
    for part in ("CANVAS", "SAP", "completions", "assessments", "second run", "again", "--keep"):
        assert part in said
    assert all(
        len(line) <= 80 for line in said.splitlines() if line.startswith(("channel ", "CANVAS ", "SAP "))
    )


def test_a_demo_that_is_kept_can_be_looked_around_in_and_repeated(bare, tmp_path, monkeypatch):
    folder = tmp_path / "demo"
    monkeypatch.setenv("COURSEWIRE_CHANNELS", "canvas,sap")  # whatever else is installed
    first = bare("demo", "--keep", folder, "--json").rows
    assert [(row["channel"], row["kind"]) for row in first] == [
        ("CANVAS", "content"),
        ("CANVAS", "completions"),
        ("CANVAS", "assessments"),
        ("SAP", "content"),
        ("SAP", "completions"),
    ]
    assert all(row["created"] == row["unchanged"] > 4 for row in first)
    assert all(row["created"] == row["at_the_lms"] for row in first if row["kind"] == "content")
    assert all(row["exit_status"] == 0 for row in first)
    assert "COURSEWIRE_DATA_DIR" in bare("demo", "--keep", folder).out
    monkeypatch.setenv("COURSEWIRE_DATA_DIR", str(folder))
    assert len(bare("config", "list", "--json").rows) == 2
    assert len(bare("jobs", "--json").rows) == 20


def test_a_demo_needs_a_channel(bare, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_CHANNELS", "none")
    assert "pip install" in bare("demo", status=2).err

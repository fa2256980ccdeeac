"""conformance: the report on an installed channel."""

import json
import subprocess
import sys

import pytest

from coursewire.channels.loading import load_channels


@pytest.fixture(scope="module")
def told():
    """What the command says of SAP, in its three forms; run once."""
    forms = {"text": [], "json": ["--json"], "markdown": ["--markdown"]}
    return {
        form: subprocess.run(
            [sys.executable, "-m", "coursewire", "conformance", "sap", *options],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={"COLUMNS": "80", "PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8"},
        )
        for form, options in forms.items()
    }


def test_all_is_well(told):
    assert {form: said.returncode for form, said in told.items()} == {"text": 0, "json": 0, "markdown": 0}


def test_a_person_reads_checks_capabilities_and_limits_in_80_columns(told):
    said = told["text"].stdout
    assert max(map(len, said.splitlines())) <= 80
    for part in (
        "core loads the channel",
        "passed",
        "ways of retiring",
        "deactivate",
        "content items a request",
    ):
        assert part in said
    assert said.splitlines()[0].startswith("SAP SuccessFactors Learning: SAP (coursewire-sap ")
    assert "SAP conforms." in said.splitlines()[-1]
    assert "SAP checks: " in told["text"].stderr


def test_a_program_reads_one_object_a_check_and_a_summary(told):
    *checks, summary = map(json.loads, told["json"].stdout.splitlines())
    assert len(checks) > 40
    for check in checks:
        assert {"name", "title", "capability", "outcome", "message", "explained", "seconds"} == set(check)
    channel = load_channels().get("SAP").channel
    assert summary["capabilities"] == channel.capabilities.model_dump(mode="json")
    assert summary["limits"] == channel.limits.model_dump(mode="json")
    assert summary["conformant"] is True
    counted = sum(summary[outcome] for outcome in ("passed", "failed", "skipped", "not_applicable"))
    assert counted == len(checks)
    assert summary["passed"] > 40
    assert summary["not_applicable"] > 0


def test_a_page_has_it_as_markdown(told):
    lines = told["markdown"].stdout.splitlines()
    assert lines[0] == "# Conformance of SAP"
    assert "| for | what must hold | result |" in lines
    assert "| every channel | core loads the channel | passed |" in lines
    assert "## Capabilities" in lines
    assert "## Limits" in lines
    rows = [line for line in lines if line.startswith("| ")]
    assert all(line.endswith(" |") for line in rows)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["conformance", "SAB"], "Did you mean SAP"),
        (["conformance", "SAP", "--json", "--markdown"], "do not go together"),
        (["conformance"], "CODE"),
    ],
)
def test_what_cannot_be_checked(bare, args, said):
    assert said in bare(*args, status=2).err


PLUGIN = """
import coursewire as cw

class Config(cw.ChannelConfig):
    url: cw.LmsUrl

@cw.hookimpl
def declare_channel():
    return cw.Channel(code="ODD", title="Odd", config=Config, capabilities=cw.Capabilities(content="unknown"){more})
{rest}
"""


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Installs a channel as a package of its own would be: by metadata on the path."""

    def install(more="", rest=""):
        (tmp_path / "odd_channel.py").write_text(PLUGIN.format(more=more, rest=rest))
        info = tmp_path / "odd_channel-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-channel\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[coursewire.channels]\nodd = odd_channel\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.delitem(sys.modules, "odd_channel", raising=False)

    return install


def test_a_channel_without_a_simulator(bare, odd):
    odd()
    error = bare("conformance", "ODD", "--json", status=2).error
    assert "no simulator" in error["what"]
    assert "odd-channel 1.0" in error["where"]
    assert "simulator=" in error["next_step"]


def test_a_simulator_that_needs_what_is_not_there(bare, odd, tmp_path):
    (tmp_path / "odd_simulator.py").write_text("import module_that_nobody_has\n")
    odd(more=', simulator="odd_simulator:Odd"')
    error = bare("conformance", "ODD", "--json", status=2).error
    assert "broke off" in error["what"]
    assert "module_that_nobody_has" in error["why"]
    assert "coursewire[testing]" in error["next_step"]


def test_a_channel_that_ends_the_process(bare, odd, tmp_path):
    (tmp_path / "odd_simulator.py").write_text("import os\nprint('noise')\nos._exit(7)\n")
    odd(more=', simulator="odd_simulator:Odd"')
    error = bare("conformance", "ODD", "--json", status=2).error
    assert "noise" not in error["what"]
    assert "broke off" in error["what"]


SIMULATOR = """
from coursewire.testing.simulator import Simulator
print("noise on stdout")

class Odd(Simulator):
    code = "ODD"
    def routes(self):
        return []
    def sample_config(self):
        return {"url": self.url}
"""


def test_a_channel_that_fails_is_told_with_status_1(bare, odd, tmp_path):
    (tmp_path / "odd_simulator.py").write_text(SIMULATOR)
    odd(more=', simulator="odd_simulator:Odd"')
    *checks, summary = bare("conformance", "odd", "--json", status=1).rows
    assert summary["conformant"] is False
    (broken, *_) = (check for check in checks if check["outcome"] == "failed")
    assert "explained" in broken["message"]
    said = bare("conformance", "odd", status=1)
    assert f"failed: {broken['name']}" in said.out
    assert "ODD does not conform." in said.out
    assert "noise" not in said.out
    markdown = bare("conformance", "odd", "--markdown", status=1).out
    assert "does **not** conform" in markdown
    assert f"### {broken['name']}" in markdown

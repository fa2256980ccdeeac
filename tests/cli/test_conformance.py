"""conformance: the report on an installed channel."""

import os
import subprocess
import sys

import pytest

from coursewire.plugins.loading import load_channels


def test_a_person_reads_checks_capabilities_and_limits_in_80_columns(environment):
    done = subprocess.run(
        [sys.executable, "-m", "coursewire", "conformance", "sap"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    # A pipe wants one line for one thing; tables keep to the width all the same.
    assert max(map(len, lines[:-1])) <= 80
    for part in (
        "core loads the channel",
        "passed",
        "ways of retiring",
        "deactivate",
        "content items a request",
    ):
        assert part in done.stdout
    assert lines[0].startswith("SAP SuccessFactors Learning: SAP (coursewire-sap ")
    assert "SAP conforms." in lines[-1]
    assert "SAP checks: " in done.stderr


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
    return cw.Channel(code="ODD", title="Odd", requires_api=">=2.0,<3", config=Config, capabilities=cw.Capabilities(content="unknown"){more})
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


@pytest.fixture
def failing(odd, tmp_path):
    """A channel that can be loaded, and little more."""
    (tmp_path / "odd_simulator.py").write_text(SIMULATOR)
    odd(more=', simulator="odd_simulator:Odd"')


def test_a_program_reads_one_object_a_check_and_a_summary(bare, failing):
    *checks, summary = bare("conformance", "odd", "--json", status=1).rows
    assert len(checks) > 40
    for check in checks:
        assert {"name", "title", "capability", "outcome", "message", "explained", "seconds"} == set(check)
    channel = load_channels().get("ODD").channel
    assert summary["capabilities"] == channel.capabilities.model_dump(mode="json")
    assert summary["limits"] == channel.limits.model_dump(mode="json")
    assert summary["conformant"] is False
    for outcome in ("passed", "failed", "skipped", "not applicable"):
        assert summary[outcome.replace(" ", "_")] == sum(check["outcome"] == outcome for check in checks)
    assert summary["passed"] > 0
    assert summary["failed"] > 0
    assert summary["not_applicable"] > 0
    assert all("explained" in check["message"] for check in checks if check["outcome"] == "failed")


def test_a_person_reads_what_is_wrong(bare, failing):
    said = bare("conformance", "odd", status=1).out
    assert "failed: test_" in said
    assert "  explained:" in said
    assert "ODD does not conform." in said.splitlines()[-1]
    assert "noise" not in said


def test_a_page_has_it_as_markdown(bare, failing):
    lines = bare("conformance", "odd", "--markdown", status=1).out.splitlines()
    assert lines[0] == "# Conformance of ODD"
    assert "does **not** conform" in lines[2]
    assert "| for | what must hold | result |" in lines
    assert "| every channel | core loads the channel | passed |" in lines
    assert {"## Checks", "## Capabilities", "## Limits"} <= set(lines)
    assert any(line.startswith("### test_") for line in lines)
    assert all(line.endswith(" |") for line in lines if line.startswith("| "))

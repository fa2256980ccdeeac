"""What the guides for authors of channels show is run here."""

import json
import re
import subprocess
import sys
import tomllib

import pytest

from coursewire.configurations.files import read_file
from coursewire.model.channel import PLUGIN_API
from coursewire.testing.misbehave import MISBEHAVIOURS
from coursewire_canvas import plugin


@pytest.fixture
def blocks_in(pages, read_blocks):
    """The blocks of a page that are of one language."""

    def find(page, language):
        return [block.text for block in read_blocks(pages[page]) if block.language == language]

    return find


@pytest.fixture
def run_pytest(tmp_path, clean_environment):
    """Run pytest on what was written into ``tmp_path``."""

    def run(*args):
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *args],
            cwd=tmp_path,
            env={**clean_environment, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def test_the_cassettes_of_the_guide(blocks_in, run_pytest, tmp_path):
    test, scrubbing, scan = blocks_in("docs/how-to/record-cassettes.md", "python")
    (tmp_path / "test_cassettes.py").write_text(test, encoding="utf-8")
    (tmp_path / "test_scan.py").write_text(scan, encoding="utf-8")
    cassette = tmp_path / "cassettes" / "check-connection.yaml"

    before = run_pytest("test_cassettes.py")
    assert before.returncode == 1
    assert "there is no cassette check-connection.yaml" in before.stdout

    recorded = run_pytest("--record-cassettes", "simulator", "test_cassettes.py")
    assert recorded.returncode == 0, recorded.stdout
    text = cassette.read_text(encoding="utf-8")
    assert "https://lms.example.com" in text

    replayed = run_pytest()
    assert "2 passed" in replayed.stdout, replayed.stdout
    assert cassette.read_text(encoding="utf-8") == text

    names = {}
    exec(scrubbing, names)
    assert names["SCRUBBING"].kind_of("sisUserId") == "personal"


def test_the_tenants_file_of_the_guide(blocks_in, tmp_path):
    (text,) = blocks_in("docs/how-to/record-cassettes.md", "json")
    (tmp_path / "tenant.json").write_text(text, encoding="utf-8")

    file = read_file(tmp_path / "tenant.json", customer_needed=False)

    values = file.fields.pop("values")
    assert list(values) == ["learner"]
    assert file.fields.keys() <= plugin.declare_channel().config.model_fields.keys()


def test_recording_is_offered_by_name(run_pytest):
    assert "--record-cassettes=FILE" in run_pytest("--help").stdout.replace("\n", " ")


def test_the_tests_of_the_guide(blocks_in, run_pytest, tmp_path):
    _suite, against_simulator = blocks_in("docs/how-to/test-a-channel.md", "python")
    (tmp_path / "test_busy.py").write_text(against_simulator, encoding="utf-8")

    done = run_pytest()

    assert done.returncode == 0, done.stdout


def test_the_suite_of_the_guide_is_a_suite(blocks_in, tmp_path):
    suite, _ = blocks_in("docs/how-to/test-a-channel.md", "python")
    names = {"__file__": str(tmp_path / "test_conformance.py"), "__name__": "test_conformance"}
    exec(suite, names)
    assert len(names["TestCanvas"].checks()) > 20


def test_the_golden_pair_of_the_guide_is_json(blocks_in):
    (text,) = blocks_in("docs/how-to/test-a-channel.md", "json")
    assert json.loads(text).keys() == {"about", "config", "item", "payload"}


def test_every_misbehaviour_is_told(pages):
    text = pages["docs/how-to/test-a-channel.md"].partition("| name | what happens |")[2].partition("```")[0]
    rows = [line.partition("|")[2].partition("|")[0] for line in text.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == set(MISBEHAVIOURS)


def test_the_release_guide_says_what_is_so(blocks_in, pages):
    (text,) = blocks_in("docs/how-to/release-a-channel.md", "toml")
    assert list(tomllib.loads(text)["project"]["entry-points"]) == ["coursewire.channels"]
    major = PLUGIN_API.partition(".")[0]
    assert f'`">={PLUGIN_API},<{int(major) + 1}"`' in pages["docs/how-to/release-a-channel.md"]
    assert f"such as {PLUGIN_API}" in pages["docs/explanation/plugin-api.md"]

"""``coursewire config import-keys``: keys by which a portal knows courses already."""

import pytest

KEYS = """internal_course_id,external_course_id
RiverU+BOAT101,old-boat
RiverU+BOAT102,old-boat-2
RiverU+BOAT101,another
"""


@pytest.fixture
def config(cli, simulate):
    return cli.add("CSOD", simulate("CSOD"))


def test_keys_are_taken_over_once(cli, config, tmp_path):
    file = tmp_path / "keys.csv"
    file.write_text(KEYS)
    first = cli("config", "import-keys", file, "--config", config, "--json", status=1).last
    assert (first["added"], first["known"]) == (2, 0)
    assert first["refused"] == ["line 4: an earlier line has another key for RiverU+BOAT101"]
    again = cli("config", "import-keys", file, "--config", config[:8], status=1)
    assert again.out == "0 added, 2 known already, 1 refused.\n"
    assert "refused: line 4" in again.err
    file.write_text("".join(KEYS.splitlines(keepends=True)[:3]))
    cli("config", "import-keys", file, "--config", config)


def test_a_file_that_cannot_be_read(cli, config, tmp_path):
    file = tmp_path / "keys.csv"
    file.write_text("ours,theirs\n")
    said = cli("config", "import-keys", file, "--config", config, "--json", status=2).error
    assert said["what"] == "the file lacks the column external_course_id, internal_course_id"
    assert str(file) in said["where"]


def test_a_channel_that_sends_our_keys_takes_none(cli, canvas, tmp_path):
    file = tmp_path / "keys.csv"
    file.write_text(KEYS)
    config = cli.add("CANVAS", canvas)
    assert "keys cannot be imported" in cli("config", "import-keys", file, "--config", config, status=2).err

"""No plugin's cassettes hold a secret, a real place or a person."""

from pathlib import Path

import pytest

from coursewire.testing import scan_cassettes

FOLDERS = sorted((Path(__file__).parents[1] / "plugins").glob("*/tests/cassettes"))


def test_there_are_cassettes():
    assert {"canvas", "sap"} <= {folder.parts[-3] for folder in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.parts[-3] for folder in FOLDERS])
def test_nothing_in_the_cassettes_is_secret(folder):
    # The platform's public name stands in titles of courses.
    assert list(map(str, scan_cassettes(folder, hosts=["edX.org"]))) == []

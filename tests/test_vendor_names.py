"""Core names no LMS vendor: a channel knows its LMS, core knows what is the same for all."""

import re
from pathlib import Path

import pytest

import coursewire

CORE = Path(coursewire.__file__).parent
VENDORS = re.compile(
    r"blackboard|canvas|cmi5|cornerstone|csod|degreed|moodle|\bsap\b|successfactors|xapi", re.IGNORECASE
)
ELSEWHERE = ("testing/", "sources/sample/")
"""The test kit speaks of channels, and the sample bundle is data."""

INSTALLABLE = "tells a person who has no channel the name of one that can be installed"
ALLOWED = {
    "cli/demo.py": INSTALLABLE,
    "cli/channels.py": INSTALLABLE,
    "operations/diagnosis.py": INSTALLABLE,
    "service/console/templates/channels.html": INSTALLABLE,
    "service/health.py": INSTALLABLE,
}
"""Files that name a vendor, and the reason."""


def files():
    for path in sorted(CORE.rglob("*")):
        name = path.relative_to(CORE).as_posix()
        if path.suffix in (".py", ".pyi", ".html", ".js", ".css", ".txt") and not name.startswith(ELSEWHERE):
            yield name, path.read_text(encoding="utf-8")


def named(text):
    return [line.strip() for line in text.splitlines() if VENDORS.search(line)]


def test_no_other_file_names_a_vendor():
    found = {name: lines for name, text in files() if (lines := named(text)) and name not in ALLOWED}
    assert found == {}, "move it into the channel, or say it for every LMS"


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_is_still_needed_and_only_that(name):
    lines = named((CORE / name).read_text(encoding="utf-8"))
    assert lines
    assert all("coursewire-canvas" in line for line in lines)


def test_the_search_finds_what_it_should():
    assert named("x = 1\nMoodle's way\nsapling\nfor SAP alone") == ["Moodle's way", "for SAP alone"]

"""The channel keeps to everything that core's conformance suite asks of one."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from coursewire.testing import ChannelSuite
from coursewire_moodle import plugin


class TestMoodle(ChannelSuite):
    channel = plugin
    golden = Path(__file__).parent / "golden"
    skipped: ClassVar = {
        "test_lists_are_read_to_their_end": "Moodle gives the courses of a category with one answer. What it gives in "
        "pages is participants; test_outcomes.py reads them to the end.",
        "test_results_survive_small_pages": "Moodle gives pages as large as they are asked for, and the last one is the "
        "only shorter one; test_outcomes.py reads several.",
        "test_markup_arrives": "Moodle refuses a name in which a '<' stands before a letter. test_content.py shows "
        "what is sent instead.",
    }

"""The conformance suite over this channel."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from coursewire.testing import ChannelSuite
from coursewire_cornerstone import plugin


class TestCornerstone(ChannelSuite):
    channel = plugin
    golden = Path(__file__).parent / "golden"
    skipped: ClassVar[dict[str, str]] = {
        "test_a_raised_grade_arrives": "Cornerstone is told a verdict and no number, so that there is nothing to raise",
        "test_a_lowered_grade_arrives": "Cornerstone is told a verdict and no number, so that there is nothing to lower",
    }

"""The channel keeps to everything that core's conformance suite asks of one."""

from __future__ import annotations

from pathlib import Path

from coursewire.testing import ChannelSuite
from coursewire_moodle import plugin


class TestMoodle(ChannelSuite):
    channel = plugin
    golden = Path(__file__).parent / "golden"

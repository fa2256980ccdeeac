"""The conformance suite over this channel."""

from __future__ import annotations

from pathlib import Path

from coursewire.testing import ChannelSuite
from coursewire_cornerstone import plugin


class TestCornerstone(ChannelSuite):
    channel = plugin
    golden = Path(__file__).parent / "golden"

"""The checks that hold for every channel. Golden pairs stand in golden/."""

from pathlib import Path

from coursewire.testing import ChannelSuite

from coursewire_brightpath import plugin


class TestBrightpath(ChannelSuite):
    """Against the simulator of this package; ``coursewire conformance BRIGHTPATH`` reports it."""

    channel = plugin
    golden = Path(__file__).parent / "golden"

"""The channels keep to everything that core's conformance suite asks of one."""

from __future__ import annotations

from pathlib import Path

from coursewire.testing import ChannelSuite
from coursewire_degreed.v1 import plugin as v1
from coursewire_degreed.v2 import plugin as v2

GOLDEN = Path(__file__).parent / "golden"


class TestDegreedV1(ChannelSuite):
    channel = v1
    golden = GOLDEN / "v1"


class TestDegreed2(ChannelSuite):
    channel = v2
    golden = GOLDEN / "v2"

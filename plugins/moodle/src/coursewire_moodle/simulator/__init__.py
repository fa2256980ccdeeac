"""A stand-in for one Moodle site, for tests, demonstrations and ``coursewire simulate MOODLE``."""

from __future__ import annotations

from coursewire_moodle.simulator.site import MoodleSimulator

__all__ = ["MoodleSimulator"]

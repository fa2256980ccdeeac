"""Puts the present instant into what it sends, so that everything differs in every run."""

from datetime import UTC, datetime

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
def export_content(item):
    return plugin.export_content(item) | {"starts_at": datetime.now(UTC).isoformat()}


CAUGHT_BY = ("test_exporters_are_pure", "exporting a course is not pure")

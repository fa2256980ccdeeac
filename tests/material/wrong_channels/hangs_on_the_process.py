"""Sends what differs from process to process: the order of a set of texts."""

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
def export_content(item):
    words = {f"{item.content_key} {number}" for number in range(20)}
    return plugin.export_content(item) | {"link": f"{item.enrollment_url}?tags={','.join(words)}".replace(" ", "-")}


CAUGHT_BY = ("test_two_processes_agree", "another process gives another payload")

"""Cuts a long title off without a sign, in the middle of a word."""

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
def export_content(item):
    return plugin.export_content(item) | {"title": cw.require_text(item, "title")[:200]}


CAUGHT_BY = ("test_a_cut_title_says_so", "a title was cut without a sign")

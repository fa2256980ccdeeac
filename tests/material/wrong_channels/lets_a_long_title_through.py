"""Does not know that the LMS has room for 200 characters only."""

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
def export_content(item):
    return plugin.export_content(item) | {"title": cw.require_text(item, "title")}


CAUGHT_BY = ("test_long_titles_arrive", "a title of 255 characters neither arrived nor says which field")

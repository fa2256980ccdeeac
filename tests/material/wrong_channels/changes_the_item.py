"""Changes the item that it was given to export."""

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
def export_content(item):
    item.__dict__["title"] = cw.require_text(item, "title").upper()
    return plugin.export_content(item)


CAUGHT_BY = ("test_arguments_stay_as_they_are", "exporting changed the item that it was given")

"""Takes the grade 0 for an unknown grade."""

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
def export_completion(completion):
    percent = float(completion.percent * 100) if completion.percent else None
    return plugin.export_completion(completion) | {"percent": percent}


CAUGHT_BY = ("test_unknown_parts_of_a_completion_are_named", "an unknown grade and a grade of zero are sent alike")

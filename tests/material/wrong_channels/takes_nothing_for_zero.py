"""Takes an unknown grade for the grade 0."""

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
def export_completion(completion):
    return plugin.export_completion(completion) | {"percent": float((completion.percent or 0) * 100)}


CAUGHT_BY = ("test_unknown_parts_of_a_completion_are_named", "an unknown grade and a grade of zero are sent alike")

"""Writes the time of the machine it runs on, and says that it is UTC."""

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
def export_completion(completion):
    at = completion.completed_at
    return plugin.export_completion(completion) | {"on": f"{at.astimezone():%Y-%m-%dT%H:%M:%SZ}" if at else None}


CAUGHT_BY = ("test_two_processes_agree", "another process gives another payload")

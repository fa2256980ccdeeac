"""Writes dates without their time zone."""

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
def export_content(item):
    return plugin.export_content(item) | {"starts_at": item.start.strftime("%Y-%m-%dT%H:%M:%S") if item.start else None}


@cw.hookimpl
def export_completion(completion):
    at = completion.completed_at
    return plugin.export_completion(completion) | {"on": at.strftime("%Y-%m-%dT%H:%M:%S") if at else None}


CAUGHT_BY = ("test_any_date_arrives", "neither arrived nor says which field")

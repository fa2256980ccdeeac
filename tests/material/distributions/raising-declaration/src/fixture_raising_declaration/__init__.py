"""Raises when it is asked what it is."""

from coursewire import hookimpl


@hookimpl
def declare_channel():
    raise RuntimeError("not today")

"""Coursewire carries course catalogues to learning management systems and results back.

The names below load on first use, so that ``import coursewire`` stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursewire.hookspecs import hookimpl as hookimpl
    from coursewire.jobs.installation import Installation as Installation
    from coursewire.model.channel import Channel as Channel

__all__ = ["Channel", "Installation", "__version__", "hookimpl"]

_HOMES = {
    "Channel": "coursewire.model.channel",
    "Installation": "coursewire.jobs.installation",
    "hookimpl": "coursewire.hookspecs",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - costs milliseconds, seldom asked

        return version("coursewire")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

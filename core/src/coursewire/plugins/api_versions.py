"""Plugins that were written for another version of the plugin API: how they are recognised, and what is said of them."""

from __future__ import annotations

import re
from types import ModuleType

from packaging.specifiers import SpecifierSet

from coursewire.model.channel import PLUGIN_API

EARLIER = ("1.0",)
"""The versions of the plugin API that cores offered before :data:`PLUGIN_API`."""

UNSAID = ">=1.0,<2"
"""The range of a channel that names none: while there was but one version, it could be left out."""

REMEDY = (
    f"Install a release of it that is made for plugin API {PLUGIN_API}. Its authors find what moved in Coursewire's "
    f'changelog (core/CHANGELOG.md), under "Plugin API {PLUGIN_API}".'
)
"""The next step for a plugin that is older than the core."""


_WANTED = re.compile(r"cannot import name '(\w+)'")
"""The name in an ImportError of ``from module import name``, which has it nowhere else before Python 3.12."""


def is_older(wanted: SpecifierSet) -> bool:
    """Tell whether a range of plugin API versions was written for an earlier core than this one.

    Args:
        wanted: The range that the channel declares.
    """
    return PLUGIN_API not in wanted and any(version in wanted for version in EARLIER)


def missing_name(error: BaseException) -> str:
    """Return the name of Coursewire that a plugin asked for and that is not there.

    Args:
        error: What importing the plugin, or asking it for its declaration, raised.

    Returns:
        A dotted name such as ``coursewire.Adopter``; "" when the error is about anything else.
    """
    if isinstance(error, ImportError):
        if not error.name or not _is_ours(error.name):
            return ""
        wanted = _WANTED.search(str(error))
        return f"{error.name}.{wanted[1]}" if wanted else error.name
    if not isinstance(error, AttributeError) or not error.name:
        return ""
    owner = error.obj
    if isinstance(owner, ModuleType) and _is_ours(owner.__name__):
        return f"{owner.__name__}.{error.name}"
    if isinstance(owner, type) and _is_ours(owner.__module__):
        return f"coursewire.{owner.__name__}.{error.name}"
    return ""


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "coursewire"

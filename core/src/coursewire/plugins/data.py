"""Data that a channel ships beside its modules: tables of words, and parts of payloads that never change."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson


def packaged_data(package: str, name: str) -> Any:
    """Read a JSON file of a package, once at import; keep what comes as it is.

    Args:
        package: Dotted name, usually ``__package__``.
        name: Of the file, such as ``"words.json"``.
    """
    return orjson.loads(files(package).joinpath(name).read_bytes())

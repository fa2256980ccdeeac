"""A small channel that keeps to everything, for tests of what holds channels to it."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coursewire import hookimpl

MATERIAL = str(Path(__file__).parent / "material")


@pytest.fixture(scope="session")
def small() -> Iterator[types.ModuleType]:
    """The small channel."""
    sys.path.insert(0, MATERIAL)
    yield importlib.import_module("small_channel")
    sys.path.remove(MATERIAL)
    del sys.modules["small_channel"]


@pytest.fixture
def changed(small):
    """The small channel with other hooks in place of its own; None leaves one out."""

    def make(**hooks: Any) -> types.ModuleType:
        made = types.ModuleType("changed_channel")
        vars(made).update({name: value for name, value in vars(small).items() if not name.startswith("__")})
        for name, hook in hooks.items():
            delattr(made, name) if hook is None else setattr(made, name, hookimpl(hook))
        return made

    return make

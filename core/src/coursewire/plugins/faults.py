"""Faults of a plugin's code, described without repeating the data that it worked on."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import lazy_loader
import pluggy
import pydantic
import stevedore

import coursewire

if TYPE_CHECKING:
    from types import CodeType, TracebackType

_ABOUT_CODE = (AttributeError, NameError, TypeError, ImportError, NotImplementedError)
"""Their texts name things of the program. Other texts may quote a learner's data or a secret."""

_TEXT_LENGTH = 200

_MACHINERY = (
    *(
        f"{Path(file).parent}/"
        for file in (
            importlib.__file__,
            pluggy.__file__,
            pydantic.__file__,
            stevedore.__file__,
            lazy_loader.__file__,
            __file__,
        )
    ),
    str(coursewire.__file__),
)
"""The files whose frames import and call plugins, check declarations, and hand out public names: never the place
of a fault of theirs."""


def place(error: BaseException) -> str:
    """Return the place where an error was raised, as ``package/file.py line 12``; "" when no plugin's code was running."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)} line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(("<frozen importlib", *_MACHINERY)):
            return f"{_short(frame.filename)} line {frame.lineno}"
    return ""


def text_of(error: BaseException) -> str:
    """The first line of an error's text, bounded. For errors at load, when there is no data about yet."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    first = text.strip().partition("\n")[0]
    return first if len(first) <= _TEXT_LENGTH else first[: _TEXT_LENGTH - 1] + "…"


def describe(error: BaseException) -> str:
    """Kind and place of an error, with its text only where that cannot hold anybody's data."""
    said = f"{type(error).__name__}"
    if isinstance(error, _ABOUT_CODE) and text_of(error):
        said += f": {text_of(error)}"
    at = place(error)
    return f"{said}, raised at {at}" if at else said


def codes_of(trace: TracebackType | None) -> list[CodeType]:
    """The code objects that an error went through, innermost first."""
    return [frame.f_code for frame, _line in traceback.walk_tb(trace)][::-1]


def _short(filename: str) -> str:
    return "/".join(PurePath(filename).parts[-2:])

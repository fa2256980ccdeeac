"""The log: lines for people, or JSON objects for programs, both with their job and configuration."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from coursewire.errors import SettingsError
from coursewire.printable import lines, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursewire.settings import Settings

_ABOUT: ContextVar[Mapping[str, str] | None] = ContextVar("coursewire_log_about", default=None)

TEXT = "%(levelname)s %(name)s: %(message)s"
JSON_FIELDS = ("levelname", "name", "message")


@contextmanager
def log_about(**facts: str) -> Iterator[None]:
    """Add facts such as ``job`` and ``configuration`` to every line that the block logs."""
    token = _ABOUT.set({**(_ABOUT.get() or {}), **facts})
    try:
        yield
    finally:
        _ABOUT.reset(token)


class About(logging.Filter):
    """A filter that puts the facts of :func:`log_about` on each record, for the JSON form."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the facts to a record, and let it through."""
        for name, value in (_ABOUT.get() or {}).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class LineFormatter(logging.Formatter):
    """A formatter by which a message is one line, whatever it quotes, and nothing in it steers a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line of a record."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - as above
        """Return the lines of a traceback, each with a mark, so that none can be taken for a message."""
        text = lines(super().formatException(ei))  # type: ignore[arg-type]
        return "\n".join(f"| {line}" for line in text.split("\n"))


def set_up_logs(settings: Settings) -> None:
    """Log to standard error, unless the program has set up its log already.

    Below warnings only our own lines are logged, since those of libraries show URLs and headers.

    Raises:
        SettingsError: JSON is asked for and its library is not installed.
    """
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_formatter(settings.log_format))
        handler.addFilter(About())
        root.addHandler(handler)
        root.setLevel("WARNING")
    logging.getLogger("coursewire").setLevel(settings.log_level)


def _formatter(form: str) -> logging.Formatter:
    if form == "text":
        return LineFormatter(TEXT)
    try:
        from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise SettingsError(
            "the log cannot be written as JSON",
            why="python-json-logger is not installed",
            next_step="Run: pip install 'coursewire[service]'",
        ) from None
    formatter: logging.Formatter = JsonFormatter(
        list(JSON_FIELDS), rename_fields={"levelname": "level", "name": "logger"}, timestamp="at"
    )
    return formatter

"""Texts of others made harmless for a terminal, a log and a file: nothing in them moves a cursor or forges a line."""

from __future__ import annotations

import re

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""C0 but for tab and line feed, DEL, C1, separators of lines, marks that turn the direction of text, lone surrogates."""
_CONTROLS_AND_BREAKS = re.compile(_CONTROLS.pattern.replace("\x0b-\x1f", "\n\x0b-\x1f"))


def one_line(text: str) -> str:
    """Return a text in which every control character and line break is written as its escape.

    Args:
        text: The text, of whatever origin.

    Example:
        >>> one_line("red" + chr(27) + "[31m")
        'red\\\\x1b[31m'
    """
    return _CONTROLS_AND_BREAKS.sub(_escape, text)


def lines(text: str) -> str:
    """Return a text of our own that keeps its line feeds and has every other control character as its escape.

    Args:
        text: The text; what it quotes of others went through :func:`one_line` before.
    """
    return _CONTROLS.sub(_escape, text)


def in_json(line: bytes) -> bytes:
    """Return JSON in which the control characters that JSON leaves raw are escaped, too.

    Args:
        line: JSON in UTF-8, with nothing but a line feed outside of its texts.
    """
    if line.isascii() and b"\x7f" not in line:
        return line
    return _CONTROLS.sub(_escape_json, line.decode()).encode()


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return {"\n": "\\n", "\r": "\\r"}.get(character) or (
        f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
    )


def _escape_json(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"

"""What all generated pages need: headings, tables, and docstrings as Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence

NOTICE = "<!-- Made from the code by `make docs`. Change the code, not this page. -->"

_ROLE = re.compile(r":[a-z]+:`~?([^`]+)`")


def page(title: str, *parts: str) -> str:
    """One page: title, the notice that it is generated, and its parts with a blank line between."""
    return "\n\n".join([f"# {title}", NOTICE, *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; line breaks and bars in cells are made harmless. Empty without rows."""
    lines = [" | ".join(cell(value) for value in row) for row in rows]
    if not lines:
        return ""
    head = [" | ".join(headings), " | ".join("---" for _ in headings)]
    return "\n".join(f"| {line} |" for line in [*head, *lines])


def cell(value: object) -> str:
    """Text that fits into one cell of a table."""
    return str(value).replace("|", "\\|").replace("\n", "<br>").strip()


def code(value: object) -> str:
    """Text in a fixed-width font; nothing for nothing."""
    return f"`{value}`" if str(value) else ""


def prose(docstring: str | None) -> str:
    """A docstring as Markdown: its double backticks and roles become single backticks."""
    text = _ROLE.sub(r"`\1`", inspect.cleandoc(docstring or ""))
    return text.replace("``", "`")


def one_line(docstring: str | None) -> str:
    """The text before the first section of a docstring, on one line."""
    return " ".join(sections(docstring)[0].split())


def sections(docstring: str | None) -> tuple[str, dict[str, list[tuple[str, str]]]]:
    """Take a Google-style docstring apart.

    Returns:
        The text, and of each section (``Args``, ``Returns``, ``Raises``, ``Attributes``) its entries as name
        and description; the name is empty where an entry has none. Text behind a section joins the text.
    """
    text: list[str] = []
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] | None = None
    for line in prose(docstring).splitlines():
        heading = re.fullmatch(r"(Args|Returns|Raises|Attributes|Example):", line)
        if heading:
            current = found.setdefault(heading[1], [])
        elif line and not line.startswith(" "):
            current = None
            text.append(line)
        elif current is None:
            text.append(line)
        elif line.strip():
            _take(current, line)
    return "\n".join(text).strip(), found


def example(docstring: str | None) -> str:
    """Return the section ``Example`` of a docstring as Markdown: its prose, and its code in a block; "" without one.

    Args:
        docstring: A Google-style docstring. Code is what a prompt ``>>>`` begins, or what is indented after ``::``.
    """
    found = re.search(
        r"^Example:\n((?:    .*\n|\n)+)", inspect.cleandoc(docstring or "") + "\n", re.MULTILINE
    )
    if found is None:
        return ""
    text = textwrap.dedent(found[1]).strip("\n")
    about, _, code_ = text.partition("::\n")
    if code_:
        block = textwrap.dedent(code_).strip("\n")
        return f"{prose(about.strip() or 'Example')}:\n\n```python\n{block}\n```"
    about, _, shown = text.partition(">>>")
    before = f"{prose(about.strip())}\n\n" if about.strip() else ""
    return f"{before}```pycon\n>>>{shown}\n```"


def _take(entries: list[tuple[str, str]], line: str) -> None:
    named = re.fullmatch(r"    (\w+): (.*)", line)
    if named:
        entries.append((named[1], named[2]))
    elif entries:
        name, before = entries.pop()
        entries.append((name, f"{before} {line.strip()}"))
    else:
        entries.append(("", line.strip()))

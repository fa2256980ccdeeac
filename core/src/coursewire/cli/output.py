"""The output of the command: results on stdout, everything else on stderr.

With ``--json`` stdout holds nothing but JSON, one object a line. rich is loaded when something is shown to
a person, never for JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from coursewire.errors import CoursewireError
from coursewire.model.meanings import MEANINGS, Meaning
from coursewire.model.reasons import ReasonInfo, explain
from coursewire.printable import in_json, lines, one_line

Track = Callable[[str], Callable[[str, int, int], None]]
"""A function that takes a label and returns a function to call with phase, items done, and items in all (0 if unknown)."""

_STYLES = {
    Meaning.GOOD: "green",
    Meaning.WAITING: "cyan",
    Meaning.ATTENTION: "yellow",
    Meaning.BAD: "red",
}
STYLES = {word: _STYLES[meaning] for word, meaning in MEANINGS.items()}
"""The colour of a word for a state, wherever it is printed."""

STEPS = 10
"""The number of progress lines for one piece of work where there is no terminal."""

STEP_ITEMS = 1000
"""The number of items from one progress line to the next where the number of all items is unknown."""


@cache
def _console(*, error: bool) -> Console:

    return Console(stderr=error, highlight=False, soft_wrap=False)


def stdout() -> Console:
    """Return the console for results."""
    return _console(error=False)


def stderr() -> Console:
    """Return the console for notes, progress and errors."""
    return _console(error=True)


def put(text: str = "", *, style: str = "", indent: int = 0) -> None:
    """Print a paragraph for a person on stdout.

    Args:
        text: The paragraph; nothing in it is taken for markup.
        style: A style of rich, such as ``bold red``; "" for none.
        indent: The number of blanks before each line.
    """
    _put(stdout(), text, style, indent)


def note(text: str, *, style: str = "", indent: int = 0) -> None:
    """Print a paragraph for a person on stderr; the arguments are those of :func:`put`."""
    _put(stderr(), text, style, indent)


def _put(console: Console, text: str, style: str, indent: int) -> None:
    text = lines(text).replace("\n", "\n  ")  # what goes on below is seen to be no line of its own
    if not console.is_terminal:  # a log or a pipe wants one line for one thing
        text = text.replace("\n", f"\n{' ' * indent}")
        console.file.write(f"{' ' * indent}{text}\n")
        console.file.flush()
        return

    body = Text(text, style=style)
    console.print(Padding(body, (0, 0, 0, indent), expand=False) if indent else body)


def put_json(data: Any) -> None:
    """Print one JSON object as one line of UTF-8, whatever the locale."""
    sys.stdout.flush()
    sys.stdout.buffer.write(json_line(data))
    sys.stdout.buffer.flush()


def json_line(data: Any) -> bytes:
    """Return one JSON object as a line of UTF-8. Keys may be SQLAlchemy's names of columns, or members of an enumeration."""
    return in_json(
        orjson.dumps(data, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    )


def put_check(good: bool, text: str, next_step: str = "") -> None:
    """Print one line with a tick or a cross.

    Args:
        good: True for a tick.
        text: The line.
        next_step: The next thing to do, printed below the line; "" for none.
    """
    text, next_step = one_line(text), one_line(next_step)
    mark = ("✓" if good else "✗") if _can_draw() else ("ok" if good else "NO")
    if not stdout().is_terminal:
        put(f"{mark} {text}")
        if next_step:
            put(next_step, indent=len(mark) + 1)
        return

    line = Table.grid(padding=(0, 1))
    line.add_column(no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row(Text(mark, "green" if good else "bold red"), Text(text))
    if next_step:
        line.add_row("", Text(next_step, style="dim" if good else "yellow"))
    stdout().print(line)


def put_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = (), empty: str = ""
) -> None:
    """Print a table that fits the width of the terminal; long texts go on below, and nothing is cut off.

    Args:
        columns: The headings. Columns of ids, instants and numbers keep to one line.
        rows: The cells of each row; a word of :data:`STYLES` has its colour.
        right: The headings of columns of numbers, which are aligned to the right.
        empty: The text that is printed in place of a table without rows.
    """
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold"
    )
    for name in columns:
        plain = name in ("id", "job", "when", "config", "operation", "result", "kind") or name in right
        table.add_column(
            one_line(name), justify="right" if name in right else "left", no_wrap=plain, overflow="fold"
        )
    for row in rows:
        table.add_row(*(_cell(each) for each in row))
    if table.row_count or not empty:
        stdout().print(table)
    else:
        put(empty)


def put_rows(
    columns: Mapping[str, int], rows: Iterable[Sequence[object]], *, header: bool, cut: str = ""
) -> None:
    """Print a page of a long table; pages look like one table, since the widths do not follow the content.

    Args:
        columns: The headings, each with the width of its column in characters; 0 takes the width that is left.
        rows: The cells of each row.
        header: Print the headings, above the first page.
        cut: The heading of a column whose texts are cut to one line; "" for none.
    """
    left = stdout().width - sum(columns.values()) - 2 * (len(columns) - 1)
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        show_header=header,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for name, size in columns.items():
        is_cut = name == cut
        table.add_column(
            name,
            width=size or max(left, 8),
            no_wrap=is_cut,
            overflow="ellipsis" if is_cut else "fold",
        )
    for row in rows:
        table.add_row(*(_cell(each) for each in row))
    stdout().print(table)


def put_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values, one a line, the values aligned."""
    if not stdout().is_terminal:
        width = max(map(len, pairs), default=0)
        for name, value in pairs.items():
            for number, line in enumerate(_text(value).split("\n")):
                put(f"{'' if number else name:<{width}}  {line}".rstrip())
        return

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        table.add_row(name, _cell(value))
    stdout().print(table)


def show_error(error: CoursewireError) -> None:
    """Print what, where and why of an error, and the next step: as a panel on a terminal, as plain lines elsewhere."""
    what = one_line(error.what)
    parts = {"where": one_line(error.where), "why": one_line(error.why), "next": one_line(error.next_step)}
    if not stderr().is_terminal:
        sys.stderr.write(f"error: {what}\n")
        sys.stderr.writelines(f"  {name}: {text}\n" for name, text in parts.items() if text)
        return

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in parts.items():
        if text:
            table.add_row(name, Text(text))

    body = Group(Text(what, style="bold red"), *([table] if table.row_count else []))
    stderr().print(Panel(body, title=error.code, title_align="left", border_style="red"))


def error_json(error: CoursewireError) -> dict[str, Any]:
    """Return the stable form of an error."""
    data: dict[str, Any] = {
        "code": error.code,
        "what": error.what,
        "where": error.where,
        "why": error.why,
        "next_step": error.next_step,
    }
    for name in ("missing", "incorrect"):
        if getattr(error, name, None):
            data[name] = getattr(error, name)
    return data


@contextmanager
def progress() -> Iterator[Track]:
    """Show on stderr how far work is: bars on a terminal, a line now and then elsewhere."""
    if not stderr().is_terminal:
        yield _plain_progress
        return

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=stderr(), transient=True, expand=True) as bars:

        def track(label: str) -> Callable[[str, int, int], None]:
            known: dict[str, Any] = {}
            label = one_line(label)

            def show(phase: str, done: int, total: int) -> None:
                if phase not in known:
                    known[phase] = bars.add_task(f"{label} {phase}".strip(), total=total or None)
                bars.update(known[phase], completed=done, total=total or None)

            return show

        yield track


def _plain_progress(label: str) -> Callable[[str, int, int], None]:
    shown: dict[str, int] = {}
    label = one_line(label)

    def show(phase: str, done: int, total: int) -> None:
        step = done * STEPS // total if total else done // STEP_ITEMS
        if step > shown.get(phase, 0):
            shown[phase] = step
            far = f"{done} of {total}" if total else f"{done}"
            sys.stderr.write(f"{label} {phase}: {far}\n".lstrip())
            sys.stderr.flush()

    return show


def _cell(value: object) -> Any:

    if isinstance(value, Text):
        return value
    text = _text(value)
    return Text(text, style=STYLES.get(text.partition(":")[0], ""))


def _text(value: object) -> str:
    """Return a cell's text; the items of a list stand on lines of their own, and nothing else breaks a line."""
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    return "" if value is None else one_line(str(value))


def instant(moment: datetime | str | None) -> str:
    """Return an instant for a person, to the second; "" for None."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def short(uuid: UUID | str | None) -> str:
    """Return the beginning of a UUID, which is enough for every command; "" for None."""
    return str(uuid)[:8] if uuid else ""


def counted(reason: str, count: int, noun: str = "item", own: Sequence[ReasonInfo] = ()) -> str:
    """Return a sentence that says how many items have a reason, what it means, and what to do.

    Args:
        reason: The reason code.
        count: The number of items.
        noun: The word for one item, such as ``completion``.
        own: The reason codes that the channel declares.
    """
    text, step = explain(reason, own)
    items = f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
    said = f"{items}: {text} ({reason})." if text else f"{items}: {reason}."
    return f"{said} {step}".rstrip()


def because(reason: str, message: str = "") -> str:
    """Return a sentence that says what a reason means, and what to do.

    Args:
        reason: The reason code.
        message: More about this case; "" for none.
    """
    text, step = explain(reason)
    said = f"{text} ({reason})" if text else reason
    return f"{said}: {message}. {step}".rstrip() if message else f"{said}. {step}".rstrip()


def _can_draw() -> bool:
    return (stdout().encoding or "").lower().startswith("utf")

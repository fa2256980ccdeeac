"""errors.md: the error classes, what core does about each, and which one a channel raises."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coursewire import errors
from coursewire.errors import CoursewireError
from docs.generate.markdown import code, one_line, page, sections, table

INTRO = """\
Every error is a class in `coursewire.errors`. They are grouped by what core will do. A message says what failed, where,
why, and what to do next; the parts are attributes (`what`, `where`, `why`, `next_step`), and `--json` prints them
under `error` with the code of the class. None of them holds a secret or a learner's payload.

The exit status is that of a command which ends with this error. An error of an item or of a request does not end a
command: core turns it into a reason or a result, and goes on."""

TREE = re.compile(r"^[│├└─ ]*(\w+Error) {2,}(.+)$", re.MULTILINE)

RAISE = {
    "NotExportableError": "In `export_content`, `export_completion`, `export_assessment`: the item lacks a field that the LMS demands. Name the field.",
    "ThrottledError": 'In a client hook: the LMS asks to wait. As a rule the session raises it; do so yourself when the answer is a 200 that means "slow down".',
    "CredentialsError": "In `authenticate` and client hooks: the LMS refused the credentials, not one item.",
    "UnreachableError": "In a client hook: the request surely did not arrive, or the LMS was out of order before it took it.",
    "OutcomeUnknownError": "In a client hook: the request left and the answer does not tell whether it was done.",
    "RejectedError": "In a client hook: the LMS refused the whole request for good. For one item return a `Result` instead.",
    "BlockedError": "In a client hook: a person must act at the LMS, for example grant a right.",
    "IncompleteListError": "In `list_remote` and where a channel reads lists: a page is missing or cannot be read.",
}
"""Which one a channel raises, and when; everything else is core's."""


def pages() -> dict[str, str]:
    """The page."""
    does = dict(TREE.findall(errors.__doc__ or ""))
    tree = "\n".join(f"{'    ' * depth}{each.__name__}" for each, depth in walk(CoursewireError))
    parts = [
        INTRO,
        "```text\n" + tree + "\n```",
        "## Which one to raise in a channel",
        "Raise nothing else: whatever is not one of these counts as a fault of the plugin.",
        table(
            ("class", "when"),
            [(f"[{code(_known(name))}](#{name.lower()})", when) for name, when in RAISE.items()],
        ),
        "## The classes",
    ]
    parts += [_section(each, does) for each, _ in walk(CoursewireError)]
    return {"errors.md": page("Errors", *parts)}


def walk(root: type[CoursewireError], depth: int = 0) -> Iterator[tuple[type[CoursewireError], int]]:
    """A class and all below it, as they stand in the module, each with its depth."""
    yield root, depth
    for each in root.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from walk(each, depth + 1)


def _known(name: str) -> str:
    return str(getattr(errors, name).__name__)


def _section(each: type[CoursewireError], does: dict[str, str]) -> str:
    _, parts = sections(each.__doc__)
    facts = [("code", code(each.code)), ("exit status", str(each.exit_status))]
    doing = _inherited(each, does)
    if doing:
        facts.append(("core", doing))
    lines = [f"- {label}: {text}" for label, text in facts]
    attributes = [(code(name), text) for name, text in parts.get("Attributes", ())]
    return "\n\n".join(
        part
        for part in (
            f"### {each.__name__}",
            one_line(each.__doc__),
            "\n".join(lines),
            table(("attribute", "meaning"), attributes),
        )
        if part
    )


def _inherited(each: type[CoursewireError], does: dict[str, str]) -> str:
    for ancestor in each.__mro__:
        text = does.get(ancestor.__name__, "")
        if text and not re.fullmatch(r"exit \d", text):
            return text
    return ""

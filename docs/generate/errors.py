"""errors.md: the error classes, what core does about each, and which one a channel raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from coursewire import errors
from coursewire.errors import CoursewireError
from coursewire.model.payload import ResultKind
from coursewire.toolkit.results import result_from_error
from docs.generate.markdown import code, one_line, page, sections, table
from docs.generate.sources import members

INTRO = """\
Every error is a class in `coursewire.errors`. They are grouped by what core will do. A message says what failed, where,
why, and what to do next; the parts are attributes (`what`, `where`, `why`, `next_step`), and `--json` prints them
under `error` with the code of the class. None of them holds a secret or a learner's payload.

The exit status is that of a command which ends with this error. An error of an item or of a request does not end a
command: core turns it into a reason or a result, and goes on."""

NOW = datetime(2026, 1, 1, tzinfo=UTC)

TREE = re.compile(r"^[│├└─ ]*(\w+Error) {2,}(.+)$", re.MULTILINE)

RAISE = {
    "NotExportableError": (
        "exporters",
        "The item lacks a field that the LMS demands, or has one that it cannot take. Name the field.",
    ),
    "ThrottledError": (
        "client hooks",
        'The LMS asks to wait. As a rule the session raises it; do so yourself when the answer is a 200 that means "slow down".',
    ),
    "CredentialsError": (
        "`authenticate`, client hooks",
        "The LMS refused the credentials, not one item.",
    ),
    "UnreachableError": (
        "client hooks",
        "The request surely did not arrive, or the LMS was out of order before it took it.",
    ),
    "OutcomeUnknownError": (
        "client hooks",
        "The request left, and nothing tells whether it was done.",
    ),
    "RejectedError": (
        "client hooks",
        "The LMS refused the whole request for good, and would refuse it again. For one item return a `Result` instead.",
    ),
    "BlockedError": (
        "client hooks",
        "A person must act at the LMS first: grant a right, switch on a function, restore an account.",
    ),
    "IncompleteListError": (
        "`list_remote`, `list_inactive_learners`, `find_remote`, where a channel reads lists",
        "A page is missing or cannot be read. `session.pages` raises it by itself.",
    ),
}
"""Which one a channel raises, where, and when; everything else is core's."""

CATCH = {
    "SendError": "A request of yours that is not about the items of the batch, such as a look-up that only saves time. "
    "Otherwise let it go: core makes the results.",
    "ItemError": "Code that goes through many items and must not stop at one, such as a preview.",
    "SetupError": "A program around Coursewire: show the message and end, since a person must act first.",
    "RunError": "A program that starts runs: this job has ended, the next may begin.",
    "CoursewireError": "The outermost place of a program. What comes past it is a fault, not a failure.",
}
"""Which group to catch, and where."""

QUESTIONS = """\
Ask in this order; the first yes decides.

1. Is it about one item of several? Return a `Result` for it, with a kind and a reason; raise nothing.
2. Is it about the item before it was sent, in an exporter? `NotExportableError`.
3. Does the LMS ask to wait? `ThrottledError`.
4. Does it refuse who we are? `CredentialsError`.
5. Must a person act there first? `BlockedError`.
6. Did the request surely not arrive? `UnreachableError`.
7. May it have arrived, and nobody knows? `OutcomeUnknownError`, however much the LMS calls it an error.
8. Did it refuse for good? `RejectedError`.

Never turn 7 into 6: what core believes not to have arrived it sends again, and what did arrive is there twice."""


RESULTS = """\
Of each item of a batch a client hook returns a `cw.Result` with one of these kinds. `cw.result_from` and `cw.result_from_echo` choose it by an
answer's status and the words of an error in it. What becomes of the record is in [states](states.md#which-event-each-result-is)."""

NOTHING_ELSE = """\
Raise nothing else. Whatever is not one of these counts as a fault of the plugin: core reports it with the plugin's name
and version, and the batch is in doubt."""


def pages() -> dict[str, str]:
    """The page."""
    does = dict(TREE.findall(errors.__doc__ or ""))
    tree = "\n".join(f"{'    ' * depth}{each.__name__}" for each, depth in walk(CoursewireError))
    groups = [(_link(each), one_line(each.__doc__), _does(each, does)) for each, _ in walk(CoursewireError)]
    parts = [
        INTRO,
        "```text\n" + tree + "\n```",
        "## What each means to core",
        table(("class", "meaning", "what core does"), groups),
        "## Which one to raise in a channel",
        QUESTIONS,
        table(
            ("class", "where", "when", "what becomes of the items of the batch"),
            [(_link(_class(name)), where, when, _becomes(name)) for name, (where, when) in RAISE.items()],
        ),
        NOTHING_ELSE,
        "## What a result says",
        RESULTS,
        table(
            ("`cw.ResultKind`", "in words", "meaning"),
            [(code(kind.name), kind.value, members(ResultKind)[kind.name]) for kind in ResultKind],
        ),
        "## How to catch broadly",
        table(
            ("catch", "and you catch", "where that is right"),
            [(_link(_class(name)), _below(_class(name)), why) for name, why in CATCH.items()],
        ),
        "Do not catch `Exception` around requests: it hides faults of the channel, and the session's errors say more than a status does.",
        "## The classes",
    ]
    parts += [_section(each, does) for each, _ in walk(CoursewireError)]
    return {"errors.md": page("Errors", *parts)}


def _class(name: str) -> type[CoursewireError]:
    found = getattr(errors, name)
    assert issubclass(found, CoursewireError)
    return found


def _link(each: type[CoursewireError]) -> str:
    return f"[{code(each.__name__)}](#{each.__name__.lower()})"


def _does(each: type[CoursewireError], does: dict[str, str]) -> str:
    """What core does about a class, in short where its group says it."""
    own = does.get(each.__name__, "")
    if each is CoursewireError:
        return "–"
    if own and not re.fullmatch(r"exit \d", own):
        return own
    group = f"as {code(each.__bases__[0].__name__)}"
    return f"{group}; {own.replace('exit', 'exit status')}" if own else group


def _below(each: type[CoursewireError]) -> str:
    found = [other.__name__ for other, depth in walk(each) if depth]
    return "every error of this project" if each is CoursewireError else ", ".join(map(code, found))


def _becomes(name: str) -> str:
    """The result that core makes of it, tried out."""
    each = _class(name)
    if not issubclass(each, errors.SendError):
        return "–"
    error = errors.ThrottledError("", retry_at=NOW) if each is errors.ThrottledError else each("")
    result = result_from_error(error)
    more = "; the batch is split to find the item at fault" if result.batch_refused else ""
    return f"*{result.kind.value}*, {code(result.reason)}{more}"


def walk(root: type[CoursewireError], depth: int = 0) -> Iterator[tuple[type[CoursewireError], int]]:
    """A class and all below it, as they stand in the module, each with its depth."""
    yield root, depth
    for each in root.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from walk(each, depth + 1)


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

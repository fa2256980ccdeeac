"""reasons.md: the reason codes of core, with their texts and next steps."""

from __future__ import annotations

from coursewire.model.reasons import TEXTS, Reason
from coursewire.pipeline.summary import WAITING
from docs.generate.markdown import code, page, table
from docs.generate.sources import groups

INTRO = """\
A reason is a code that can be listed, counted and explained: why an item goes out, and why one does not. Plans, records,
transmissions and summaries carry it. The codes below are core's. A channel may answer with codes of its own; the README of
the plugin explains them.

`coursewire audit show --config ID --item KEY` explains the reason of one item."""

ANSWERS = """\
How core reads an answer of the LMS where the channel does not read it better. An item with one of these is counted as
failed, or as waiting where the run is to be tried again."""

WAITS = """\
What is not sent that is not sent is counted as *unchanged*, as *waiting* (it goes out by itself later, or when somebody mends
something other than the item), or as *skipped* (it is left until something about it changes)."""


def pages() -> dict[str, str]:
    """The page."""
    headings = groups(Reason)
    parts = [INTRO, WAITS]
    for heading in dict.fromkeys(headings.values()):
        members = [reason for reason in Reason if headings[reason.name] == heading]
        sent = "not" not in heading
        parts.append(f"## {heading[:1].upper()}{heading[1:]}")
        if sent:
            parts.append(table(("code", "why"), [(_anchor(reason), TEXTS[reason][0]) for reason in members]))
        else:
            rows = [(_anchor(reason), _counted(reason), *TEXTS[reason]) for reason in members]
            parts.append(table(("code", "counted as", "why", "what to do"), rows))
    answers = [(_anchor(name), *texts) for name, texts in TEXTS.items() if name not in set(Reason)]
    parts += ["## What the LMS answered", ANSWERS, table(("code", "why", "what to do"), answers)]
    return {"reasons.md": page("Reason codes", *parts)}


def _anchor(name: str) -> str:
    return f'<a id="{name}"></a>{code(str(name))}'


def _counted(reason: Reason) -> str:
    if reason is Reason.UNCHANGED:
        return "unchanged"
    return "waiting" if reason in WAITING else "skipped"

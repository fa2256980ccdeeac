"""reasons.md: the reason codes of core, with their texts and next steps."""

from __future__ import annotations

from collections.abc import Iterable

from coursewire.model.reasons import REASONS, CountedAs, LiftedBy, ReasonGroup, ReasonInfo
from docs.generate.markdown import code, page, table
from docs.generate.sources import members

INTRO = """\
A reason is a code that can be listed, counted and explained: why an item goes out, why one does not, and what an LMS
answered. Plans, records, transmissions and summaries carry it. The codes below are core's. A channel declares codes of its
own, which its page among the [channels](channels/README.md) lists; everywhere they are explained as core's are.

`coursewire audit show --config ID --item KEY` and `coursewire why` explain the reason of one item. The console and the REST
API give the same texts, with next steps that can be done there."""

COLUMNS = """\
Each table is about one group: the side on which something has to change before the item is sent. *Counted as* is the count of
the run's summary in which the item is:"""

LIFTED = """\
*Lifted by* names what makes core send the item, or look at it again:"""

FAMILY = """\
A code that ends in `*` stands for every code that begins so, such as `http-418`."""


def pages() -> dict[str, str]:
    """Return the page by its name."""
    sent = [info for info in REASONS.values() if info.counted_as is CountedAs.SENT]
    held = [info for info in REASONS.values() if info.counted_as is not CountedAs.SENT]
    parts = [
        INTRO,
        COLUMNS,
        _meanings(CountedAs),
        LIFTED,
        _meanings(LiftedBy),
        FAMILY,
        "## Why an item is sent",
        table(("code", "why"), [(_anchor(info), info.text) for info in sent]),
    ]
    for group in ReasonGroup:
        infos = [info for info in held if info.group is group]
        if infos:
            parts += [f"## {group.value[:1].upper()}{group.value[1:]}", reason_table(infos)]
    return {"reasons.md": page("Reason codes", *parts)}


def reason_table(infos: Iterable[ReasonInfo]) -> str:
    """Return a table of reason codes that are no reasons for sending.

    Args:
        infos: The codes, in the order of the rows.
    """
    return table(
        ("code", "counted as", "why", "what to do", "in the console", "lifted by"),
        [
            (
                _anchor(info),
                info.counted_as.value,
                info.text,
                info.command_step,
                "" if info.console_step == info.command_step else info.console_step,
                ", ".join(each.value for each in info.lifted_by),
            )
            for info in infos
        ],
    )


def _meanings(kind: type[CountedAs] | type[LiftedBy]) -> str:
    words = members(kind)
    rows = [(each.value, " ".join(words.get(each.name, "").split())) for each in kind]
    return table(("word", "meaning"), rows)


def _anchor(info: ReasonInfo) -> str:
    return f'<a id="{info.code.rstrip("*-")}"></a>{code(info.code)}'

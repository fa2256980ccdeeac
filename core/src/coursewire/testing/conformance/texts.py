"""Texts, keys and dates of every kind: they arrive, or the item says which field cannot be sent."""

from __future__ import annotations

import html
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from coursewire.model.content import ContentItem
from coursewire.model.reasons import Reason
from coursewire.storage.audit.states import State
from coursewire.testing.conformance.checks import check, demand, demand_equal
from coursewire.testing.conformance.exporting import exported
from coursewire.testing.conformance.made_up import SCRIPTS, content_data, content_item, is_keyed_by_uuid
from coursewire.testing.conformance.needs import EXPORTED, MARKUP

if TYPE_CHECKING:
    from coursewire.testing.conformance.bench import Bench

ODD_KEYS = (
    "MadeUpX+plus+plus",
    "MadeUpX+A&B=C",
    "MadeUpX+with blank",
    "MadeUpX+50%25",
    "MadeUpX+a/b",
    "MadeUpX+what?x=1#y",
    'MadeUpX+"quoted"',
    "MadeUpX+semi;colon,comma",
    "MadeUpX+Ünïcode植物",
)
LONGEST_KEY = 250
"""Core keeps keys of up to 255 characters."""
ZONES = ("Pacific/Kiritimati", "America/St_Johns", "UTC")
MADE_UP_HTML = 'Roots & shoots: "5 > 3" <basics>'


def arrived(bench: Bench, uuid: UUID, item: ContentItem, what: str) -> bool:
    """Tell whether the LMS holds an item; one that it does not must say which field cannot be sent."""
    record = bench.record(uuid, item)
    if bench.held(item) is not None:
        demand_equal(record.state, State.CONFIRMED, f"{what} arrived and does not count as confirmed")
        return True
    demand(
        record.reason == Reason.NOT_EXPORTABLE and record.message,
        f"{what} neither arrived nor says which field cannot be sent",
        seen=f"{record.state.value}: {record.reason} {record.message or ''}",
        expected="the item at the LMS; or not-exportable, from a NotExportableError that names the field",
    )
    return False


def strings_in(value: Any) -> Iterator[str]:
    """Every text in plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from strings_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings_in(each)


def carries(held: Any, text: str) -> bool:
    """Tell whether a text stands in what the LMS holds, as it is or as HTML."""
    ways = (text, html.escape(text), html.escape(text, quote=False))
    return any(way in each for each in strings_in(held) for way in ways)


class TextChecks:
    """Texts arrive as they were at the source."""

    @check("titles and descriptions in every script arrive as they are", EXPORTED)
    def test_every_script_arrives(self, bench: Bench) -> None:
        """Eleven scripts, from right to left too, and letters outside the basic plane.

        Send UTF-8, and cut by characters, not by bytes.
        """
        uuid = bench.configure()
        plain = content_item("plain", bench.main_type)
        titled = {name: self._item(bench, f"T{n}", title=SCRIPTS[name]) for n, name in enumerate(SCRIPTS)}
        described = {
            name: self._item(bench, f"D{n}", short_description=text, full_description=f"<p>{text}</p>")
            for n, (name, text) in enumerate(SCRIPTS.items())
        }
        bench.put(plain, *titled.values(), *described.values())
        bench.run(uuid)
        # A channel may leave descriptions out, but not change them.
        with_descriptions = carries(bench.held(plain), "text about")
        for what, items in (("title", titled), *((("description", described),) if with_descriptions else ())):
            for name, item in items.items():
                if arrived(bench, uuid, item, f"a {what} in {name}"):
                    demand(
                        carries(bench.held(item), SCRIPTS[name]),
                        f"a {what} in {name} arrived as something else",
                        seen=bench.held(item),
                        expected=SCRIPTS[name],
                    )

    @staticmethod
    def _item(bench: Bench, number: str, **texts: str) -> ContentItem:
        return content_item(number, bench.main_type, **texts)

    @check("markup and entities in a title arrive as they are", EXPORTED & MARKUP)
    def test_markup_arrives(self, bench: Bench) -> None:
        """Nothing is escaped twice, and nothing is taken for markup that is none.

        Escape once, where the text goes into HTML or XML, and not where it goes into JSON.
        """
        uuid, (item,) = bench.configure(), bench.shelve(1, title=MADE_UP_HTML)
        bench.run(uuid)
        if arrived(bench, uuid, item, "a title with markup in it"):
            held = bench.held(item)
            demand(
                carries(held, MADE_UP_HTML), "the title changed on its way", seen=held, expected=MADE_UP_HTML
            )
            twice = [text for text in strings_in(held) if "&amp;amp;" in text or "&amp;lt;" in text]
            demand(not twice, "something was escaped twice", seen=twice, expected=MADE_UP_HTML)

    @check("a title of any length arrives, cut where the LMS has no room", EXPORTED)
    def test_long_titles_arrive(self, bench: Bench) -> None:
        """Just about every limit that LMSs have, in letters of one byte and of three.

        Cut to the LMS's limit in the exporter, or raise ``NotExportableError``. An item that the LMS
        refuses for its length waits for somebody who can do nothing about it.
        """
        uuid = bench.configure()
        lengths = (100, 200, 255, 256, 500, 1000, 4000)
        starts = ("A course about many things ", "植物学" * 9)
        items = [
            content_item(f"{length}-{index}", bench.main_type, title=(start * length)[:length])
            for index, start in enumerate(starts)
            for length in lengths
        ]
        bench.put(*items)
        bench.run(uuid)
        for item in items:
            title = str(item.title)
            if arrived(bench, uuid, item, f"a title of {len(title)} characters"):
                demand(
                    carries(bench.held(item), title[:20]),
                    f"nothing of a title of {len(title)} characters arrived",
                    seen=bench.held(item),
                    expected=f"at least {title[:20]!r}",
                )

    @check("a description of 100 kB does not keep its item back", EXPORTED)
    def test_long_descriptions_arrive(self, bench: Bench) -> None:
        """It is sent, cut or left out by the channel's rule."""
        uuid = bench.configure()
        long = "<p>" + "植物 and more. " * 8_000 + "</p>"
        items = [
            *bench.shelve(1, full_description=long),
            *bench.shelve(2, full_description=long, short_description=long),
            *bench.shelve(3, full_description="", short_description=""),
        ]
        bench.run(uuid)
        for item in items:
            arrived(
                bench,
                uuid,
                item,
                f"an item with a description of {len(item.full_description or '')} characters",
            )

    @check(
        "keys with blanks, slashes and signs that URLs use survive create, update and retirement", EXPORTED
    )
    def test_odd_keys_survive(self, bench: Bench) -> None:
        """They are encoded wherever they stand in an address or a search.

        Let the session encode: pass ``params``, and put ``quote(key, safe="")`` into paths. The simulator
        decodes as the LMS does.
        """
        uuid = bench.configure()
        if is_keyed_by_uuid(bench.main_type):
            return
        items = [content_item(str(n), bench.main_type, key=key) for n, key in enumerate(ODD_KEYS)]
        bench.put(*items)
        bench.run(uuid)
        there = [item for item in items if arrived(bench, uuid, item, f"the item {item.content_key!r}")]
        demand_equal(
            len(bench.simulator.items), len(there), "the LMS holds more or fewer items than were sent"
        )
        again = [item.model_copy(update={"title": "A title that is new"}) for item in there]
        bench.put(*again)
        bench.run(uuid)
        for item in again:
            demand(
                carries(bench.held(item), "A title that is new"),
                f"an update of {item.content_key!r} did not find the item, or found another",
                seen=bench.held(item),
            )
        if bench.channel.capabilities.retire_strategies:
            for item in again:
                bench.take_away(item)
            bench.run(uuid)
            left = [item.content_key for item in again if bench.simulator.is_live(bench.remote_key(item))]
            demand(not left, "a retirement did not find its item", seen=left, expected="all gone")

    @check("long keys arrive apart from each other, or are named", EXPORTED)
    def test_long_keys_stay_apart(self, bench: Bench) -> None:
        """A key that is cut must not become another item's key.

        Implement ``remote_key`` with a digest where the LMS has less room than 255 characters, or raise
        ``NotExportableError``.
        """
        uuid = bench.configure()
        if is_keyed_by_uuid(bench.main_type):
            return
        stem = "MadeUpX+" + "long" * 60
        items = [
            content_item(f"L{end}", bench.main_type, key=f"{stem[: LONGEST_KEY - 1]}{end}") for end in "ab"
        ]
        bench.put(*items)
        bench.run(uuid)
        there = [item for item in items if arrived(bench, uuid, item, f"a key of {LONGEST_KEY} characters")]
        demand_equal(len(bench.simulator.items), len(there), "two long keys became one item")

    @check("an item that lacks a field arrives without it, or says that it is needed", EXPORTED)
    def test_missing_fields_are_named(self, bench: Bench) -> None:
        """Each field in turn, null and missing: no crash, no item that waits for ever in silence.

        Everything but the key may be missing at the source. What the LMS demands and the item lacks
        is a ``NotExportableError`` that names the field.
        """
        uuid = bench.configure()
        kind = bench.main_type
        fields = [name for name in content_data(0, kind) if name not in ("content_type", "key", "uuid")]
        cases: dict[str, dict[str, Any]] = {f"{name} null": {name: None} for name in fields}
        cases |= {f"no {name}": {name: ...} for name in fields}
        cases["every text empty"] = {
            name: "" for name in fields if isinstance(content_data(0, kind)[name], str)
        }
        cases["nothing but a key"] = dict.fromkeys(fields, ...)
        items = {what: content_item(f"M{n}", kind, **case) for n, (what, case) in enumerate(cases.items())}
        bench.put(*items.values())
        bench.run(uuid)
        for what, item in items.items():
            arrived(bench, uuid, item, f"an item with {what}")

    @check("dates long past, far ahead or missing do not keep an item back", EXPORTED)
    def test_any_date_arrives(self, bench: Bench) -> None:
        """From the year 1 to the year 9999, and an end before the start.

        ``strftime`` writes early years without leading zeros, and milliseconds since 1970 may be
        negative.
        """
        uuid = bench.configure()
        pairs = [
            ("0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z"),
            ("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"),
            ("2026-06-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00.123456Z", "2038-01-19T03:14:08Z"),
            ("2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
            (None, "2026-12-31T00:00:00Z"),
            ("2026-12-31T00:00:00Z", None),
            (None, None),
        ]
        items = [
            content_item(f"D{n}", bench.main_type, **_dates(bench, *pair)) for n, pair in enumerate(pairs)
        ]
        bench.put(*items)
        bench.run(uuid)
        for item, pair in zip(items, pairs, strict=True):
            arrived(bench, uuid, item, f"an item from {pair[0]} to {pair[1]}")

    @check("an instant is the same instant in every zone", EXPORTED)
    def test_zones_do_not_matter(self, bench: Bench) -> None:
        """The zone that the source writes, and the zone of the machine, change no payload."""
        written = {
            "Z": ("2026-02-01T00:00:00Z", "2026-11-30T00:00:00Z"),
            "+05:45": ("2026-02-01T05:45:00+05:45", "2026-11-30T05:45:00+05:45"),
            "-09:30": ("2026-01-31T14:30:00-09:30", "2026-11-29T14:30:00-09:30"),
        }
        payloads: dict[str, Any] = {}
        for zone, pair in written.items():
            payloads[f"written with {zone}"] = self._payload(bench, _dates(bench, *pair))
        for zone in ZONES:
            with machine_in(zone):
                payloads[f"on a machine in {zone}"] = self._payload(bench, _dates(bench, *written["Z"]))
        first = payloads["written with Z"]
        for where, payload in payloads.items():
            demand_equal(payload, first, f"the payload differs {where}")

    @staticmethod
    def _payload(bench: Bench, dates: Mapping[str, Any]) -> Any:
        item = content_item(1, bench.main_type, **dates)
        return exported(lambda moment: bench.loaded.hook_caller.export_content(bench.config(), item, moment))


def _dates(bench: Bench, start: str | None, end: str | None) -> dict[str, Any]:
    """Fields of an item that runs from ``start`` to ``end``, in itself and in its runs."""
    dates = {"start": start, "end": end}
    runs = content_data(1, bench.main_type).get("course_runs")
    return {**dates, "course_runs": [{**run, **dates} for run in runs]} if runs else dict(dates)


@contextmanager
def machine_in(zone: str) -> Iterator[None]:
    """Let the process be in another time zone, where the system can tell it so."""
    before = os.environ.get("TZ")
    reset: Callable[[], None] = getattr(time, "tzset", lambda: None)
    os.environ["TZ"] = zone
    reset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        reset()

"""Exporters: the same payload from the same arguments, whoever asks, and the payloads that were worked out by hand."""

from __future__ import annotations

import copy
import json
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from coursewire.errors import CoursewireError, NotExportableError
from coursewire.model.content import ContentItem
from coursewire.model.instant import Instant, Moment
from coursewire.model.kinds import Kind
from coursewire.model.outcomes import Verdict
from coursewire.testing.conformance import sibling
from coursewire.testing.conformance.checks import check, demand, demand_equal
from coursewire.testing.conformance.made_up import (
    NOW,
    SAMPLES,
    assessment,
    completion,
    content_item,
)
from coursewire.testing.conformance.needs import (
    COMPLETIONS,
    EVERY,
    EXPORTED,
    RETIRES,
    takes,
)

if TYPE_CHECKING:
    from coursewire.model.configuration import ChannelConfig
    from coursewire.testing.conformance.bench import Bench

_TIME = frozenset({"time", "time_ns", "localtime", "ctime", "monotonic", "monotonic_ns", "perf_counter"})
_DATE = frozenset({"now", "utcnow", "today"})
_INSTANT: TypeAdapter[Any] = TypeAdapter(Instant | None)


def exported(export: Callable[[Moment], Any]) -> Any:
    """A payload, or the field that cannot be sent."""
    try:
        return export(Moment(NOW))
    except NotExportableError as error:
        demand(error.field, "a NotExportableError names no field", seen=str(error))
        return {"not exportable": error.field}


def _without_moment(export: Callable[[Any], Any], thing: Any, _moment: Moment) -> Any:
    return export(thing)


@contextmanager
def impure_calls() -> Iterator[set[str]]:
    """Collect the calls that a pure function does not make: clock, chance, files, network."""
    found: set[str] = set()

    def note(_frame: FrameType, event: str, function: Any) -> None:
        if event != "c_call":
            return
        name, owner = getattr(function, "__name__", ""), getattr(function, "__self__", None)
        of = owner.__name__ if isinstance(owner, ModuleType | type) else type(owner).__name__
        if (
            (of == "time" and name in _TIME)
            or (of in ("datetime", "date") and name in _DATE)
            or (name == "urandom" or isinstance(owner, random.Random))
            or (of == "_socket" or name in ("getaddrinfo", "connect", "create_connection"))
            or (of in ("io", "_io") and name == "open")
        ):
            found.add(f"{of}.{name}")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(before)


class ExportingChecks:
    """Payloads follow from configuration, item and moment, and from nothing else."""

    @check("exporters ask no clock, no chance, no file and no network", EVERY)
    def test_exporters_are_pure(self, bench: Bench) -> None:
        """A payload depends on the arguments alone, or core cannot tell when it changes.

        Ask ``moment.has_passed(...)`` instead of a clock: core then knows when the payload changes by
        itself. What is read from files is read when the module is loaded. Calls are watched while the
        exporter runs, those of libraries included.
        """
        for what, export in self._exports(bench):
            exported(export)  # what is imported on first use may read files
            with impure_calls() as calls:
                exported(export)
            demand(
                not calls,
                f"exporting {what} is not pure",
                seen=f"calls of {', '.join(sorted(calls))}",
                expected="none; ask `moment` for the time",
            )

    @check("exporters do not change what they are given", EVERY)
    def test_arguments_stay_as_they_are(self, bench: Bench) -> None:
        """The same item is exported for other configurations too.

        Build new dictionaries. A list inside an item is the source's own.
        """
        config = bench.config()
        hook_caller = bench.loaded.hook_caller
        things: list[tuple[str, Any, Callable[[Any], Any]]] = []
        can = bench.channel.capabilities
        if can.content.usable:
            things.append(
                (
                    "item",
                    content_item(1, bench.main_type),
                    lambda it: hook_caller.export_content(config, it, Moment(NOW)),
                )
            )
        things += [
            (kind.noun, sample(), partial(hook_caller.export_outcome, kind, config))
            for kind, sample in SAMPLES.items()
            if can.takes(kind)
        ]
        for name, thing, export in things:
            before, settings = copy.deepcopy(thing.model_dump()), copy.deepcopy(config.model_dump())
            exported(partial(_without_moment, export, thing))
            demand_equal(thing.model_dump(), before, f"exporting changed the {name} that it was given")
            demand_equal(config.model_dump(), settings, f"exporting a {name} changed the configuration")

    @check("a retirement is built from what was confirmed, and leaves it as it is", RETIRES)
    def test_what_was_confirmed_stays_as_it_is(self, bench: Bench) -> None:
        """``export_retirement`` gets what the records hold."""
        config, hook_caller = bench.config(), bench.loaded.hook_caller
        confirmed = hook_caller.export_content(config, content_item(1, bench.main_type), Moment(NOW))
        before = copy.deepcopy(confirmed)
        first = hook_caller.export_retirement(config, confirmed)
        demand_equal(confirmed, before, "export_retirement changed the confirmed payload that it was given")
        demand_equal(
            hook_caller.export_retirement(config, confirmed),
            first,
            "it gives another payload the second time",
        )

    @check("the same item gives the same payload twice", EVERY)
    def test_payloads_are_the_same_again(self, bench: Bench) -> None:
        """Or every run would send everything again.

        Sets have no order, and counters go on: sort what comes from a set.
        """
        for what, export in self._exports(bench):
            demand_equal(exported(export), exported(export), f"exporting {what} twice gives two payloads")

    @check("two processes agree on every payload", EVERY)
    def test_two_processes_agree(self, bench: Bench) -> None:
        """Another process, with another hash seed, another locale and in another time zone.

        The usual causes are sets, ``hash()``, names of months by locale, and the zone of the machine. A
        channel that is an object made with arguments cannot be made in another process; there the
        check has nothing to compare.
        """
        work = sibling.work(bench.channel, bench.fields())
        answered = bench.kit.sibling_answers(work)
        if answered is None:
            return  # the channel is an object that no other process can make; see the docs of this check
        here = sibling.export_all(bench.loaded, work)
        for mine, other in zip(here, answered, strict=True):
            demand_equal(other, mine, "another process gives another payload")

    @staticmethod
    def _exports(bench: Bench) -> Iterator[tuple[str, Callable[[Moment], Any]]]:
        hook_caller, config, can = bench.loaded.hook_caller, bench.config(), bench.channel.capabilities
        if can.content.usable:
            for kind in sorted(can.content_types):
                item = content_item(1, kind)
                yield f"a {kind.value}", partial(hook_caller.export_content, config, item)
        for outcomes, sample in SAMPLES.items():
            if can.takes(outcomes):
                export = partial(hook_caller.export_outcome, outcomes, config)
                yield f"one of {outcomes.value}", partial(_without_moment, export, sample())

    @check("golden pairs of content hold", EXPORTED, golden=True)
    def test_golden_content(self, bench: Bench) -> None:
        """``golden/content/*.json``: the payload that was worked out by hand.

        One file a case: ``{"about", "now", "config", "item", "payload"}``, of which ``about``, ``now`` and
        ``config`` may be missing. ``config`` holds the fields that differ from the sample. Work the
        payload out by hand from the vendor's page. Numbers are compared as they stand on the wire: 1
        is not 1.0. ``next_change_at``, if it is there, is when the payload changes by itself.
        """

        def export(config: ChannelConfig, pair: dict[str, Any], moment: Moment) -> Any:
            return bench.loaded.hook_caller.export_content(
                config, ContentItem.model_validate(pair["item"]), moment
            )

        demand_pairs(bench, "content", export)

    @check("golden pairs of completions hold", COMPLETIONS, golden=True)
    def test_golden_completions(self, bench: Bench) -> None:
        """``golden/completions/*.json``: the payload that was worked out by hand.

        As for content, with ``completion`` in place of ``item``.
        """
        demand_outcome_pairs(bench, Kind.COMPLETIONS)

    @check("golden pairs of assessments hold", takes(Kind.ASSESSMENTS), golden=True)
    def test_golden_assessments(self, bench: Bench) -> None:
        """``golden/assessments/*.json``: the payload that was worked out by hand.

        As for content, with ``assessment`` in place of ``item``.
        """
        demand_outcome_pairs(bench, Kind.ASSESSMENTS)

    @check("golden pairs of enrollments hold", takes(Kind.ENROLLMENTS), golden=True)
    def test_golden_enrollments(self, bench: Bench) -> None:
        """``golden/enrollments/*.json``: the payload that was worked out by hand.

        As for content, with ``enrollment`` in place of ``item``.
        """
        demand_outcome_pairs(bench, Kind.ENROLLMENTS)

    @check("a completion with anything unknown is exported, or says which field is missing", COMPLETIONS)
    def test_unknown_parts_of_a_completion_are_named(self, bench: Bench) -> None:
        """Unknown is not zero: where zero and another grade differ in the payload, none differs from zero too.

        Raise ``NotExportableError(field, why)`` where the LMS demands what is missing; leave it out, or
        send null, where it does not.
        """
        hook_caller, config = bench.loaded.hook_caller, bench.config()

        def payload(**changes: Any) -> Any:
            export = partial(hook_caller.export_outcome, Kind.COMPLETIONS, config)
            return exported(partial(_without_moment, export, completion(**changes)))

        for verdict in Verdict:
            payload(verdict=verdict, complete=verdict is not Verdict.IN_PROGRESS)
        for unknown in ("completed_at", "percent", "total_hours", "email", "remote_id"):
            payload(**{unknown: None})
        none, zero, half, full = (payload(percent=percent) for percent in (None, "0", "0.5", "1"))
        if zero != half:
            demand(
                none != zero,
                "an unknown grade and a grade of zero are sent alike",
                seen=none,
                expected="another payload than for 0",
            )
            demand(
                half != full,
                "100 % is sent as something else",
                seen=full,
                expected="another payload than for 50 %",
            )

    @check("a grade of zero, of all, and of anything between is exported", takes(Kind.ASSESSMENTS))
    def test_every_grade_of_an_assessment_is_exported(self, bench: Bench) -> None:
        """Zero is a grade."""
        hook_caller, config = bench.loaded.hook_caller, bench.config()
        payloads = []
        for points in ("0", "0.01", "3.33", "10"):
            fields: dict[str, Any] = {"points_earned": points, "percent": float(points) / 10}
            export = partial(hook_caller.export_outcome, Kind.ASSESSMENTS, config)
            made = exported(partial(_without_moment, export, assessment(**fields)))
            demand(
                "not exportable" not in made,
                f"{points} of 10 points cannot be sent",
                seen=made,
                expected="a payload",
            )
            payloads.append(json.dumps(made, sort_keys=True))
        demand(
            payloads[0] != payloads[-1], "zero points and all points give the same payload", seen=payloads[0]
        )


def demand_pairs(
    bench: Bench, kind: str, export: Callable[[ChannelConfig, dict[str, Any], Moment], Any]
) -> None:
    """Demand that every golden pair of a kind holds; all that do not are named."""
    assert bench.kit.golden is not None
    folder = bench.kit.golden / kind
    paths = sorted(folder.glob("*.json"))
    demand(
        paths, f"there is no golden pair of {kind}", seen=f"no file {folder}/*.json", expected="at least one"
    )
    faults = [text for path in paths for text in _faults_of(bench, path, export)]
    demand(not faults, f"{len(faults)} golden pairs of {kind} do not hold", seen="\n    ".join(faults))


def demand_outcome_pairs(bench: Bench, kind: Kind) -> None:
    """Demand that every golden pair of a kind of outcome holds; all that do not are named."""
    outcome = type(SAMPLES[kind]())

    def export(config: ChannelConfig, pair: dict[str, Any], _moment: Moment) -> Any:
        return bench.loaded.hook_caller.export_outcome(kind, config, outcome.model_validate(pair[kind.noun]))

    demand_pairs(bench, kind.value, export)


def _faults_of(bench: Bench, path: Path, export: Callable[..., Any]) -> Iterator[str]:
    try:
        pair = json.loads(path.read_text(encoding="utf-8"))
        moment = Moment(_INSTANT.validate_python(pair.get("now")) or NOW)
        made = export(bench.config(**pair.get("config", {})), pair, moment)
        expected = pair["payload"]
    except (ValueError, KeyError, CoursewireError, ValidationError) as error:
        yield f"{path.name}: {type(error).__name__}: {error}"
        return
    yield from (
        f"{path.name}: {difference}" for difference in differences(json.loads(json.dumps(made)), expected)
    )
    change = moment.next_change_at
    if "next_change_at" in pair and change != _INSTANT.validate_python(pair["next_change_at"]):
        yield f"{path.name}: next_change_at: {change} instead of {pair['next_change_at']}"


def differences(seen: Any, expected: Any, path: str = "payload") -> Iterator[str]:
    """Return where two pieces of plain data differ, as ``payload.course.name: 1 instead of 2``."""
    if isinstance(seen, dict) and isinstance(expected, dict):
        for name in sorted(seen.keys() | expected.keys()):
            if name not in seen:
                yield f"{path}.{name} is missing"
            elif name not in expected:
                yield f"{path}.{name}: {seen[name]!r} should not be there"
            else:
                yield from differences(seen[name], expected[name], f"{path}.{name}")
    elif isinstance(seen, list) and isinstance(expected, list) and len(seen) == len(expected):
        for index, (one, other) in enumerate(zip(seen, expected, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif type(seen) is not type(expected) or seen != expected:  # 1 is not 1.0, nor true, on the wire
        yield f"{path}: {seen!r} instead of {expected!r}"

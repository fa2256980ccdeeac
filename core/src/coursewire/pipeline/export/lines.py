"""Lines: the choice among several enrollments' outcomes where an LMS holds one result for a learner in a course.

What was last told of a line is in the records of this configuration, so that the answer is the same in one batch and in
ten, in one run and in many.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from coursewire.model.outcomes import LastReported
from coursewire.model.reasons import CountedAs, Reason, counted_as
from coursewire.pipeline.export.evaluation import Decision, last_reported, result_at
from coursewire.pipeline.rules.line import Claim, Line, winner
from coursewire.storage.audit.states import State

if TYPE_CHECKING:
    from coursewire.model.configuration import ResultPolicy
    from coursewire.pipeline.export.evaluation import OutcomeEvaluation
    from coursewire.storage.audit.records import OutcomeRecord, OutcomeRecords

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Lines:
    """The lines of one kind of outcome of one configuration, in one run.

    Attributes:
        policy: The configuration's ``result_policy``.
        records: The records of the outcomes.
        kept: Number of lines that are remembered, which covers the outcomes that are planned and not stored yet.
        overtaken: Keys of outcomes that were planned, and must stay because a later page has the one that stands.
    """

    policy: ResultPolicy
    records: OutcomeRecords
    kept: int
    overtaken: set[str] = field(default_factory=set)
    _planned: OrderedDict[Line, dict[str, OutcomeRecord]] = field(default_factory=OrderedDict)

    def siblings(self, page: Sequence[OutcomeEvaluation]) -> Mapping[Line, list[OutcomeRecord]]:
        """Return the records of other enrollments in the lines of a page, with one query for all of them."""
        lines = {line for one in page if not one.reason and (line := line_of(one))}
        own = {one.record.key for one in page}
        found: defaultdict[Line, dict[str, OutcomeRecord]] = defaultdict(dict)
        for record in self.records.of_lines(
            sorted({line.course_key for line in lines}),
            sorted({line.learner_id for line in lines}),
            besides=sorted({one.record.enrollment for one in page}),
        ):
            line = Line(record.course_key, record.remote_key, record.subsection)
            if line in lines:
                found[line][record.key] = record
        for line in lines & self._planned.keys():
            found[line] |= {key: record for key, record in self._planned[line].items() if key not in own}
        return {line: list(records.values()) for line, records in found.items()}

    def settle(
        self,
        page: Sequence[OutcomeEvaluation],
        siblings: Mapping[Line, Sequence[OutcomeRecord]],
        *,
        refused: Collection[str],
    ) -> None:
        """Decide for each outcome of a page whether it stands in its line or another enrollment's covers it.

        Args:
            page: The outcomes of the page; those that are still on their way get a decision where others claim their line.
            siblings: As :meth:`siblings` returns them.
            refused: Keys of outcomes that the LMS has refused as they are now, so that they cannot stand for others.
        """
        members: defaultdict[Line, list[OutcomeEvaluation]] = defaultdict(list)
        for one in page:
            if line := line_of(one):
                members[line].append(one)
        for line, here in members.items():
            on_their_way = [one for one in here if not one.reason and one.record.key not in refused]
            others = [one.record for one in here if one.reason or one.record.key in refused]
            others += siblings.get(line, ())
            if on_their_way and len(on_their_way) + len(others) > 1:
                self._settle(line, on_their_way, others)

    def _settle(
        self, line: Line, on_their_way: Sequence[OutcomeEvaluation], others: Sequence[OutcomeRecord]
    ) -> None:
        told = _standing(line, [*(one.record for one in on_their_way), *others])
        told_key = told.key if told else None
        claims = [
            Claim(
                one.record.key,
                one.record.enrollment,
                LastReported.of(one.outcome),
                result_at(one),
                one.record.key == told_key,
            )
            for one in on_their_way
            if one.outcome is not None
        ]
        claims += [claim for record in others if (claim := _claim_of(record, line, told_key))]
        first = winner(self.policy, claims)
        details = {
            "policy": self.policy.value,
            "stands": first.words,
            "others": [claim.words for claim in claims if claim is not first],
            "told": told.enrollment if told else None,
        }
        for one in on_their_way:
            one.told = told
            if one.record.key == first.key:
                one.decisions.append(Decision("line", details=details))
            else:
                one.decisions.append(
                    Decision("line", Reason.COVERED, f"It is covered by {first.words}.", details)
                )
        planned = self._planned.get(line, {})
        if first.key in _keys(on_their_way):
            self.overtaken |= planned.keys() - {first.key}

    def note_planned(self, one: OutcomeEvaluation) -> None:
        """Remember an outcome that will be sent, until its record is surely stored."""
        line = line_of(one)
        if line is None:
            return
        self.overtaken.discard(one.record.key)
        self._planned.setdefault(line, {})[one.record.key] = one.record
        self._planned.move_to_end(line)
        while len(self._planned) > self.kept:
            _, gone = self._planned.popitem(last=False)
            self.overtaken -= gone.keys()


def line_of(one: OutcomeEvaluation) -> Line | None:
    """Return the line that an outcome belongs to; None where the learner's id is not known."""
    if one.identity is None or not one.identity.value:
        return None
    return Line(one.record.course_key, one.identity.value, one.record.subsection)


def _keys(evaluations: Iterable[OutcomeEvaluation]) -> set[str]:
    return {one.record.key for one in evaluations}


def _standing(line: Line, records: Iterable[OutcomeRecord]) -> OutcomeRecord | None:
    """Return the record whose result the LMS was told last; None where it was told nothing about the line."""
    told = [
        record
        for record in records
        if record.remote_key == line.learner_id and last_reported(record) is not None
    ]
    return max(
        told,
        key=lambda record: (record.confirmed_at or _NEVER, record.reason != Reason.COVERED, record.key),
        default=None,
    )


def _claim_of(record: OutcomeRecord, line: Line, told_key: str | None) -> Claim | None:
    """Return what a stored outcome claims: what is under way to the LMS, or what stands there."""
    if record.evidence is None or record.remote_key != line.learner_id:
        return None
    kept = orjson.loads(record.evidence)
    pending = record.operation is not None and record.state is not State.REJECTED and not _is_left(record)
    result: LastReported | None
    if pending and kept["outcome"]:
        result = LastReported.model_validate(kept["outcome"])
    elif record.key == told_key:
        result = last_reported(record)
    else:
        return None
    if result is None:
        return None
    # Records of earlier releases do not say when.
    at = result.completed_at or (datetime.fromisoformat(kept["at"]) if kept.get("at") else None)
    return Claim(record.key, record.enrollment, result, at, record.key == told_key)


def _is_left(record: OutcomeRecord) -> bool:
    """Tell whether a planned outcome is not wanted as it was planned, such as one that is covered or not complete."""
    if record.state is not State.PLANNED or record.reason in (None, Reason.RETRY, Reason.UNSETTLED):
        return False
    return counted_as(record.reason) is CountedAs.SKIPPED

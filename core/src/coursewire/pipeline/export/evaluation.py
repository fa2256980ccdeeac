"""One outcome on its way, and what its record keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from coursewire.model.identity import Identity
from coursewire.model.outcomes import Outcome, Told
from coursewire.model.payload import JsonObject, canonical_json
from coursewire.pipeline.export.prepared import Prepared
from coursewire.storage.audit.records import OutcomeRecord

if TYPE_CHECKING:
    from coursewire.model.results import EnrollmentFacts, SubsectionFacts


class Step(NamedTuple):
    """One decision on the way of an outcome.

    Attributes:
        name: What was asked.
        reason: Why the way ends here, a reason code; "" when it goes on.
        message: More about it, for people.
        details: What was looked at, as plain data.
    """

    name: str
    reason: str = ""
    message: str = ""
    details: Mapping[str, Any] = {}


@dataclass(slots=True)
class Examined:
    """One outcome on its way.

    Attributes:
        facts: Its enrollment.
        part: Its subsection; None where it is about the whole enrollment, or there is nothing to assess.
        record: Its record, a working copy.
        before: The values of the record as they are stored; None when it is not stored.
        steps: What was decided so far.
        identity: The learner's id at the LMS.
        outcome: What would be told.
        evidence: What that was concluded from.
        body: Its payload.
        canonical: The payload as canonical JSON.
        fingerprint: Of the learner's id at the LMS and the payload.
        prepared: What is to be done.
    """

    facts: EnrollmentFacts
    part: SubsectionFacts | None
    record: OutcomeRecord
    before: tuple[Any, ...] | None
    steps: list[Step] = field(default_factory=list)
    identity: Identity | None = None
    outcome: Outcome | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    body: JsonObject = field(default_factory=dict)
    canonical: bytes = b""
    fingerprint: str = ""
    prepared: Prepared | None = None

    @property
    def reason(self) -> str:
        """Why the way has ended; "" while it goes on."""
        return self.steps[-1].reason if self.steps else ""

    @property
    def title(self) -> str:
        """For people."""
        names = [self.facts.learner.username, self.facts.course.title or self.record.course_key]
        return " · ".join([*names, self.part.subsection_name] if self.part else names)


snapshot = attrgetter(*(each.name for each in fields(OutcomeRecord)))
"""The values of a record, to see later whether they have changed."""


def told_of(record: OutcomeRecord) -> Told | None:
    """What the LMS last confirmed of an outcome; None when it never did."""
    if record.confirmed_at is None or record.evidence is None:
        return None
    kept = orjson.loads(record.evidence)
    # The evidence is of what was last planned; until that is confirmed, what was told before it stands.
    confirmed = record.confirmed_fingerprint is not None
    last = confirmed and record.wanted_fingerprint == record.confirmed_fingerprint
    told = kept["outcome"] if last else kept["told"]
    return Told.model_validate(told) if told else None


def evidence_of(one: Examined, told: Told | None) -> str:
    """What a record keeps: the outcome, what it was concluded from, and what was told before it."""
    outcome = Told.of(one.outcome).model_dump(mode="json") if one.outcome else None
    return canonical_json(
        {
            "outcome": outcome,
            "saw": dict(one.evidence),
            "told": told.model_dump(mode="json") if told else None,
        }
    ).decode()

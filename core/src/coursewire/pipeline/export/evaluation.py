"""One item or outcome on its way: the decisions about it, one after the other, until one of them ends the way.

A run, a plan and ``coursewire why`` all read these decisions, so that the explanation is of what a run does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from coursewire.model.identity import Identity
from coursewire.model.outcomes import LastReported, Outcome
from coursewire.model.payload import JsonObject, canonical_json
from coursewire.pipeline.export.prepared import Prepared
from coursewire.storage.audit.records import ContentRecord, OutcomeRecord, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from coursewire.model.content import ContentItem
    from coursewire.model.instant import Moment
    from coursewire.model.results import EnrollmentFacts, SubsectionFacts


class Decision(NamedTuple):
    """One decision on the way of an item or outcome.

    Attributes:
        name: The question that was decided, such as ``record`` or ``payload``.
        reason: The reason code of why the way ends here; "" when it goes on.
        message: More about the reason, for people.
        details: The facts that were looked at, as plain data.
    """

    name: str
    reason: str = ""
    message: str = ""
    details: Mapping[str, Any] = {}


@dataclass(slots=True, kw_only=True)
class Evaluation:
    """An item or outcome on its way.

    Attributes:
        record: Its record, a working copy.
        decisions: The decisions so far.
        body: Its payload.
        canonical: The payload as canonical JSON.
        fingerprint: The fingerprint of the payload, and of whatever else was sent with it.
        prepared: The end of the way: what is to be done.
    """

    record: Record
    decisions: list[Decision] = field(default_factory=list)
    body: JsonObject = field(default_factory=dict)
    canonical: bytes = b""
    fingerprint: str = ""
    prepared: Prepared | None = None

    @property
    def reason(self) -> str:
        """The reason code of why the way has ended; "" while it goes on."""
        return self.decisions[-1].reason if self.decisions else ""

    @property
    def title(self) -> str:
        """A name for people."""
        raise NotImplementedError

    def follow(self, way: Sequence[Callable[[Any], Decision]]) -> None:
        """Decide one thing after the other, until the way ends.

        Args:
            way: Functions of this evaluation, in the order in which they decide.
        """
        for decide in way:
            self.decisions.append(decide(self))
            if self.decisions[-1].reason:
                return


@dataclass(slots=True, kw_only=True)
class ContentEvaluation(Evaluation):
    """A content item on its way.

    Attributes:
        record: Its record, a working copy.
        why_evaluated: The reason code of why it is looked at.
        item: The item; None when the source does not give it, or it is taken away.
        version: The source's version of the item, "" when the source does not know it.
        given_key: The key that the LMS knows the item by; None when the channel's hook says it.
        moment: The run's "now" for the exporter.
    """

    record: ContentRecord
    why_evaluated: str
    item: ContentItem | None
    version: str = ""
    given_key: str | None = None
    moment: Moment

    @property
    def title(self) -> str:
        """The item's title."""
        return self.record.title


@dataclass(slots=True, kw_only=True)
class OutcomeEvaluation(Evaluation):
    """An outcome on its way.

    Attributes:
        record: Its record, a working copy.
        facts: Its enrollment.
        part: Its subsection; None where it is about the whole enrollment, or there is nothing to assess.
        before: The values of the record as they are stored; None when it is not stored.
        identity: The learner's id at the LMS.
        outcome: The outcome that would be reported.
        evidence: The facts that it was concluded from, as plain data.
        told: The record whose result the LMS was told last in the same line; None where no other enrollment feeds the
            line, or nothing was told.
    """

    record: OutcomeRecord
    facts: EnrollmentFacts
    part: SubsectionFacts | None
    before: tuple[Any, ...] | None
    identity: Identity | None = None
    outcome: Outcome | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    told: OutcomeRecord | None = None

    @property
    def overtakes(self) -> bool:
        """True when the LMS shows another enrollment's result in the same line."""
        return self.told is not None and self.told.key != self.record.key

    @property
    def title(self) -> str:
        """The learner, the course and the subsection."""
        names = [self.facts.learner.username, self.facts.course.title or self.record.course_key]
        return " · ".join([*names, self.part.subsection_name] if self.part else names)


snapshot = attrgetter(*(each.name for each in fields(OutcomeRecord)))
"""The values of a record, to see later whether they have changed."""


def last_reported(record: OutcomeRecord) -> LastReported | None:
    """Return what the LMS last confirmed of an outcome; None when it never did."""
    if record.confirmed_at is None or record.evidence is None:
        return None
    kept = orjson.loads(record.evidence)
    # The evidence is of what was last planned; until that is confirmed, what was reported before it stands.
    confirmed = record.confirmed_fingerprint is not None
    last = confirmed and record.wanted_fingerprint == record.confirmed_fingerprint
    reported = kept["outcome"] if last else kept["told"]
    return LastReported.model_validate(reported) if reported else None


def earlier_ids(one: OutcomeEvaluation) -> list[str]:
    """Return the ids under which the LMS was told of the learner in this outcome before, without the present one."""
    record = one.record
    kept = orjson.loads(record.evidence).get("earlier_ids", []) if record.evidence else []
    if record.confirmed_at is not None and record.remote_key:
        kept.append(record.remote_key)
    now = one.identity.value if one.identity else None
    return sorted({each for each in kept if each != now})


def result_at(one: OutcomeEvaluation) -> datetime | None:
    """Return the instant of an outcome's result: of the completion, and where there is none of the enrollment."""
    return getattr(one.outcome, "completed_at", None) or one.facts.created_at


def evidence_of(one: OutcomeEvaluation, before: LastReported | None) -> str:
    """Return what a record keeps as evidence, as JSON.

    Args:
        one: The evaluation, with the outcome and what it was concluded from.
        before: What was reported before it; None when nothing was.
    """
    outcome = LastReported.of(one.outcome).model_dump(mode="json") if one.outcome else None
    at = result_at(one)
    return canonical_json(
        {
            "at": at.isoformat() if at else None,
            "earlier_ids": earlier_ids(one),
            "outcome": outcome,
            "saw": dict(one.evidence),
            "told": before.model_dump(mode="json") if before else None,
        }
    ).decode()

"""Exporting outcomes: from enrollments to the completions, assessments and reports that need sending.

Every outcome is built afresh from the source and held against what the LMS last confirmed. What is decided on
the way is kept, so that ``coursewire why`` tells what a run does, not what it is thought to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from coursewire.model.configuration import Resend
from coursewire.model.identity import Identity, IdentityState
from coursewire.model.instant import Moment
from coursewire.model.kinds import Kind
from coursewire.model.outcomes import Assessment, Completion, EnrollmentReport, LastReported, Outcome
from coursewire.model.payload import Payload, canonical_json, digest
from coursewire.model.reasons import Reason
from coursewire.pipeline.export.content import export_context
from coursewire.pipeline.export.evaluation import (
    Decision,
    OutcomeEvaluation,
    earlier_ids,
    evidence_of,
    last_reported,
    snapshot,
)
from coursewire.pipeline.export.lines import Lines
from coursewire.pipeline.export.prepared import PAGE_ITEMS, NotBuiltError, Prepared, build
from coursewire.pipeline.rules.completion import judge
from coursewire.pipeline.rules.consent import gate
from coursewire.pipeline.rules.decide import compare_outcome, uncorrectable, unsettled, why_sent
from coursewire.pipeline.rules.identity import identify
from coursewire.storage.audit.records import OutcomeRecord
from coursewire.storage.audit.states import Event, State

if TYPE_CHECKING:
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import Customer
    from coursewire.model.results import EnrollmentFacts, SubsectionFacts
    from coursewire.plugins.registry import LoadedChannel
    from coursewire.sources.base import Source
    from coursewire.storage.audit.records import ContentRecords, Held, OutcomeRecords
    from coursewire.storage.identity_links import IdentityLinks

WHOLE = "*"
"""Subsection of the record that stands for an enrollment in which there is nothing to assess."""


class _Page(NamedTuple):
    """The rows of our own tables about a page of enrollments."""

    records: Mapping[str, list[OutcomeRecord]]
    links: Mapping[str, Identity]


@dataclass(slots=True)
class Notes:
    """Findings beside the outcomes; a run writes them down, a plan does not.

    Attributes:
        links: Username to what is to be stored as the learner's link.
        dropped: Keys of records that were never sent and now go by another key.
    """

    links: dict[str, Identity] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


class OutcomeExport:
    """The outcomes of one kind of one configuration at one moment.

    Args:
        kind: The kind of outcome.
        channel: The channel.
        config: The configuration's settings.
        customer: The customer whose enrollments are looked at.
        source: The source of the enrollments.
        records: The records of what the LMS was told.
        content: The records of the courses that the LMS has.
        links: The learners' ids at the LMS, as they are stored.
        now: The run's instant.
        force: Send what is unchanged, too, and heed no pause.

    Attributes:
        notes: The findings of the pages since it was last replaced.
        lines: The enrollment whose result stands where several feed one line at the LMS.
    """

    def __init__(
        self,
        *,
        kind: Kind,
        channel: LoadedChannel,
        config: ChannelConfig,
        customer: Customer,
        source: Source,
        records: OutcomeRecords,
        content: ContentRecords,
        links: IdentityLinks,
        now: datetime,
        force: bool = False,
    ) -> None:
        self.notes = Notes()
        self._kind = kind
        self._channel = channel
        self._can = channel.channel.capabilities
        self._config = config
        self._customer = customer
        self._source = source
        self._records = records
        self._content = content
        self._links = links
        self._now = now
        self._force = force
        self._context = export_context(channel, config)
        # Two pages are under way, and what is left of the page before waits for its batch to be full.
        kept = 4 * max(PAGE_ITEMS, channel.channel.limits.most_items(kind))
        self.lines = Lines(config.result_policy, records, kept)
        self._held: dict[str, Held | None] = {}  # grows to the keys of the courses, not of the enrollments
        self._way: tuple[Callable[[OutcomeEvaluation], Decision], ...] = (
            self._record,
            self._gates,
            self._identity,
            self._course,
            {
                Kind.COMPLETIONS: self._completion,
                Kind.ASSESSMENTS: self._assessment,
                Kind.ENROLLMENTS: self._enrollment,
            }[kind],
            self._payload,
        )

    async def pages(
        self, *, learner: str | None = None, course: str | None = None
    ) -> AsyncIterator[list[Prepared]]:
        """Look at every outcome of the customer, or of one learner and course, page by page.

        Raises:
            SourceError: The source could not answer.
        """
        async for page in self.evaluations(learner=learner, course=course):
            yield [one.prepared for one in page if one.prepared is not None]

    async def evaluations(
        self, *, learner: str | None = None, course: str | None = None
    ) -> AsyncIterator[list[OutcomeEvaluation]]:
        """Yield what :meth:`pages` yields, with the decisions that led there."""
        async for page in self._source.enrollments(
            self._customer.uuid,
            username=learner,
            course_run_key=course,
            with_subsections=self._kind.info.by_subsection,
            page_items=PAGE_ITEMS,
        ):
            yield await self._evaluate_page(page)

    async def _evaluate_page(self, page: Sequence[EnrollmentFacts]) -> list[OutcomeEvaluation]:
        known = await asyncio.to_thread(self._look_up, page)
        evaluated = await asyncio.to_thread(
            lambda: [self._evaluate(one, known) for facts in page for one in self._outcomes(facts, known)]
        )
        if self._kind is not Kind.ENROLLMENTS:  # to have joined one run says nothing about another
            siblings = await asyncio.to_thread(self.lines.siblings, evaluated)
            self.lines.settle(evaluated, siblings, refused=self._refused(evaluated))
        differing = [
            (one.told or one.record).key
            for one in evaluated
            if not one.reason
            and one.record.confirmed_at is not None
            and (one.overtakes or one.record.confirmed_fingerprint != one.fingerprint)
        ]
        confirmed = await asyncio.to_thread(self._records.confirmed_payloads, differing) if differing else {}
        for one in evaluated:
            if not one.reason:
                one.decisions.append(self._decide(one, confirmed.get((one.told or one.record).key)))
            one.prepared = self._plan(one)
            if one.prepared.payload is not None:
                self.lines.note_planned(one)
        return evaluated

    def _look_up(self, page: Sequence[EnrollmentFacts]) -> _Page:
        courses = {key for facts in page for key in _course_keys(facts)}
        unknown = sorted(courses - self._held.keys())
        if unknown:
            held = self._content.held(unknown)
            self._held.update((key, held.get(key)) for key in unknown)
        return _Page(
            self._records.of_enrollments([facts.id for facts in page]),
            self._links.fetch(sorted({facts.learner.username for facts in page})),
        )

    # -- which outcomes there are ----------------------------------------------------------------

    def _outcomes(self, facts: EnrollmentFacts, known: _Page) -> list[OutcomeEvaluation]:
        """Return the outcomes of an enrollment: one of it as a whole, or one for each subsection."""
        parts: Sequence[SubsectionFacts | None] = (None,)
        if self._kind.info.by_subsection and facts.subsections:
            parts = facts.subsections
        mine = known.records.get(facts.id, [])
        found = [self._outcome(facts, part, mine) for part in parts]
        used = {one.record.key for one in found}
        self.notes.dropped += [
            record.key for record in mine if record.key not in used and record.attempted_at is None
        ]
        return found

    def _outcome(
        self, facts: EnrollmentFacts, part: SubsectionFacts | None, mine: Sequence[OutcomeRecord]
    ) -> OutcomeEvaluation:
        subsection = part.subsection_id if part else WHOLE if self._kind.info.by_subsection else ""
        same = [record for record in mine if record.subsection == subsection]
        # The key under which it was first sent stays, whatever the catalogs say later.
        stored = next((record for record in same if record.attempted_at is not None), None)
        if stored is None:
            key = self._course_key(facts)
            stored = next((record for record in same if record.course_key == key), None)
            if stored is None:
                fresh = OutcomeRecord(
                    configuration=self._records.configuration,
                    kind=self._kind.value,
                    enrollment=facts.id,
                    course_key=key,
                    subsection=subsection,
                    username=facts.learner.username,
                )
                return OutcomeEvaluation(record=fresh, facts=facts, part=part, before=None)
        before = snapshot(stored)
        stored.username = facts.learner.username
        return OutcomeEvaluation(record=stored, facts=facts, part=part, before=before)

    def _course_key(self, facts: EnrollmentFacts) -> str:
        """Return the key that the LMS knows the course by: as it was sent, the course before the run."""
        keys = _course_keys(facts)
        held = next((held for key in keys if (held := self._held[key])), None)
        return held.remote_key if held else keys[0]

    # -- the way of one outcome ------------------------------------------------------------------

    def _evaluate(self, one: OutcomeEvaluation, known: _Page) -> OutcomeEvaluation:
        one.identity = known.links.get(one.facts.learner.username)
        one.follow(self._way)
        return one

    def _record(self, one: OutcomeEvaluation) -> Decision:
        record = one.record
        details = {"state": record.state.value, "attempts": record.attempts}
        return Decision("record", unsettled(record, force=self._force), record.message or "", details)

    def _gates(self, one: OutcomeEvaluation) -> Decision:
        consent = one.facts.consent
        details = {
            "consent": consent.state.value,
            "consent_at": consent.at.isoformat() if consent.at else None,
            "mode": one.facts.mode,
        }
        closed = gate(self._customer, one.facts, self._config, ended_too=self._kind.info.after_the_end)
        return Decision("permission", closed or "", details=details)

    def _identity(self, one: OutcomeEvaluation) -> Decision:
        learner, stored = one.facts.learner, one.identity
        found = identify(self._config, self._customer, learner, stored)
        if found != stored:
            self.notes.links[learner.username] = found
        one.identity = found
        reason = {
            IdentityState.LINKED: "",
            IdentityState.UNMATCHED: Reason.LEARNER_UNMATCHED,
            IdentityState.AMBIGUOUS: Reason.LEARNER_AMBIGUOUS,
        }[found.state]
        details: dict[str, Any] = {"id": found.value, "provider": found.provider, "origin": found.origin}
        message = ""
        if earlier := earlier_ids(one):
            details["earlier_ids"] = ", ".join(earlier)
            message = (
                f"The LMS was told of this learner as {details['earlier_ids']} before, and that stays there: where it is "
                "another account, take the result away in the LMS by hand."
            )
        return Decision("identity", reason, message, details)

    def _course(self, one: OutcomeEvaluation) -> Decision:
        there = any((held := self._held[key]) and held.present for key in _course_keys(one.facts))
        never = not any(self._held[key] for key in _course_keys(one.facts))
        missing = (self._can.outcomes_need_content and not there) or (self._can.mapped_keys and never)
        details = {"key": one.record.course_key, "sent": there}
        return Decision("course", Reason.COURSE_NOT_AT_LMS if missing else "", details=details)

    def _completion(self, one: OutcomeEvaluation) -> Decision:
        facts = one.facts
        judgement = judge(self._config.completion_policy, facts, Moment(self._now))
        one.evidence = judgement.evidence
        details = {**judgement.evidence, "verdict": judgement.verdict.value}
        if judgement.reason:
            return Decision("rule", judgement.reason, judgement.message, details)
        reported = last_reported(one.record)
        wanted = judgement.complete or (self._config.send_in_progress and self._can.in_progress.usable)
        if not wanted and not (reported and reported.complete):
            return Decision("rule", Reason.NOT_COMPLETE, details=details)
        return self._made(
            one,
            lambda: Completion(
                **self._common(one),
                verdict=judgement.verdict,
                complete=judgement.complete,
                completed_at=judgement.completed_at,
                percent=judgement.percent,
                total_hours=facts.course.estimated_hours,
            ),
            details,
        )

    def _assessment(self, one: OutcomeEvaluation) -> Decision:
        part = one.part
        if part is None:
            return Decision("rule", Reason.NOT_ATTEMPTED, "the course has nothing to assess")
        earned = None if part.points_earned is None else str(part.points_earned)
        details = {"attempted": part.attempted, "earned": earned, "possible": str(part.points_possible)}
        one.evidence = details
        if not part.attempted:
            return Decision("rule", Reason.NOT_ATTEMPTED, details=details)
        if part.points_earned is None or not part.points_possible:
            return Decision("rule", Reason.GRADE_UNKNOWN, details=details)
        points_earned = part.points_earned
        return self._made(
            one,
            lambda: Assessment(
                **self._common(one),
                subsection_id=part.subsection_id,
                subsection_name=part.subsection_name,
                percent=points_earned / part.points_possible,
                points_earned=points_earned,
                points_possible=part.points_possible,
            ),
            details,
        )

    def _enrollment(self, one: OutcomeEvaluation) -> Decision:
        facts = one.facts
        dates = {"enrolled_at": facts.created_at, "unenrolled_at": facts.unenrolled_at}
        details = {name: date.isoformat() if date else None for name, date in dates.items()}
        one.evidence = {"active": facts.is_active, **details}
        known = last_reported(one.record) is not None or one.record.present  # or it may know
        if not facts.is_active and not known:
            return Decision("rule", Reason.UNENROLLED, details=one.evidence)
        return self._made(
            one,
            lambda: EnrollmentReport(**self._common(one), mode=facts.mode, active=facts.is_active, **dates),
            one.evidence,
        )

    def _common(self, one: OutcomeEvaluation) -> dict[str, Any]:
        facts = one.facts
        assert one.identity is not None
        return {
            "enrollment_id": facts.id,
            "username": facts.learner.username,
            "email": facts.learner.email,
            "remote_id": one.identity.value,
            "course_key": one.record.course_key,
            "course_run_key": facts.course.run_key,
            "remote_id_origin": one.identity.origin,
            "content_key": facts.course.course_key,
            "course": facts.course.details,
        }

    def _made(
        self,
        one: OutcomeEvaluation,
        make: Callable[[], Outcome],
        details: Mapping[str, Any],
    ) -> Decision:
        try:
            one.outcome = make()
        except ValidationError as error:
            wrong = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
            return Decision("rule", Reason.NOT_EXPORTABLE, wrong, details)
        return Decision("rule", details=details)

    def _payload(self, one: OutcomeEvaluation) -> Decision:
        hook_caller, config, outcome = self._channel.hook_caller, self._config, one.outcome
        assert outcome is not None
        assert one.identity is not None

        try:
            one.body, one.canonical = build(lambda: hook_caller.export_outcome(self._kind, config, outcome))
        except NotBuiltError as error:
            return Decision("payload", error.reason, error.message)
        # To whom it goes is part of what was sent, even where the payload does not say it.
        one.fingerprint = digest(canonical_json([one.identity.value]) + one.canonical)
        return Decision("payload", details={"fingerprint": one.fingerprint})

    # -- against what the LMS confirmed ----------------------------------------------------------

    def _compare(self, one: OutcomeEvaluation) -> Event | str:
        verdict = compare_outcome(
            one.record, one.fingerprint, context=self._context, now=self._now, force=self._force
        )
        if verdict == Reason.UNCHANGED and one.overtakes:
            return Event.PLAN_UPDATE  # the LMS had it before it was told of the other enrollment
        return verdict

    def _refused(self, page: Sequence[OutcomeEvaluation]) -> set[str]:
        """The keys of the outcomes that the LMS has refused as they are now."""
        waiting = [one for one in page if not one.reason and one.record.state is State.REJECTED]
        return {one.record.key for one in waiting if self._compare(one) == Reason.REJECTED_BEFORE}

    def _decide(self, one: OutcomeEvaluation, confirmed: Mapping[str, Any] | None) -> Decision:
        """Decide last whether it is sent: without a reason it is."""
        record = one.record
        verdict = self._compare(one)
        if not isinstance(verdict, Event):
            return Decision("comparison", verdict, record.message or "")
        before = last_reported(one.told or record)
        details = {"last_reported": before.model_dump(mode="json") if before else None}
        if not self._force and (confirmed is not None or one.overtakes):
            reason = self._resend(one, confirmed, before)
            if reason:
                return Decision("comparison", reason, details=details)
        return Decision("comparison", details=details)

    def _resend(
        self, one: OutcomeEvaluation, confirmed: Mapping[str, Any] | None, before: LastReported | None
    ) -> str:
        """Return why the LMS is not told again although the outcome has changed; "" when it is."""
        assert one.outcome is not None
        if confirmed is None:
            # The first news of this enrollment, in a line that the LMS has from another one.
            reason = uncorrectable(self._can, before, LastReported.of(one.outcome))
            return "" if reason == Reason.CANNOT_CORRECT else reason
        if not self._channel.hook_caller.should_transmit(self._config, one.outcome, confirmed, before):
            improved = self._config.resend_outcomes is Resend.IMPROVED
            return Reason.NOT_IMPROVED if improved else Reason.SENT_BEFORE
        if not one.outcome.corrects:
            return ""
        return uncorrectable(self._can, before, LastReported.of(one.outcome))

    def _plan(self, one: OutcomeEvaluation) -> Prepared:
        if one.reason:
            return self._left(one)
        record = one.record
        assert one.outcome is not None
        assert one.identity is not None
        reason = why_sent(record, force=self._force)
        before = last_reported(record)
        record.evidence = evidence_of(one, before)
        record.happen(Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE)
        record.wanted_fingerprint = one.fingerprint
        record.export_context = self._context
        record.not_before_at = None
        record.remote_key = one.identity.value or ""
        if one.told is not None:
            record.remote_id = (
                one.told.remote_id
            )  # the place at the LMS is the line's, and what we wrote there last
        assert record.operation is not None
        payload = Payload(
            record.key,
            record.operation,
            one.body,
            one.fingerprint,
            record.remote_key,
            record.remote_id,
            one.title,
        )
        return Prepared(record, payload, reason, canonical=one.canonical, title=one.title)

    def _left(self, one: OutcomeEvaluation) -> Prepared:
        record, last = one.record, one.decisions[-1]
        if last.name not in ("record", "comparison"):
            if record.state in (State.FAILED, State.BLOCKED, State.REJECTED):
                # What failed is not wanted any more as it was; it begins anew when it is.
                record.happen(Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE)
                record.not_before_at, record.attempts = None, 0
            record.reason, record.message = last.reason, last.message or None
        elif last.reason == Reason.UNCHANGED:
            if record.state is not State.CONFIRMED:
                record.happen(Event.KEEP)
                record.attempts = 0
            record.reason = record.message = None
        elif last.reason in _KEPT_REASONS:
            record.reason, record.message = last.reason, None
        if last.reason == Reason.COVERED:
            record.evidence = evidence_of(one, last_reported(record))
            record.wanted_fingerprint = one.fingerprint
        elif record.confirmed_at is None and one.evidence:
            record.evidence = evidence_of(one, None)
        changed = snapshot(record) != one.before
        return Prepared(record, None, last.reason, last.message, changed=changed, title=one.title)


_KEPT_REASONS = frozenset(
    {
        Reason.SENT_BEFORE,
        Reason.NOT_IMPROVED,
        Reason.CANNOT_CORRECT,
        Reason.CANNOT_LOWER,
        Reason.CANNOT_REVOKE,
    }
)
"""The LMS has an outcome that differs, and keeps it."""


def _course_keys(facts: EnrollmentFacts) -> list[str]:
    """Return the keys under which the course may have been sent, the likelier one first."""
    course = facts.course
    return [course.run_key] if course.course_key is None else [course.course_key, course.run_key]

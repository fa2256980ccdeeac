"""The job that sends one kind of outcome of one configuration: for everybody, or for one learner and course."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from coursewire.errors import SourceError
from coursewire.model.reasons import Reason
from coursewire.model.results import Consent, ConsentState
from coursewire.pipeline.export.outcomes import Notes, OutcomeExport
from coursewire.pipeline.job import Job
from coursewire.pipeline.plan import Plan
from coursewire.pipeline.rules.consent import consent_gate
from coursewire.storage.audit.records import ContentRecords, OutcomeRecord, OutcomeRecords
from coursewire.storage.identity_links import IdentityLinks

if TYPE_CHECKING:
    from coursewire.pipeline.export.lines import Lines
    from coursewire.pipeline.export.prepared import Prepared
    from coursewire.pipeline.transmit.run import Run, Target
    from coursewire.pipeline.transmit.send import LastLook

_UNKNOWN = Consent(ConsentState.UNKNOWN)


@dataclass
class OutcomeJob(Job):
    """A run of one kind of outcome of one configuration.

    A job for one learner runs under the same lease as one for everybody, so that no outcome is sent twice; it
    is refused, or waits ``wait_s``, while the other runs.

    Attributes:
        learner: Only this learner's outcomes, a username; None for everybody's.
        course: Only outcomes in this course run, or in any run of this course; None for all courses.
    """

    learner: str | None = field(default=None, kw_only=True)
    course: str | None = field(default=None, kw_only=True)
    _lines: Lines | None = field(default=None, init=False, repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """The options that it was asked for with. The learner's name is left out, so that it need not be forgotten here."""
        return {"force": self.force, "one_learner": self.learner is not None, "course": self.course}

    @property
    def records(self) -> OutcomeRecords:
        """The records of what the LMS was told."""
        return OutcomeRecords(self.installation.engine, self.configuration.uuid, self.kind)

    def export(self, target: Target) -> OutcomeExport:
        """Return the export that holds the enrollments against the records."""
        installation, uuid = self.installation, self.configuration.uuid
        return OutcomeExport(
            kind=self.kind,
            channel=target.channel,
            config=target.config,
            customer=target.customer,
            source=installation.source,
            records=self.records,
            content=ContentRecords(installation.engine, uuid),
            links=IdentityLinks(installation.engine, uuid),
            now=installation.clock(),
            force=self.force,
        )

    def refusal(self, target: Target) -> str:
        """Return why no learner is looked at: the settings forbid it, or the channel does not take the kind."""
        if target.config.disable_learner_data_transmissions:
            return Reason.LEARNER_DATA_DISABLED
        return super().refusal(target)

    async def plan(self) -> Plan:
        """Plan what :meth:`run` would do; see :meth:`Job.plan`."""
        plan = await super().plan()
        counts = await asyncio.to_thread(self.records.counts)
        return replace(plan, present=sum(count for _state, _reason, there, count in counts if there))

    async def _evaluate(self, target: Target, *, write: bool) -> Plan:
        export, records = self.export(target), self.records
        self._lines = export.lines
        pages = export.pages(learner=self.learner, course=self.course)
        if write:
            pages = self._noted(pages, export, records)
        return Plan(self.configuration, self.kind, prepared=pages, records=records)

    async def _noted(
        self, pages: AsyncIterator[list[Prepared]], export: OutcomeExport, records: OutcomeRecords
    ) -> AsyncIterator[list[Prepared]]:
        """Yield the pages, each after what was found out beside its items is stored."""
        links = IdentityLinks(self.installation.engine, self.configuration.uuid)
        async for page in pages:
            notes, export.notes = export.notes, Notes()
            if notes.links:
                await asyncio.to_thread(links.save, notes.links, now=self.installation.clock())
            if notes.dropped:
                await asyncio.to_thread(records.drop, notes.dropped)
            yield page

    def _last_look(self, run: Run) -> LastLook:
        return partial(self._must_stay, run)

    async def _must_stay(self, run: Run, items: Sequence[Prepared]) -> Mapping[str, str]:
        """Return the reasons, by key, of those that must stay although they were planned."""
        overtaken = self._lines.overtaken if self._lines else set()
        covered = {item.record.key for item in items} & overtaken
        withdrawn = await self._consents_withdrawn(run, [i for i in items if i.record.key not in covered])
        return {**withdrawn, **dict.fromkeys(covered, Reason.COVERED)}

    async def _consents_withdrawn(self, run: Run, items: Sequence[Prepared]) -> Mapping[str, str]:
        """Ask for consent once more, right before these leave: key to reason of those that must stay."""
        enrollments = {item.record.key: _enrollment(item) for item in items}
        try:
            consents = await self.installation.source.consents(sorted(set(enrollments.values())))
        except SourceError as error:
            # Without an answer nothing leaves, and the next window would not get one either.
            run.summary.source_failures["consent"] = str(error)
            run.stop.set(Reason.WAITING_FOR_SOURCE, message=str(error))
            return dict.fromkeys(enrollments, Reason.WAITING_FOR_SOURCE)
        closed = {
            key: consent_gate(run.target.customer, consents.get(enrollment, _UNKNOWN))
            for key, enrollment in enrollments.items()
        }
        return {key: reason for key, reason in closed.items() if reason}


def _enrollment(item: Prepared) -> str:
    assert isinstance(item.record, OutcomeRecord)
    return item.record.enrollment

"""One job of one kind of outcome: for everybody, or for one learner and course."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from coursewire.errors import SourceError
from coursewire.model.reasons import Reason
from coursewire.model.results import Consent, ConsentState
from coursewire.pipeline.export.outcomes import Notes, OutcomeExport
from coursewire.pipeline.job import Job, Ready, Run
from coursewire.pipeline.plan import PlanItem, plan_pages
from coursewire.pipeline.rules.consent import consent_gate
from coursewire.storage.audit.records import ContentRecords, OutcomeRecord, OutcomeRecords
from coursewire.storage.identity_links import IdentityLinks

if TYPE_CHECKING:
    from coursewire.pipeline.export.prepared import Prepared
    from coursewire.pipeline.summary import Summary

_UNKNOWN = Consent(ConsentState.UNKNOWN)


class OutcomePlan(NamedTuple):
    """What an outcome job would do.

    Attributes:
        reason: Why it would not look at anything at all, a reason code; "" when it would.
        pages: The items, page by page.
    """

    reason: str
    pages: AsyncIterator[list[PlanItem]]


@dataclass(slots=True)
class OutcomeJob(Job):
    """The outcomes of one kind of one configuration.

    A job for one learner runs under the same lease as one for everybody, so that no outcome is sent twice; it
    is refused, or waits ``wait_s``, while the other runs.

    Attributes:
        learner: Only this learner's, a username.
        course: Only those in this course run, or in any run of this course.
    """

    learner: str | None = field(default=None, kw_only=True)
    course: str | None = field(default=None, kw_only=True)

    @property
    def options(self) -> dict[str, Any]:
        """How it was asked for; the learner's name is left out, so that it need not be forgotten here."""
        return {"force": self.force, "one_learner": self.learner is not None, "course": self.course}

    async def plan(self) -> OutcomePlan:
        """What :meth:`run` would do, read only."""
        ready = await self.prepare()
        reason = self.refusal(ready)
        export = self.export(ready)
        pages = _no_pages() if reason else export.pages(learner=self.learner, course=self.course)
        return OutcomePlan(reason, plan_pages(pages, self.records()))

    def export(self, ready: Ready) -> OutcomeExport:
        """What the run looks at enrollments with."""
        installation, uuid = self.installation, self.configuration.uuid
        return OutcomeExport(
            kind=self.kind,
            channel=ready.channel,
            config=ready.config,
            customer=ready.customer,
            source=installation.source,
            records=self.records(),
            content=ContentRecords(installation.engine, uuid),
            links=IdentityLinks(installation.engine, uuid),
            now=installation.clock(),
            force=self.force,
        )

    def records(self) -> OutcomeRecords:
        """What the LMS was told."""
        return OutcomeRecords(self.installation.engine, self.configuration.uuid, self.kind)

    def refusal(self, ready: Ready) -> str:
        """Why no learner is looked at: the configuration forbids it, or the channel does not take the kind."""
        if ready.config.disable_learner_data_transmissions:
            return Reason.LEARNER_DATA_DISABLED
        return super(OutcomeJob, self).refusal(ready)

    async def _look_only(self, ready: Ready, summary: Summary) -> None:
        export = self.export(ready)
        await self._count_only(export.pages(learner=self.learner, course=self.course), summary)

    async def _transmit(self, run: Run) -> None:
        records = self.records()
        await self._settle(run, records)
        pages = self._noted(self.export(run.ready), records)
        await self._send(run, records, pages, last_look=partial(self._last_look, run), exhaust=True)

    async def _noted(self, export: OutcomeExport, records: OutcomeRecords) -> AsyncIterator[list[Prepared]]:
        """The pages, after what was found out beside them is written down."""
        links = IdentityLinks(self.installation.engine, self.configuration.uuid)
        async for page in export.pages(learner=self.learner, course=self.course):
            notes, export.notes = export.notes, Notes()
            if notes.links:
                await asyncio.to_thread(links.save, notes.links, now=self.installation.clock())
            if notes.dropped:
                await asyncio.to_thread(records.drop, notes.dropped)
            yield page

    async def _last_look(self, run: Run, items: Sequence[Prepared]) -> Mapping[str, str]:
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
            key: consent_gate(run.ready.customer, consents.get(enrollment, _UNKNOWN))
            for key, enrollment in enrollments.items()
        }
        return {key: reason for key, reason in closed.items() if reason}


def _enrollment(item: Prepared) -> str:
    assert isinstance(item.record, OutcomeRecord)
    return item.record.enrollment


async def _no_pages() -> AsyncIterator[list[Prepared]]:
    no_pages: Sequence[list[Prepared]] = ()
    for page in no_pages:
        yield page

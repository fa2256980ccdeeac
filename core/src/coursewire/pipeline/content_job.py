"""One content job: from lease to summary."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coursewire.model.payload import Kind
from coursewire.pipeline.export.catalogs import Wanted
from coursewire.pipeline.export.content import ContentExport, Survey
from coursewire.pipeline.job import Job, Ready, Run
from coursewire.pipeline.plan import PlanItem, plan_pages
from coursewire.pipeline.rules.guard import Guard
from coursewire.pipeline.summary import Summary
from coursewire.storage.audit.records import ContentRecords
from coursewire.storage.feed import Feed
from coursewire.storage.key_map import KeyMap

if TYPE_CHECKING:
    from coursewire.pipeline.transmit.send import Stop
    from coursewire.storage.locks.leases import Lease


@dataclass(slots=True)
class ContentJob(Job):
    """The content of one configuration.

    Attributes:
        confirm_retire: How many retirements a person agreed to; None when nobody was asked.
    """

    kind: Kind = field(default=Kind.CONTENT, init=False)
    confirm_retire: int | None = field(default=None, kw_only=True)

    @property
    def options(self) -> dict[str, Any]:
        """How it was asked for."""
        return {"force": self.force, "confirm_retire": self.confirm_retire}

    async def plan(self) -> tuple[Survey, AsyncIterator[list[PlanItem]]]:
        """What :meth:`run` would do, read only."""
        ready = await self.prepare()
        export, records = self.export(ready)
        survey = Survey(Wanted(())) if self.refusal(ready) else await export.survey()
        return survey, plan_pages(export.pages(survey), records)

    def export(self, ready: Ready) -> tuple[ContentExport, ContentRecords]:
        """What the run looks at items with, and their records."""
        engine, uuid = self.installation.engine, self.configuration.uuid
        records = ContentRecords(engine, uuid)
        can = ready.channel.channel.capabilities
        export = ContentExport(
            channel=ready.channel,
            config=ready.config,
            customer=self.configuration.customer,
            source=self.installation.source,
            records=records,
            now=self.installation.clock(),
            force=self.force,
            feed=Feed(engine, uuid) if can.delivery == "pull" else None,
            key_map=KeyMap(engine, uuid) if can.mapped_keys else None,
        )
        return export, records

    async def _look_only(self, ready: Ready, summary: Summary) -> None:
        export, _records = self.export(ready)
        survey = await self._survey(export, summary)
        await self._count_only(export.pages(survey), summary)

    async def _connect(self, ready: Ready, lease: Lease, summary: Summary, stop: Stop) -> None:
        if ready.channel.channel.capabilities.delivery == "push":
            await Job._connect(self, ready, lease, summary, stop)
        else:
            await self._offer(ready, lease, summary, stop)

    async def _offer(self, ready: Ready, lease: Lease, summary: Summary, stop: Stop) -> None:
        """Lay ready what an LMS that fetches by itself is to have; nothing is asked of the LMS."""
        from coursewire.pipeline.transmit.publish import Publisher  # noqa: PLC0415

        export, _records = self.export(ready)
        survey = await self._survey(export, summary)
        total = len(survey.examine) + len(survey.retire) + len(survey.withdraw)
        done = 0

        def progress(count: int) -> None:
            nonlocal done
            done += count
            self.progress(self.kind.value, done, total)

        progress(0)
        offerer = Publisher(
            channel=ready.channel,
            feed=Feed(self.installation.engine, self.configuration.uuid),
            job=self.uuid,
            job_facts=self.facts,
            lease=lease,
            clock=self.installation.clock,
            summary=summary,
            stop=stop,
            progress=progress,
        )
        await offerer.offer(export.pages(survey))
        if stop:
            summary.leave(str(stop.reason), total - done)

    async def _transmit(self, run: Run) -> None:
        export, records = self.export(run.ready)
        await self._settle(run, records)
        summary, stop = run.summary, run.stop
        survey = await self._survey(export, summary)
        total = len(survey.examine) + len(survey.retire) + len(survey.withdraw)
        done = await self._send(run, records, export.pages(survey), total=total)
        if stop:
            # What no page has reached stays as it is; the next run takes it up.
            summary.leave(str(stop.reason), total - done)

    async def _survey(self, export: ContentExport, summary: Summary) -> Survey:
        survey = await export.survey()
        self.check_guard(survey)
        for reason, count in survey.left.items():
            summary.leave(reason, count)
        summary.source_failures.update(survey.wanted.failures)
        return survey

    def check_guard(self, survey: Survey) -> None:
        """Stop a run that would retire more than the settings allow.

        Raises:
            GuardError: It needs a person's yes.
        """
        settings = self.installation.settings
        guard = Guard(settings.guard_share, settings.guard_number, settings.guard_floor)
        retiring = len(survey.retire)
        guard.check(
            retiring,
            survey.present,
            confirmed=self.confirm_retire,
            where=self.where,
            how=f"coursewire transmit content --config {self.configuration.uuid} --confirm-retire {retiring}",
        )

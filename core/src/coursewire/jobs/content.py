"""One content job: from lease to summary."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from coursewire.audit.records import ContentRecords
from coursewire.export.content import ContentExport, Survey
from coursewire.export.guard import Guard
from coursewire.export.wanted import Wanted
from coursewire.jobs.job import Job, Ready, Run
from coursewire.model.payload import Kind
from coursewire.transmit.plan import PlanItem, plan_pages
from coursewire.transmit.summary import Summary


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
        records = ContentRecords(self.installation.engine, self.configuration.uuid)
        export = ContentExport(
            channel=ready.channel,
            config=ready.config,
            customer=self.configuration.customer,
            source=self.installation.source,
            records=records,
            now=self.installation.clock(),
            force=self.force,
        )
        return export, records

    async def _look_only(self, ready: Ready, summary: Summary) -> None:
        export, _records = self.export(ready)
        survey = await self._survey(export, summary)
        await self._count_only(export.pages(survey), summary)

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

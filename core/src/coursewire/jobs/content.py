"""One content job: from lease to summary."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coursewire.audit import jobs as job_log
from coursewire.audit.jobs import JobState
from coursewire.audit.records import ContentRecords
from coursewire.errors import ConfigurationError, CoursewireError, GuardError
from coursewire.export.content import ContentExport, Survey
from coursewire.export.guard import Guard
from coursewire.model.payload import Kind
from coursewire.model.reasons import Reason
from coursewire.transmit.plan import PlanItem, plan_pages
from coursewire.transmit.summary import Summary

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.audit.leases import Lease
    from coursewire.channels.registry import LoadedChannel
    from coursewire.config.configuration import Configuration
    from coursewire.jobs.installation import Installation
    from coursewire.model.configuration import ChannelConfig
    from coursewire.transmit.send import Stop

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with (phase, done, total)."""


def no_progress(_phase: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(slots=True)
class ContentJob:
    """What to transmit, and how.

    Attributes:
        configuration: The stored configuration.
        force: Send everything that is wanted, changed or not, and heed no pause.
        confirm_retire: How many retirements a person agreed to; None when nobody was asked.
        actor: Who asked for it.
        uuid: Of the job.
    """

    installation: Installation
    configuration: Configuration
    force: bool = False
    confirm_retire: int | None = None
    actor: str = "command"
    progress: Progress = no_progress
    uuid: UUID = field(default_factory=uuid.uuid4)

    @property
    def where(self) -> str:
        """Channel and configuration, for messages."""
        return f"{self.configuration.channel}, configuration {self.configuration.uuid}"

    @property
    def facts(self) -> dict[str, Any]:
        """What operators' hooks are told about the job."""
        return {
            "uuid": str(self.uuid),
            "kind": Kind.CONTENT.value,
            "configuration": str(self.configuration.uuid),
            "channel": self.configuration.channel,
            "customer": self.configuration.customer,
        }

    async def plan(self) -> tuple[Survey, AsyncIterator[list[PlanItem]]]:
        """What :meth:`run` would do, read only."""
        channel, config = await self._prepare()
        export, records = self._export(channel, config)
        survey = await export.survey()
        return survey, plan_pages(export, survey, records)

    async def run(self, stop: Stop) -> Summary:
        """Transmit. Whatever goes wrong with single items is in the summary.

        Args:
            stop: Set it to end the run after the requests that are under way.

        Raises:
            LeaseHeldError: Another run of this job is under way.
            GuardError: It would retire too much; nothing was sent.
            ConfigurationError: The configuration cannot run.
            SourceError: The source could not say what there is.
        """
        from coursewire.audit.leases import Lease  # noqa: PLC0415 - loads psutil

        channel, config = await self._prepare()
        installation = self.installation
        with Lease.acquire(
            installation.engine,
            f"{Kind.CONTENT}:{self.configuration.uuid}",
            owner=str(self.uuid),
            ttl_s=installation.settings.lease_seconds,
            clock=installation.clock,
        ) as lease:
            started = time.monotonic()
            await asyncio.to_thread(self._note_start)
            channel.relay.job_started(self.facts)
            summary = Summary()
            state, error = JobState.FAILED, None
            try:
                await self._transmit(channel, config, lease, summary, stop)
                state = JobState.STOPPED if stop.reason == Reason.STOPPED else JobState.FINISHED
                if summary.error:
                    state = JobState.FAILED
            except (GuardError, asyncio.CancelledError) as stopped:
                state, error = JobState.STOPPED, str(stopped) or "cancelled"
                raise
            except CoursewireError as failure:
                error = str(failure)
                raise
            finally:
                summary.seconds = time.monotonic() - started
                summary.error = summary.error or error
                await asyncio.to_thread(self._note_end, state, summary)
                channel.relay.job_finished(self.facts, summary.as_dict())
        return summary

    async def _prepare(self) -> tuple[LoadedChannel, ChannelConfig]:
        installation = self.installation
        installation.channels.check_hooks()
        channel = installation.channels.get(self.configuration.channel)
        runnable = await asyncio.to_thread(
            installation.configurations.runnable,
            {channel.channel.code: channel.channel},
            uuids=[self.configuration.uuid],
        )
        for refused in runnable.refused:
            raise refused.error
        (ready,) = runnable.ready
        customer = await installation.source.customer(self.configuration.customer)
        if customer is None:
            raise ConfigurationError(
                f"customer {self.configuration.customer} is not known to the source",
                where=self.where,
                next_step="Load the customer (`coursewire load BUNDLE`), or remove the configuration.",
            )
        if not customer.active:
            raise ConfigurationError(
                f"customer {customer.name or customer.uuid} is not active",
                where=self.where,
                why="nothing is sent for inactive customers",
                next_step="Activate the customer at the source, or deactivate the configuration.",
            )
        return channel, ready.config

    def _export(self, channel: LoadedChannel, config: ChannelConfig) -> tuple[ContentExport, ContentRecords]:
        records = ContentRecords(self.installation.engine, self.configuration.uuid)
        export = ContentExport(
            channel=channel,
            config=config,
            customer=self.configuration.customer,
            source=self.installation.source,
            records=records,
            now=self.installation.clock(),
            force=self.force,
        )
        return export, records

    async def _transmit(
        self, channel: LoadedChannel, config: ChannelConfig, lease: Lease, summary: Summary, stop: Stop
    ) -> None:
        from coursewire.transmit.send import Sender  # noqa: PLC0415
        from coursewire.transmit.settle import settle  # noqa: PLC0415

        export, records = self._export(channel, config)
        installation = self.installation
        if config.dry_run_mode_enabled:
            await self._count_only(export, summary)
            return
        async with installation.session(channel, config, self.configuration.uuid) as session:
            await settle(channel, session, records, kind=Kind.CONTENT, clock=installation.clock)
            survey = await export.survey()
            self.check_guard(survey)
            for reason, count in survey.left.items():
                summary.leave(reason, count)
            summary.source_failures.update(survey.wanted.failures)
            total = len(survey.examine) + len(survey.retire) + len(survey.withdraw)
            done = 0

            def progress(count: int) -> None:
                nonlocal done
                done += count
                self.progress("content", done, total)

            progress(0)
            sender = Sender(
                kind=Kind.CONTENT,
                channel=channel,
                config=config,
                records=records,
                session=session,
                job=self.uuid,
                job_facts=self.facts,
                lease=lease,
                clock=installation.clock,
                summary=summary,
                stop=stop,
                progress=progress,
            )
            try:
                await sender.send(export.pages(survey))
            finally:
                summary.requests = session.counters.requests
            if stop:
                # What no page has reached stays as it is; the next run takes it up.
                summary.leave(str(stop.reason), total - done)
                summary.wait_until(stop.retry_at)
        await asyncio.to_thread(self._note_credentials, summary, stop)

    async def _count_only(self, export: ContentExport, summary: Summary) -> None:
        """What a configuration that must not send would send, as waiting; no record changes."""
        survey = await export.survey()
        self.check_guard(survey)
        for reason, count in survey.left.items():
            summary.leave(reason, count)
        summary.source_failures.update(survey.wanted.failures)
        async for page in export.pages(survey):
            for item in page:
                summary.leave(item.reason if item.payload is None else Reason.DRY_RUN)

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

    def _note_start(self) -> None:
        job_log.start(
            self.installation.engine,
            self.uuid,
            kind=Kind.CONTENT,
            configuration=self.configuration.uuid,
            actor=self.actor,
            options={"force": self.force, "confirm_retire": self.confirm_retire},
            now=self.installation.clock(),
        )

    def _note_end(self, state: JobState, summary: Summary) -> None:
        job_log.finish(
            self.installation.engine,
            self.uuid,
            state=state,
            summary=summary.as_dict(),
            error=summary.error,
            now=self.installation.clock(),
        )

    def _note_credentials(self, summary: Summary, stop: Stop) -> None:
        configurations = self.installation.configurations
        if stop.reason == Reason.CREDENTIALS_BROKEN:
            summary.error = stop.message
            configurations.mark_needs_reconnect(self.configuration.uuid, stop.message)
        elif self.configuration.needs_reconnect_since is not None and summary.done.total():
            configurations.clear_reconnect(self.configuration.uuid)

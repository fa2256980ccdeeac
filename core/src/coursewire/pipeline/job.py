"""What jobs of every kind have in common: lease, job row, hooks, session, sending, summary, credentials."""

from __future__ import annotations

import asyncio
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coursewire.errors import ConfigurationError, CoursewireError, GuardError, LeaseHeldError
from coursewire.model.payload import Kind
from coursewire.model.reasons import Reason
from coursewire.observability.logs import log_about
from coursewire.observability.tracing import span
from coursewire.pipeline.summary import Summary
from coursewire.storage.audit import jobs as job_log
from coursewire.storage.audit.jobs import JobState

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from uuid import UUID

    from opentelemetry.trace import Span

    from coursewire.configurations.configuration import Configuration
    from coursewire.http.session import HttpSession
    from coursewire.installation import Installation
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import Customer
    from coursewire.pipeline.export.prepared import Prepared
    from coursewire.pipeline.transmit.send import LastLook, Stop
    from coursewire.plugins.registry import LoadedChannel
    from coursewire.storage.audit.records import Records
    from coursewire.storage.locks.leases import Lease

LEASE_POLL_S = 0.25
"""How often a lease is asked for while a run waits for it."""

Progress = Callable[[str, int, int], None]
"""Called with (phase, done, total); total is 0 while nobody knows it."""


def no_progress(_phase: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A configuration that may run."""

    channel: LoadedChannel
    config: ChannelConfig
    customer: Customer


@dataclass(frozen=True, slots=True)
class Run:
    """A job under way."""

    ready: Ready
    lease: Lease
    session: HttpSession
    summary: Summary
    stop: Stop


@dataclass(slots=True)
class Job(ABC):
    """One run of (kind, configuration).

    Attributes:
        configuration: The stored configuration.
        kind: What is transmitted.
        force: Send everything that is wanted, changed or not, and heed no pause.
        actor: Who asked for it.
        progress: Told how far it is.
        wait_s: Seconds to wait for another run of the same job to end; 0 refuses at once.
        uuid: Of the job.
    """

    installation: Installation
    configuration: Configuration
    kind: Kind
    force: bool = field(default=False, kw_only=True)
    actor: str = field(default="command", kw_only=True)
    progress: Progress = field(default=no_progress, kw_only=True)
    wait_s: float = field(default=0.0, kw_only=True)
    uuid: UUID = field(default_factory=uuid.uuid4, kw_only=True)

    @property
    def where(self) -> str:
        """Channel and configuration, for messages."""
        return f"{self.configuration.channel}, configuration {self.configuration.uuid}"

    @property
    def facts(self) -> dict[str, Any]:
        """What operators' hooks are told about the job."""
        return {
            "uuid": str(self.uuid),
            "kind": self.kind.value,
            "configuration": str(self.configuration.uuid),
            "channel": self.configuration.channel,
            "customer": self.configuration.customer,
        }

    @property
    @abstractmethod
    def options(self) -> dict[str, Any]:
        """How it was asked for, as the job's row keeps it. Never a person."""

    @abstractmethod
    async def _transmit(self, run: Run) -> None:
        """Find out what is to be sent, and send it."""

    @abstractmethod
    async def _look_only(self, ready: Ready, summary: Summary) -> None:
        """Count what a configuration that must not send would send, as waiting; no record changes."""

    def refusal(self, ready: Ready) -> str:
        """Why there is nothing to do at all, a reason code; "" when there may be."""
        takes = ready.channel.channel.capabilities.takes(self.kind)
        return "" if takes else Reason.KIND_NOT_SUPPORTED

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
        about = {name: value for name, value in self.facts.items() if name != "uuid"}
        with log_about(job=str(self.uuid), **about), self._span() as traced:
            summary = await self._run(stop)
            if traced is not None:
                for name, count in summary.as_dict().items():
                    if isinstance(count, int):
                        traced.set_attribute(f"coursewire.{name}", count)
            return summary

    def _span(self) -> AbstractContextManager[Span | None]:
        return span(
            f"job {self.kind}",
            coursewire__job=str(self.uuid),
            coursewire__kind=self.kind.value,
            coursewire__channel=self.configuration.channel,
            coursewire__configuration=str(self.configuration.uuid),
        )

    async def _run(self, stop: Stop) -> Summary:
        ready = await self.prepare()
        hook_caller = ready.channel.hook_caller
        with await self._acquire() as lease:
            started = time.monotonic()
            await asyncio.to_thread(self._note_start)
            hook_caller.job_started(self.facts)
            summary = Summary(reason=self.refusal(ready))
            state, error = JobState.FAILED, None
            try:
                if ready.config.dry_run_mode_enabled and not summary.reason:
                    await self._look_only(ready, summary)
                elif not summary.reason:
                    await self._connect(ready, lease, summary, stop)
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
                hook_caller.job_finished(self.facts, summary.as_dict())
        return summary

    async def prepare(self) -> Ready:
        """Make sure that the configuration may run.

        Raises:
            ConfigurationError: It may not.
            SourceError: The source could not say who the customer is.
        """
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
        return Ready(channel, ready.config, customer)

    async def _acquire(self) -> Lease:
        from coursewire.storage.locks.leases import Lease  # noqa: PLC0415 - loads psutil

        installation = self.installation
        give_up_at = time.monotonic() + self.wait_s
        while True:
            try:
                return await asyncio.to_thread(
                    Lease.acquire,
                    installation.engine,
                    f"{self.kind}:{self.configuration.uuid}",
                    owner=str(self.uuid),
                    ttl_s=installation.settings.lease_seconds,
                    clock=installation.clock,
                )
            except LeaseHeldError:
                if time.monotonic() >= give_up_at:
                    raise
            await asyncio.sleep(LEASE_POLL_S)

    async def _connect(self, ready: Ready, lease: Lease, summary: Summary, stop: Stop) -> None:
        installation = self.installation
        async with installation.session(ready.channel, ready.config, self.configuration.uuid) as session:
            try:
                await self._transmit(Run(ready, lease, session, summary, stop))
            finally:
                summary.requests = session.counters.requests
            summary.wait_until(stop.retry_at)
        await asyncio.to_thread(self._note_credentials, summary, stop)

    async def _count_only(self, pages: AsyncIterator[list[Prepared]], summary: Summary) -> None:
        async for page in pages:
            for item in page:
                summary.leave(item.reason if item.payload is None else Reason.DRY_RUN)

    async def _settle(self, run: Run, records: Records[Any]) -> None:
        from coursewire.pipeline.transmit.reconcile import settle  # noqa: PLC0415

        await settle(run.ready.channel, run.session, records, kind=self.kind, clock=self.installation.clock)

    async def _send(
        self,
        run: Run,
        records: Records[Any],
        pages: AsyncIterator[list[Prepared]],
        *,
        total: int = 0,
        last_look: LastLook | None = None,
        exhaust: bool = False,
    ) -> int:
        """Send what ``pages`` hold; returns how many items were dealt with."""
        from coursewire.pipeline.transmit.send import Sender  # noqa: PLC0415

        done = 0

        def progress(count: int) -> None:
            nonlocal done
            done += count
            self.progress(self.kind.value, done, total)

        progress(0)
        sender = Sender(
            kind=self.kind,
            channel=run.ready.channel,
            config=run.ready.config,
            records=records,
            session=run.session,
            job=self.uuid,
            job_facts=self.facts,
            lease=run.lease,
            clock=self.installation.clock,
            summary=run.summary,
            stop=run.stop,
            progress=progress,
            last_look=last_look,
            exhaust=exhaust,
        )
        await sender.send(pages)
        return done

    def _note_start(self) -> None:
        job_log.start(
            self.installation.engine,
            self.uuid,
            kind=self.kind,
            configuration=self.configuration.uuid,
            actor=self.actor,
            options=self.options,
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

"""One run of one kind for one configuration, from lease to summary: what jobs of every kind have in common."""

from __future__ import annotations

import asyncio
import time
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coursewire.errors import ConfigurationError, CoursewireError, GuardError, LeaseHeldError
from coursewire.model.kinds import Kind
from coursewire.model.reasons import Reason
from coursewire.observability.logs import log_about
from coursewire.observability.tracing import span
from coursewire.pipeline.plan import Plan
from coursewire.pipeline.summary import Summary
from coursewire.pipeline.transmit.run import Progress, Run, Stop, Target, no_progress
from coursewire.storage.audit import jobs as job_log
from coursewire.storage.audit.jobs import JobState
from coursewire.storage.audit.states import State
from coursewire.storage.locks.leases import Lease

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager
    from uuid import UUID

    from opentelemetry.trace import Span

    from coursewire.configurations.configuration import Configuration
    from coursewire.installation import Installation
    from coursewire.model.configuration import ChannelConfig
    from coursewire.pipeline.export.prepared import Prepared
    from coursewire.pipeline.transmit.send import LastLook
    from coursewire.storage.audit.records import Records

LEASE_POLL_S = 0.25
"""Seconds between the tries to take a lease, while a run waits for it."""

FRESH_S = 5.0
"""Seconds for which a configuration that was found fit to run is not asked for again."""


def take_up(run: Run, plan: Plan) -> AsyncIterator[list[Prepared]]:
    """Begin to carry out a plan: count what it leaves, and return the pages of the others.

    Raises:
        GuardError: The retirement guard stops the run.
    """
    if plan.guard is not None:
        raise plan.guard
    for reason, count in plan.left.items():
        run.summary.leave(reason, count)
    run.summary.source_failures.update(plan.failures)
    run.total = plan.total
    run.advance(0)
    return plan.prepared


@dataclass
class Job(ABC):
    """One run of (kind, configuration).

    Attributes:
        installation: The installation on which it works.
        configuration: The stored configuration.
        kind: The kind that is transmitted.
        force: Send everything that is wanted, changed or not, and heed no pause.
        actor: A name for who asked for it, for the log of jobs.
        progress: Told how far it is.
        wait_s: Seconds to wait for another run of the same job to end; 0 refuses at once.
        uuid: The job's own id.
    """

    installation: Installation
    configuration: Configuration
    kind: Kind
    force: bool = field(default=False, kw_only=True)
    actor: str = field(default="command", kw_only=True)
    progress: Progress = field(default=no_progress, kw_only=True)
    wait_s: float = field(default=0.0, kw_only=True)
    uuid: UUID = field(default_factory=uuid.uuid4, kw_only=True)
    _target: Target | None = field(default=None, init=False, repr=False)
    _config: ChannelConfig | None = field(default=None, init=False, repr=False)
    _fresh_until: float = field(default=0.0, init=False, repr=False)

    @property
    def where(self) -> str:
        """Channel and configuration, for messages."""
        return f"{self.configuration.channel}, configuration {self.configuration.uuid}"

    @property
    def facts(self) -> dict[str, Any]:
        """The facts about the job that operators' hooks are told."""
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
        """The options that it was asked for with, as the job's row keeps them. Never a person."""

    @property
    @abstractmethod
    def records(self) -> Records[Any]:
        """The records of what the LMS holds, or was told."""

    @abstractmethod
    async def _evaluate(self, target: Target, *, write: bool) -> Plan:
        """Plan the run of a configuration that may run and takes the kind.

        Args:
            target: The configuration, its channel and customer.
            write: Also store what is found out beside the items, such as learners' links.
        """

    def _last_look(self, run: Run) -> LastLook | None:
        """Return the question that is asked right before items leave; None when there is none."""
        return None

    def refusal(self, target: Target) -> str:
        """Return the reason code of why there is nothing to do at all; "" when there may be something."""
        takes = target.channel.channel.capabilities.takes(self.kind)
        return "" if takes else Reason.KIND_NOT_SUPPORTED

    def note_fit(self, config: ChannelConfig) -> None:
        """Take note that the configuration has just been found fit to run, so that it is not asked for again.

        Args:
            config: Its validated settings, secrets filled in.
        """
        self._config, self._fresh_until = config, time.monotonic() + FRESH_S

    async def plan(self) -> Plan:
        """Plan what :meth:`run` would do. Nothing is written and nothing is sent.

        Raises:
            ConfigurationError: The configuration cannot run.
            SourceError: The source could not say what there is.
        """
        target = await self.prepare()
        if reason := self.refusal(target):
            return Plan(self.configuration, self.kind, reason=reason)
        return await self._evaluate(target, write=False)

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

    async def prepare(self) -> Target:
        """Make sure that the configuration may run.

        Raises:
            ConfigurationError: It may not.
            SourceError: The source could not say who the customer is.
        """
        fresh = time.monotonic() < self._fresh_until
        if fresh and self._target is not None:
            return self._target
        installation = self.installation
        installation.channels.check_hooks()
        channel = installation.channels.get(self.configuration.channel)
        if self._config is None or not fresh:
            runnable = await asyncio.to_thread(
                installation.configurations.runnable,
                {channel.channel.code: channel.channel},
                uuids=[self.configuration.uuid],
            )
            for refused in runnable.refused:
                raise refused.error
            (ready,) = runnable.ready
            self.note_fit(ready.config)
        assert self._config is not None
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
        self._target = Target(channel, self._config, customer)
        return self._target

    # -- a run, step by step ---------------------------------------------------------------------

    async def _run(self, stop: Stop) -> Summary:
        target = await self.prepare()
        hook_caller = target.channel.hook_caller
        with await self._acquire() as lease:
            started = time.monotonic()
            await asyncio.to_thread(self._note_start)
            hook_caller.job_started(self.facts)
            summary = Summary(reason=self.refusal(target))
            run = Run(
                job=self.uuid,
                kind=self.kind,
                facts=self.facts,
                target=target,
                lease=lease,
                clock=self.installation.clock,
                summary=summary,
                stop=stop,
                progress=self.progress,
            )
            state, error = JobState.FAILED, None
            try:
                if target.config.dry_run_mode_enabled and not summary.reason:
                    await self._count(run)
                elif not summary.reason:
                    await self._transmit(run)
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

    async def _transmit(self, run: Run) -> None:
        """Settle what an earlier run left open, plan, and send what the plan holds."""
        from coursewire.pipeline.transmit.reconcile import reconcile  # noqa: PLC0415 - loads the toolkit
        from coursewire.pipeline.transmit.send import Sender  # noqa: PLC0415

        uuid = self.configuration.uuid
        async with self.installation.session(run.channel, run.config, uuid) as session:
            session.before_request = run.lease.check
            try:
                records = self.records
                await reconcile(run, session, records)
                plan = await self._evaluate(run.target, write=True)
                pages = take_up(run, plan)
                await Sender(run, session, records, last_look=self._last_look(run)).send(pages)
                run.leave_rest()
                run.summary.in_doubt = await asyncio.to_thread(records.count_in, State.IN_DOUBT)
            finally:
                run.summary.requests = session.counters.requests
            run.summary.wait_until(run.stop.retry_at)
        welcome = bool(session.counters.successes)
        await asyncio.to_thread(self._note_credentials, run.summary, run.stop, welcome=welcome)

    async def _count(self, run: Run) -> None:
        """Count what a configuration that must not send would send, as waiting; no record changes."""
        plan = await self._evaluate(run.target, write=False)
        async for page in take_up(run, plan):
            for item in page:
                run.summary.leave(item.reason if item.payload is None else Reason.DRY_RUN)

    async def _acquire(self) -> Lease:
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

    def _span(self) -> AbstractContextManager[Span | None]:
        return span(
            f"job {self.kind}",
            coursewire__job=str(self.uuid),
            coursewire__kind=self.kind.value,
            coursewire__channel=self.configuration.channel,
            coursewire__configuration=str(self.configuration.uuid),
        )

    # -- what is written down about the job ------------------------------------------------------

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

    def _note_credentials(self, summary: Summary, stop: Stop, *, welcome: bool) -> None:
        configurations, uuid = self.installation.configurations, self.configuration.uuid
        if stop.reason == Reason.CONFIGURATION_REFUSED:
            summary.error = stop.message
        if stop.reason == Reason.CREDENTIALS_BROKEN:
            summary.error = stop.message
            if stop.needs_person:
                configurations.mark_needs_reconnect(uuid, stop.message)
            else:
                configurations.mark_failing(uuid, stop.message)
        elif welcome or summary.done.total():
            found = configurations.get(uuid)
            if found.needs_reconnect_since is not None or found.failing_since is not None:
                configurations.clear_reconnect(uuid)

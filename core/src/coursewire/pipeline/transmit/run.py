"""One run under way: the context that a job shares with whatever sends or publishes for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from coursewire.model.kinds import Kind

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import Customer
    from coursewire.model.instant import Clock
    from coursewire.pipeline.summary import Summary
    from coursewire.plugins.registry import LoadedChannel
    from coursewire.storage.locks.leases import Lease

Progress = Callable[[str, int, int], None]
"""Called with (phase, done, total); total is 0 while nobody knows it."""


def no_progress(_phase: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(slots=True)
class Stop:
    """The reason why nothing more is sent in a run. Once set it stays.

    Attributes:
        reason: The reason code; None while the run goes on.
        retry_at: The instant before which a next run need not try; None when it may try at once.
        message: More about the reason, for people.
        needs_person: True where a grant of access is over, so that no later run can succeed before a person acts.
    """

    reason: str | None = None
    retry_at: datetime | None = None
    message: str = ""
    needs_person: bool = False

    def set(
        self,
        reason: str,
        *,
        retry_at: datetime | None = None,
        message: str = "",
        needs_person: bool = False,
    ) -> None:
        """Stop sending; the first reason stands."""
        if self.reason is None:
            self.reason, self.retry_at, self.message = reason, retry_at, message
            self.needs_person = needs_person

    def __bool__(self) -> bool:
        return self.reason is not None


@dataclass(frozen=True, slots=True)
class Target:
    """The configuration that a run is for, with its channel and customer.

    Attributes:
        channel: The channel with its hooks.
        config: The validated settings, secrets filled in.
        customer: The customer, as the source knows it.
    """

    channel: LoadedChannel
    config: ChannelConfig
    customer: Customer


@dataclass(slots=True)
class Run:
    """A job under way.

    Attributes:
        job: The job's uuid.
        kind: The kind that is transmitted.
        facts: The facts about the job that operators' hooks are told.
        target: The configuration, its channel and customer.
        lease: The right to run, held by this run.
        clock: Tells the time.
        summary: Counts what happens.
        stop: Set when nothing more is to be sent.
        progress: Told how far the run is.
        done: The number of items dealt with so far.
        total: The number of items there are; 0 while nobody knows.
    """

    job: UUID
    kind: Kind
    facts: Mapping[str, Any]
    target: Target
    lease: Lease
    clock: Clock
    summary: Summary
    stop: Stop
    progress: Progress
    done: int = 0
    total: int = 0

    @property
    def channel(self) -> LoadedChannel:
        """The channel with its hooks."""
        return self.target.channel

    @property
    def config(self) -> ChannelConfig:
        """The validated settings, secrets filled in."""
        return self.target.config

    def advance(self, count: int) -> None:
        """Note that so many more items are dealt with, and show it."""
        self.done += count
        self.progress(self.kind.value, self.done, self.total)

    def leave_rest(self) -> None:
        """Count the items that no page has reached before the run stopped; the next run takes them up."""
        if self.stop and self.total:
            self.summary.leave(str(self.stop.reason), self.total - self.done)

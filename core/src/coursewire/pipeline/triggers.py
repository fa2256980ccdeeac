"""Hints: something happened to one learner in one course; what differs now goes out at once.

A hint is no more than that: the job reads how things stand, compares, and sends what differs. So it does no harm that
one comes twice, late, or out of order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any
from uuid import UUID

from coursewire.model.payload import Kind
from coursewire.pipeline.making import make_job

if TYPE_CHECKING:
    from coursewire.installation import Installation
    from coursewire.pipeline.job import Job
    from coursewire.pipeline.runners.background import BackgroundJobs

WAITING = 1000
"""Jobs that may wait for their turn; whoever hints is asked to come again beyond that."""
PATIENCE_S = 600.0
"""How long a job for one learner waits for the run for everybody to end."""
REMEMBERED = 10_000
"""Ids of the last messages; one that is sent again is answered, and starts nothing."""


class Triggers:
    """Jobs that hints started and that still wait: the same hint again adds none."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[Any, ...], UUID] = {}
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self._known: set[str] = set()

    def is_new(self, message: str) -> bool:
        """Tell whether a message has not been met; from now on it has."""
        if message in self._known:
            return False
        if len(self._seen) == self._seen.maxlen:
            self._known.discard(self._seen[0])
        self._seen.append(message)
        self._known.add(message)
        return True

    def start(self, work: BackgroundJobs, job: Job, username: str, course: str) -> UUID:
        """Start a job for one learner and course, unless one that was started before has yet to look.

        Returns:
            The job that will see what the hint is about.
        """
        key = (job.configuration.uuid, job.kind, username, course)
        waiting = self.waiting.get(key)
        watched = work.find(waiting) if waiting else None
        if watched is not None and watched.state == "waiting":
            return watched.job.uuid
        self.waiting[key] = job.uuid
        while len(self.waiting) > WAITING:
            del self.waiting[next(iter(self.waiting))]
        work.start(job)
        return job.uuid


async def jobs_about(installation: Installation, username: str, course: str, *, actor: str) -> list[Job]:
    """The jobs of the configurations whose customer sponsors an enrollment of this learner in this course.

    Args:
        installation: On which they work.
        username: The learner.
        course: Key of the course run, or of the course.
        actor: Who asks for them, for the log of jobs.

    Raises:
        SourceError: The source could not say whom the learner's enrollments belong to.
    """
    kinds = [kind for kind in Kind if kind is not Kind.CONTENT]
    channels = {each.channel.code: each.channel for each in installation.channels}
    runnable = await asyncio.to_thread(installation.configurations.runnable, channels)
    concerned: dict[str, bool] = {}
    jobs: list[Job] = []
    for ready in runnable.ready:
        customer = ready.configuration.customer
        if customer not in concerned:
            pages = installation.source.enrollments(customer, username=username, course_run_key=course)
            concerned[customer] = any([page async for page in pages])
        if not concerned[customer] or ready.config.disable_learner_data_transmissions:
            continue
        capabilities = channels[ready.configuration.channel].capabilities
        for kind in kinds:
            if capabilities.takes(kind):
                job = make_job(installation, ready.configuration, kind, learner=username, course=course)
                job.actor, job.wait_s = actor, PATIENCE_S
                jobs.append(job)
    return jobs

"""Jobs for one learner in one course, started because somebody says that something happened there.

What is said is no more than a reason to look: the job reads from the source how things stand, compares, and sends what
differs. So it does no harm that a message comes twice, late, or out of order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING
from uuid import UUID

from coursewire.model.kinds import OUTCOMES, Kind
from coursewire.pipeline.selection import RunRequest

if TYPE_CHECKING:
    from coursewire.installation import Installation
    from coursewire.pipeline.job import Job
    from coursewire.pipeline.runners.background import BackgroundJobs

MOST_WAITING = 1000
"""Jobs that may wait for their turn; beyond that, who reports a change is asked to come again."""
WAIT_FOR_LEASE_S = 600.0
"""Seconds that a job for one learner waits for the run for everybody to end."""
MESSAGES_REMEMBERED = 10_000
"""Ids of the last messages that are remembered; one that comes again is acknowledged, and starts nothing."""


class Triggers:
    """The jobs for single learners that still wait for their turn: the same trigger again adds none.

    Args:
        background: Runs the jobs.
    """

    def __init__(self, background: BackgroundJobs) -> None:
        self._background = background
        self._waiting: dict[tuple[UUID, Kind, str, str], UUID] = {}
        self._order: deque[str] = deque(maxlen=MESSAGES_REMEMBERED)
        self._seen: set[str] = set()

    def has_seen(self, message: str) -> bool:
        """Tell whether a message was dealt with before.

        Args:
            message: Its id; "" for a message without one, which was never seen.
        """
        return message in self._seen

    def remember(self, message: str) -> None:
        """Take note that a message was dealt with.

        Args:
            message: Its id; "" for a message without one, which is not remembered.
        """
        if not message or message in self._seen:
            return
        if len(self._order) == self._order.maxlen:
            self._seen.discard(self._order[0])
        self._order.append(message)
        self._seen.add(message)

    def start(self, job: Job, username: str, course: str) -> UUID:
        """Start a job for one learner and course, unless one that was started before has yet to look.

        Args:
            job: The job, not yet started.
            username: The learner's username at the source.
            course: The key of the course or run.

        Returns:
            The id of the job that will see the change: this one, or the one that waits.
        """
        key = (job.configuration.uuid, job.kind, username, course)
        waiting = self._waiting.get(key)
        watched = self._background.find(waiting) if waiting else None
        if watched is not None and watched.state == "waiting":
            return watched.job.uuid
        self._waiting[key] = job.uuid
        while len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._background.start(job)
        return job.uuid


async def jobs_about(installation: Installation, username: str, course: str, *, actor: str) -> list[Job]:
    """Make the jobs of the configurations whose customer sponsors an enrollment of this learner in this course.

    Args:
        installation: The installation on which they work.
        username: The learner's username at the source.
        course: The key of the course run, or of the course.
        actor: A name for who asks for them, for the log of jobs.

    Raises:
        SourceError: The source could not say whom the learner's enrollments belong to.
    """
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
        for kind in OUTCOMES:
            if capabilities.takes(kind):
                request = RunRequest(kind, learner=username, course=course, actor=actor)
                job = request.job(installation, ready.configuration)
                job.note_fit(ready.config)
                job.wait_s = WAIT_FOR_LEASE_S
                jobs.append(job)
    return jobs

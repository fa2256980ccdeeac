"""The runner of a process that does other things beside: jobs are started, watched, and ended with it."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

from coursewire.errors import CoursewireError
from coursewire.model.reasons import Reason
from coursewire.pipeline.runners.inline import JOBS_AT_ONCE
from coursewire.pipeline.transmit.run import Stop
from coursewire.storage.database.driver_errors import database_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coursewire.pipeline.job import Job
    from coursewire.pipeline.summary import Summary

LOG = logging.getLogger(__name__)

ELSEWHERE_POLL_S = 0.05
"""Seconds between two looks at the jobs of other event loops, while all are being ended."""

KEPT_AFTER_END = 200
"""The number of jobs that are remembered after their end; the database knows all that got their lease."""


@dataclass(slots=True)
class Watched:
    """A job that was started in the background, and how far it is.

    Attributes:
        job: The job.
        phase: The word for what it is doing.
        done: The number of items dealt with.
        total: The number of items there are; 0 while nobody knows.
        state: ``waiting``, ``running``, ``finished`` or ``failed``.
        summary: The summary of a finished job; None before.
        error: The reason why it failed; None when it did not.
        started_s: The instant at which it was started, in seconds of the monotonic clock.
        stop: Set it to end the run after the requests under way.
    """

    job: Job
    phase: str = ""
    done: int = 0
    total: int = 0
    state: str = "waiting"
    summary: Summary | None = None
    error: CoursewireError | None = None
    started_s: float = field(default_factory=time.monotonic)
    stop: Stop = field(default_factory=Stop)

    def progress(self, phase: str, done: int, total: int) -> None:
        """Take note of how far it is."""
        self.phase, self.done, self.total = phase, done, total

    def fail(self, error: CoursewireError) -> None:
        """Take note that it failed: why before that, for those who look from other threads."""
        self.error = error
        self.state = "failed"

    def as_dict(self) -> dict[str, Any]:
        """Return how far it is, as plain data."""
        return {"state": self.state, "phase": self.phase, "done": self.done, "total": self.total}


class BackgroundJobs:
    """The jobs of this process. Each runs in the event loop that started it.

    Args:
        jobs_at_once: How many run at the same time in one event loop; more wait for their turn.

    Attributes:
        listeners: Called when a job has ended, whichever way.
    """

    def __init__(self, *, jobs_at_once: int = JOBS_AT_ONCE) -> None:
        self.listeners: list[Callable[[Watched], None]] = []
        self._jobs_at_once = jobs_at_once
        # A host may use several loops, one after the other or side by side, and a semaphore belongs to one.
        self._slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
        self._watched: dict[UUID, Watched] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._beside: set[asyncio.Task[None]] = set()
        self._closing = False

    def start(self, job: Job) -> Watched:
        """Start a job and return at once. Its progress is noted in what is returned."""
        watched = Watched(job)
        job.progress = watched.progress
        self._watched[job.uuid] = watched
        for old in list(self._watched)[:-KEPT_AFTER_END]:
            if self._watched[old].state in ("finished", "failed"):
                del self._watched[old]
        task = asyncio.create_task(self._run(watched), name=f"job {job.uuid}")
        self._tasks[job.uuid] = task
        task.add_done_callback(lambda _task: self._tasks.pop(job.uuid, None))
        return watched

    def watch(self, task: asyncio.Task[None]) -> None:
        """Keep another task until it ends; it is cut off when the jobs are ended."""
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def wait(self, uuids: Iterable[UUID]) -> None:
        """Wait until jobs that were started in this event loop have ended.

        Who waits no longer, being cancelled, lets them end after the requests under way, so that no answer is
        lost.
        """
        asked = list(uuids)
        tasks = [task for uuid in asked if (task := self._tasks.get(uuid)) is not None]
        try:
            if tasks:
                await asyncio.wait(tasks)
        except asyncio.CancelledError:
            for uuid in asked:
                self.stop(uuid)
            await asyncio.wait(tasks)
            raise

    def find(self, uuid: UUID) -> Watched | None:
        """Return a job that this process runs or ran not long ago; None for any other."""
        return self._watched.get(uuid)

    def snapshot(self) -> dict[UUID, dict[str, Any]]:
        """Return how far each job is, by id. Taken before the database is read, it may be behind a row, and never ahead."""
        return {uuid: watched.as_dict() for uuid, watched in self._watched.copy().items()}

    def stop(self, uuid: UUID) -> bool:
        """Let a job end after the requests under way; False when it does not run here."""
        watched = self._watched.get(uuid)
        if watched is None or watched.state in ("finished", "failed"):
            return False
        watched.stop.set(Reason.STOPPED)
        return True

    @property
    def running(self) -> int:
        """The number of jobs that have not ended."""
        return len(self._tasks)

    def reopen(self) -> None:
        """Take jobs again after :meth:`aclose`."""
        self._closing = False

    async def aclose(self) -> None:
        """End every job after the requests under way, and wait for them: no answer is lost."""
        self._closing = True
        for watched in self._watched.values():
            watched.stop.set(Reason.STOPPED)
        while self._tasks:
            loop = asyncio.get_running_loop()
            own = [task for task in self._tasks.values() if task.get_loop() is loop]
            if own:
                await asyncio.wait(own)
            else:
                await asyncio.sleep(ELSEWHERE_POLL_S)
        for task in self._beside:
            task.cancel()

    async def _run(self, watched: Watched) -> None:
        job = watched.job
        loop = asyncio.get_running_loop()
        async with self._slots.setdefault(loop, asyncio.Semaphore(self._jobs_at_once)):
            if self._closing:
                watched.fail(
                    CoursewireError("this process is being stopped", next_step="Start the job again.")
                )
                return
            watched.state = "running"
            try:
                with database_errors(job.installation.settings.database_url):
                    watched.summary = await job.run(watched.stop)
                watched.state = "finished"
            except asyncio.CancelledError:
                watched.fail(
                    CoursewireError(
                        "the job was cut off",
                        where=job.where,
                        next_step="The next run settles what was under way.",
                    )
                )
                raise
            except CoursewireError as error:
                watched.fail(error)
                LOG.warning("job %s of %s: %s", job.uuid, job.where, error)
            except Exception as error:
                watched.fail(
                    CoursewireError(
                        "this should not have happened", where=job.where, why=type(error).__name__
                    )
                )
                LOG.exception("job %s of %s failed", job.uuid, job.where)
        for listener in self.listeners:
            listener(watched)

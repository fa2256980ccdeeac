"""The runner that works in this process: jobs of several configurations side by side."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coursewire.errors import CoursewireError
from coursewire.model.reasons import Reason
from coursewire.pipeline.transmit.run import Stop

if TYPE_CHECKING:
    from coursewire.pipeline.job import Job
    from coursewire.pipeline.summary import Summary

JOBS_AT_ONCE = 4


def calm_collector() -> None:
    """Let the garbage collector look less often: for a process that runs jobs and does little else.

    Jobs make many objects and hardly a cycle; a fifth of a large run would be spent on looking for some. Modules that
    are loaded by now stay, so they need not be looked at again.
    """
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of one job: a summary, or an error.

    Attributes:
        job: The job.
        summary: The counts of what it did; None when it failed.
        error: The reason why it failed; None when it did not.
    """

    job: Job
    summary: Summary | None
    error: CoursewireError | None

    @property
    def exit_status(self) -> int:
        """The exit status of a command that ran this job alone."""
        if self.error is not None:
            return self.error.exit_status
        return self.summary.exit_status if self.summary else 0


class InlineRunner:
    """Runs jobs in this process, a few at once; one that hangs or fails holds up no other."""

    async def run(self, jobs: Sequence[Job]) -> list[Ended]:
        """Run jobs and wait for them. SIGTERM or SIGINT ends them after the requests under way."""
        stops = [Stop() for _ in jobs]

        def stop_all() -> None:
            for stop in stops:
                stop.set(Reason.STOPPED)

        loop = asyncio.get_running_loop()
        caught = []
        for number in (signal.SIGTERM, signal.SIGINT):
            # Only the main thread of a process may listen for signals.
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, stop_all)
                caught.append(number)
        slots = asyncio.Semaphore(JOBS_AT_ONCE)

        async def run_one(job: Job, stop: Stop) -> Ended:
            async with slots:
                try:
                    return Ended(job, await job.run(stop), None)
                except CoursewireError as error:
                    return Ended(job, None, error)

        try:
            return list(await asyncio.gather(*map(run_one, jobs, stops)))
        finally:
            for number in caught:
                loop.remove_signal_handler(number)

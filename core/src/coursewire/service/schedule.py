"""Recurring jobs, as the settings say them: times, random delays and quiet hours."""

from __future__ import annotations

import logging
import random
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger

from coursewire.errors import CoursewireError, SettingsError
from coursewire.pipeline.selection import RunRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coursewire.host import Host
    from coursewire.settings import QuietHours, ScheduledRun

LOG = logging.getLogger(__name__)

LATE_S = 3600
"""A run that could not begin in time, such as while the machine slept, still begins up to so much later."""


class Schedule:
    """Starts jobs when their time has come. Use it within one event loop.

    Args:
        host: Starts the jobs.
        rng: A source of chance, for the jitter; one of its own when left out.
    """

    def __init__(
        self,
        host: Host,
        *,
        rng: random.Random | None = None,
    ) -> None:
        self._host = host
        self._rng = rng or random.Random()  # noqa: S311 - spreads load, guards nothing
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def begin(self) -> None:
        """Wait for the times of all runs.

        Raises:
            SettingsError: One of them cannot be read.
        """
        for number, run in enumerate(self._host.settings.schedule):
            self._scheduler.add_job(
                self.fire,
                trigger_of(run),
                args=(run,),
                id=f"run {number}",
                coalesce=True,
                max_instances=1,
                misfire_grace_time=LATE_S,
            )
        self._scheduler.start()

    def end(self) -> None:
        """Begin no more runs; those under way are not touched."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def fire(self, run: ScheduledRun) -> int:
        """Start the jobs of one run, or put them off to the end of the quiet hours.

        Returns:
            How many jobs were started.
        """
        now = self._host.installation.clock()
        allowed = after_quiet_hours(now, run.quiet_hours, ZoneInfo(run.timezone))
        if allowed > now:
            when = allowed + timedelta(seconds=self._rng.uniform(0, run.jitter_s))
            self._scheduler.add_job(self.fire, DateTrigger(when), args=(run,), misfire_grace_time=LATE_S)
            LOG.info("%s is put off to %s: quiet hours", run.kind, f"{when:%Y-%m-%d %H:%M} UTC")
            return 0
        try:
            request = RunRequest(run.kind, channel=run.channel, customer=run.customer, actor="schedule")
            selection = await self._host.select(request)
        except CoursewireError as error:
            LOG.warning("the scheduled run of %s did not begin: %s", run.kind, error)
            return 0
        for refused in selection.refused:
            LOG.warning("%s", refused.error)
        return len(self._host.start_all(selection))


def trigger_of(run: ScheduledRun) -> CronTrigger:
    """Return the trigger that says when a run begins.

    Raises:
        SettingsError: The times cannot be read.
    """
    try:
        trigger = CronTrigger.from_crontab(run.cron, timezone=ZoneInfo(run.timezone))
    except ValueError as error:
        raise SettingsError(
            f"the schedule {run.cron!r} cannot be read",
            why=str(error),
            next_step='Write minute, hour, day, month and day of the week, such as "15 2 * * *".',
        ) from error
    trigger.jitter = run.jitter_s or None
    return trigger


def after_quiet_hours(now: datetime, hours: Sequence[QuietHours], zone: ZoneInfo) -> datetime:
    """Return the first instant from ``now`` on that is in no quiet hours.

    Args:
        now: The present instant, aware.
        hours: From and to, in local time; "to" may be on the next day.
        zone: The time zone of the quiet hours.
    """
    instant = now
    # Hours may follow each other; more rounds than there are would go round the clock.
    for _ in range(len(hours) + 1):
        ends = [end for each in hours if (end := _end_of(instant.astimezone(zone), each))]
        if not ends:
            return instant
        instant = max(ends).astimezone(now.tzinfo)
    return instant


def _end_of(local: datetime, hours: QuietHours) -> datetime | None:
    """Return the end of quiet hours, if ``local`` is within them."""
    begin, end = hours.begin, hours.end
    for days in (0, -1):
        day = local.date() + timedelta(days=days)
        begins = _at(day, begin, local)
        ends = _at(day if begin < end else day + timedelta(days=1), end, local)
        if begins <= local < ends:
            return ends
    return None


def _at(day: date, at: time, local: datetime) -> datetime:
    return datetime.combine(day, at, tzinfo=local.tzinfo)

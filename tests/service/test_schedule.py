"""Recurring runs begin when the settings say, never in quiet hours, and once."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from coursewire.errors import SettingsError
from coursewire.host import Host
from coursewire.model.kinds import Kind
from coursewire.observability.logs import set_up_logs
from coursewire.service.schedule import Schedule, after_quiet_hours, trigger_of
from coursewire.settings import QuietHours, ScheduledRun, Settings

BERLIN = ZoneInfo("Europe/Berlin")
DAY = QuietHours(time(8), time(18))
NIGHT = QuietHours(time(22), time(6))


@pytest.mark.parametrize(
    ("now", "hours", "then"),
    [
        ("2026-05-04T09:30+02:00", [DAY], "2026-05-04T18:00+02:00"),
        ("2026-05-04T18:00+02:00", [DAY], "2026-05-04T18:00+02:00"),
        ("2026-05-04T07:59+02:00", [DAY], "2026-05-04T07:59+02:00"),
        ("2026-05-04T23:00+02:00", [NIGHT], "2026-05-05T06:00+02:00"),
        ("2026-05-05T05:59+02:00", [NIGHT], "2026-05-05T06:00+02:00"),
        ("2026-05-04T17:00+02:00", [DAY, QuietHours(time(18), time(20))], "2026-05-04T20:00+02:00"),
        ("2026-05-04T17:00+02:00", [], "2026-05-04T17:00+02:00"),
        # the clock goes forward at two o'clock that night, and back at three in October
        ("2026-03-28T23:00+01:00", [NIGHT], "2026-03-29T06:00+02:00"),
        ("2026-10-24T23:00+02:00", [NIGHT], "2026-10-25T06:00+01:00"),
    ],
)
def test_quiet_hours_end_when_the_clock_on_the_wall_says(now, hours, then):
    found = after_quiet_hours(datetime.fromisoformat(now).astimezone(UTC), hours, BERLIN)
    assert found == datetime.fromisoformat(then)


def test_hours_all_round_the_clock_do_not_go_round_for_ever():
    now = datetime(2026, 5, 4, tzinfo=UTC)
    halves = [QuietHours(time(0), time(12)), QuietHours(time(12), time(0))]
    assert after_quiet_hours(now, halves, ZoneInfo("UTC")) > now


def test_a_run_starts_a_job_for_each_configuration_that_takes_it(installation, configured):
    async def fire(**run):
        host = Host(installation=installation)
        count = await Schedule(host).fire(ScheduledRun(cron="0 2 * * *", **run))
        ended = await host.wait(host.background.snapshot())
        assert len(ended) == count
        return [each.job for each in ended]

    (job,) = asyncio.run(fire(kind="completions"))
    assert (job.kind, job.configuration.uuid, job.actor) == (Kind.COMPLETIONS, configured.uuid, "schedule")
    assert asyncio.run(fire(kind="content", channel="sap")) == []
    assert asyncio.run(fire(kind="enrollments")) == []


def test_a_run_in_quiet_hours_is_put_off_to_their_end(installation, configured, monkeypatch):
    monkeypatch.setattr(installation, "clock", lambda: datetime(2026, 5, 4, 12, tzinfo=UTC))
    host = Host(installation=installation)
    run = ScheduledRun(
        kind="content", cron="0 12 * * *", quiet_hours=["08:00-18:00"], timezone="UTC", jitter_s=600
    )

    async def fire():
        schedule = Schedule(host, rng=random.Random(7))
        schedule.begin()
        count = await schedule.fire(run)
        waiting = [job.next_run_time for job in schedule._scheduler.get_jobs()]
        schedule.end()
        return count, waiting

    count, (when,) = asyncio.run(fire())
    assert (count, host.background.snapshot()) == (0, {})
    end = datetime(2026, 5, 4, 18, tzinfo=UTC)
    assert end <= when <= end + timedelta(seconds=600)


def test_times_are_local_and_checked():
    run = ScheduledRun(kind="content", cron="30 2 * * *", timezone="Europe/Berlin")
    fired = trigger_of(run).get_next_fire_time(None, datetime(2026, 5, 4, tzinfo=UTC))
    assert fired == datetime(2026, 5, 4, 2, 30, tzinfo=BERLIN)
    with pytest.raises(SettingsError, match="cannot be read"):
        trigger_of(ScheduledRun(kind="content", cron="at night"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "grades", "cron": "* * * * *"}, "kind"),
        ({"kind": "content", "cron": "* * * * *", "timezone": "Mars/Base"}, "no time zone"),
        ({"kind": "content", "cron": "* * * * *", "quiet_hours": ["8-18h"]}, "are no hours"),
        ({"kind": "content", "cron": "* * * * *", "jitter_s": -1}, "greater than or equal"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path, monkeypatch, wrong, words):
    monkeypatch.setenv("COURSEWIRE_SCHEDULE", json.dumps([wrong]))
    with pytest.raises(SettingsError, match=words):
        Settings.load(data_dir=tmp_path)


def test_a_log_for_programs_names_job_and_configuration(installation, configured, shelf, capfd):
    shelf.fill(1)
    settings = Settings.load(data_dir=installation.settings.data_dir, log_format="json", log_level="DEBUG")
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        set_up_logs(settings)
        from coursewire.pipeline.content_job import ContentJob
        from coursewire.pipeline.transmit.run import Stop

        job = ContentJob(installation, configured)
        asyncio.run(job.run(Stop()))
    finally:
        root.handlers[:] = kept
        root.setLevel(level)
        logging.getLogger("coursewire").setLevel(logging.NOTSET)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert lines
    assert {line["job"] for line in lines} == {str(job.uuid)}
    assert {line["configuration"] for line in lines} == {str(configured.uuid)}
    assert all(line["level"] and line["at"] for line in lines)

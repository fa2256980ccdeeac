"""Counts that many look at: asked for once, shown once more while they are asked for again."""

from __future__ import annotations

import asyncio
from functools import wraps

import pytest

from coursewire.service import stats
from coursewire.service.stats import FRESH_S, STALE_TIMES, Stats


def in_a_loop(test):
    """Run a test that awaits."""

    @wraps(test)
    def run(*arguments, **named):
        asyncio.run(test(*arguments, **named))

    return run


class Counting(Stats):
    """Counts how often it counts, and can be told to fail."""

    def __init__(self, installation):
        super().__init__(installation)
        self.times = 0
        self.fault = None

    def _standing(self):
        self.times += 1
        if self.fault:
            raise self.fault
        return super()._standing()


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr(stats, "monotonic", lambda: Clock.now)
    return Clock


@in_a_loop
async def test_fifty_at_once_ask_the_database_once(installation, clock):
    counted = Counting(installation)
    await asyncio.gather(*(counted.standing() for _ in range(50)))
    assert counted.times == 1


@in_a_loop
async def test_one_who_goes_away_does_not_take_the_answer_from_the_others(installation, clock):
    counted = Counting(installation)
    first, second = (asyncio.create_task(counted.standing()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None
    assert counted.times == 1


@in_a_loop
async def test_what_is_no_longer_fresh_is_shown_while_it_is_asked_for_again(installation, clock):
    counted = Counting(installation)
    first = await counted.standing()
    clock.now += FRESH_S + 1
    assert await counted.standing() is first
    await counted.aclose()
    assert counted.times == 2
    assert await counted.standing() is not first


@in_a_loop
async def test_what_is_old_is_waited_for(installation, clock):
    counted = Counting(installation)
    first = await counted.standing()
    clock.now += FRESH_S * STALE_TIMES + 1
    assert await counted.standing() is not first


@in_a_loop
async def test_a_fault_behind_the_viewers_is_logged_and_asked_again(installation, clock, caplog):
    counted = Counting(installation)
    first = await counted.standing()
    counted.fault = ValueError("no answer")
    clock.now += FRESH_S + 1
    assert await counted.standing() is first
    await counted.aclose()
    assert "no answer" in caplog.text
    clock.now += FRESH_S * STALE_TIMES
    with pytest.raises(ValueError, match="no answer"):
        await counted.standing()
    counted.fault = None
    assert await counted.standing() is not first


@in_a_loop
async def test_memory_is_bounded(installation, clock, monkeypatch):
    monkeypatch.setattr(stats, "MOST_KEPT", 3)
    counted = Counting(installation)
    await counted.customer_names([f"customer {number}" for number in range(10)])
    assert len(counted._kept) == 3

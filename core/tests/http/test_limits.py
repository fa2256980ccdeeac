from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from coursewire.errors import ContractError, ThrottledError
from coursewire.http.limits import DEFAULT, RateGate, lowered
from coursewire.model.channel import Rate
from coursewire.storage.locks.rate_buckets import MemoryBuckets, SqlBuckets
from coursewire.storage.tables.records import limit

FIVE_MINUTES = Rate(calls=1, seconds=300)


@pytest.fixture(params=["sql", "memory"])
def buckets(request, engine):
    return SqlBuckets(engine) if request.param == "sql" else MemoryBuckets()


def gate(buckets, time, rates=None, scope="lms.example.com"):
    return RateGate(buckets, channel="LMS", scope=scope, rates=rates or {}, clock=time, sleep=time.sleep)


def test_a_window_starts_with_its_first_call(buckets, time):
    start = time.now
    rate = Rate(calls=2, seconds=60)
    assert buckets.take("k", rate, 1, start).calls == 1
    assert buckets.take("k", rate, 1, start + timedelta(seconds=50)).calls == 1
    refused = buckets.take("k", rate, 1, start + timedelta(seconds=59))
    assert (refused.calls, refused.until) == (0, start + timedelta(seconds=60))
    granted = buckets.take("k", rate, 1, start + timedelta(seconds=60))
    assert (granted.calls, granted.until) == (1, start + timedelta(seconds=120))


def test_what_is_left_is_given_when_more_is_asked_for(buckets, time):
    rate = Rate(calls=10, seconds=60)
    assert [buckets.take("k", rate, 4, time.now).calls for _ in range(4)] == [4, 4, 2, 0]
    assert buckets.take("other", rate, 99, time.now).calls == 10


def test_what_was_drawn_and_not_used_is_given_back_to_its_window_only(buckets, time):
    rate = Rate(calls=10, seconds=60)
    first = buckets.take("k", rate, 10, time.now)
    buckets.give_back("k", 4, first.until)
    assert [buckets.take("k", rate, 3, time.now).calls for _ in range(3)] == [3, 1, 0]
    later = time.now + timedelta(seconds=60)
    buckets.take("k", rate, 10, later)
    buckets.give_back("k", 4, first.until)  # too late
    buckets.give_back("never", 4, first.until)
    assert buckets.take("k", rate, 1, later).calls == 0


def test_many_short_runs_do_not_use_up_a_fast_rate(buckets, time):
    rate = Rate(calls=1000, seconds=60)

    async def run():
        for _ in range(20):  # each draws a quarter, and makes one call
            one = gate(buckets, time, {DEFAULT: rate})
            await one.enter()
            await one.leave()
        return await gate(buckets, time, {DEFAULT: rate}).enter()

    assert asyncio.run(run()) == 0


def test_a_closed_bucket_gives_nothing_until_its_time(buckets, time):
    rate = Rate(calls=10, seconds=60)
    until = time.now + timedelta(seconds=500)
    buckets.take("k", rate, 1, time.now)
    for key in ("k", "new"):
        assert buckets.closed_until(key, time.now) is None
        buckets.close(key, until, time.now)
        buckets.close(key, time.now + timedelta(seconds=1), time.now)  # never shortens
        assert buckets.closed_until(key, time.now) == until
        assert buckets.take(key, rate, 1, time.now).until == until
        assert buckets.take(key, rate, 1, until).calls == 1
        assert buckets.closed_until(key, until) is None


def test_threads_together_never_get_more_than_there_is(engine, time):
    rate = Rate(calls=25, seconds=60)
    got = []

    def draw():
        own = SqlBuckets(engine)
        for _ in range(10):
            got.append(own.take("shared", rate, 1, time.now).calls)

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 25


SCRIPT = """
import sys
from datetime import datetime
from coursewire.storage.locks.rate_buckets import SqlBuckets
from coursewire.model.channel import Rate
from sqlalchemy import create_engine
buckets = SqlBuckets(create_engine(sys.argv[1]))
now = datetime.fromisoformat(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(sum(buckets.take("shared", Rate(calls=7, seconds=300), 1, now).calls for _ in range(6)))
"""


def test_two_processes_share_one_bucket(engine, time):
    command = [sys.executable, "-c", SCRIPT, engine.url.render_as_string(hide_password=False), str(time.now)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == 7


def test_an_empty_bucket_far_from_its_next_call_defers(buckets, time):
    async def use():
        one, two = (gate(buckets, time, {"import": FIVE_MINUTES}) for _ in range(2))
        await one.enter("import")
        with pytest.raises(ThrottledError, match=r"LMS:lms\.example\.com:import") as caught:
            await two.enter("import")
        assert caught.value.retry_at == time.now + timedelta(seconds=300)
        assert await two.enter() == 0
        await gate(buckets, time, {"import": FIVE_MINUTES}, scope="other").enter("import")

    asyncio.run(use())
    assert not time.sleeps


def test_an_empty_bucket_near_its_next_call_is_waited_for(buckets, time):
    async def use():
        passing = gate(buckets, time, {DEFAULT: Rate(calls=2, seconds=1.5)})
        return [await passing.enter() for _ in range(5)]

    assert asyncio.run(use()) == [0, 0, 1.5, 0, 1.5]


def test_many_at_once_keep_to_the_rate(buckets, time):
    async def use():
        passing = gate(buckets, time, {DEFAULT: Rate(calls=10, seconds=1)})
        await asyncio.gather(*[passing.enter() for _ in range(35)])

    start = time.now
    asyncio.run(use())
    assert time.now - start >= timedelta(seconds=3)


def test_a_fast_rate_does_not_ask_the_database_for_each_call(engine, time):
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    async def use():
        passing = gate(SqlBuckets(engine), time, {DEFAULT: Rate(calls=400, seconds=10)})
        for _ in range(400):
            await passing.enter()

    asyncio.run(use())
    assert len(statements) < 20
    with engine.connect() as connection:
        assert connection.scalar(select(limit.c.hits)) == 400


def test_what_was_drawn_in_one_window_is_not_used_in_the_next(buckets, time):
    rate = Rate(calls=100, seconds=10)

    async def use():
        passing = gate(buckets, time, {DEFAULT: rate})
        await passing.enter()
        time.now += timedelta(seconds=10)
        await passing.enter()

    asyncio.run(use())
    assert buckets.take("LMS:lms.example.com:default", rate, 100, time.now).calls == 75


def test_a_closing_is_seen_by_other_gates(buckets, time):
    async def use():
        one, two = gate(buckets, time), gate(buckets, time)
        await two.enter()
        until = time.now + timedelta(seconds=100)
        await one.close(until)
        with pytest.raises(ThrottledError):
            await one.enter()
        time.now += timedelta(seconds=3)
        with pytest.raises(ThrottledError) as caught:
            await two.enter()
        assert caught.value.retry_at == until
        time.now = until
        await one.enter()
        await two.enter()

    asyncio.run(use())


def test_calls_drawn_before_a_closing_are_not_made(buckets, time):
    async def use():
        passing = gate(buckets, time, {DEFAULT: Rate(calls=100, seconds=1000)})
        await passing.enter()
        await passing.close(time.now + timedelta(seconds=100))
        with pytest.raises(ThrottledError):
            await passing.enter()

    asyncio.run(use())


def test_a_closing_while_calls_are_drawn_counts(time):
    class Slow(MemoryBuckets):
        def take(self, key, rate, calls, now):
            drawing.set()
            assert closed.wait(10)
            return super().take(key, rate, calls, now)

        def close(self, key, until, now):
            """The statement of the other thread came first."""

    drawing, closed = threading.Event(), threading.Event()

    async def use():
        passing = gate(Slow(), time, {DEFAULT: Rate(calls=100, seconds=1000)})
        entering = asyncio.create_task(passing.enter())
        await asyncio.to_thread(drawing.wait, 10)
        await passing.close(time.now + timedelta(seconds=100))
        closed.set()
        with pytest.raises(ThrottledError):
            await entering

    asyncio.run(use())


def test_a_rate_that_is_not_declared_is_a_programming_error(buckets, time):
    async def use():
        with pytest.raises(ContractError, match="import"):
            await gate(buckets, time, {"import": FIVE_MINUTES}).enter("imprt")

    asyncio.run(use())


def test_a_configuration_may_only_lower_a_rate():
    vendor = {DEFAULT: Rate(calls=100, seconds=60)}
    slower, faster = Rate(calls=1, seconds=1), Rate(calls=10, seconds=1)
    assert lowered(vendor, {DEFAULT: slower, "own": faster}) == {DEFAULT: slower, "own": faster}
    assert lowered(vendor, {DEFAULT: faster}) == vendor


def test_a_rate_that_the_vendor_negotiates_may_be_raised_as_well():
    vendor = {DEFAULT: Rate(calls=200, seconds=60, negotiable=True)}
    for calls in (70, 1000):
        wanted = {DEFAULT: Rate(calls=calls, seconds=60)}
        assert lowered(vendor, wanted) == wanted


def test_a_long_scope_fits_the_key_column(engine, time):
    async def use():
        await gate(SqlBuckets(engine), time, {DEFAULT: FIVE_MINUTES}, scope="s" * 1000).enter()

    asyncio.run(use())
    with engine.connect() as connection:
        assert len(connection.scalar(select(limit.c.bucket))) < 100


@pytest.mark.parametrize("step", ["take", "close"])
def test_two_processes_that_meet_at_a_new_bucket(engine, other_engine, time, step):
    """Another process makes the row between our look and our insert."""
    rate, until = Rate(calls=5, seconds=60), time.now + timedelta(seconds=9)
    other = SqlBuckets(other_engine)
    raced = []

    def intervene(_connection, _cursor, statement, *_rest):
        if statement.startswith("INSERT") and not raced:
            raced.append(other.take("new", rate, 2, time.now))

    event.listen(engine, "before_cursor_execute", intervene)
    ours = SqlBuckets(engine)
    if step == "take":
        assert ours.take("new", rate, 5, time.now).calls == 3
    else:
        ours.close("new", until, time.now)
        assert ours.closed_until("new", time.now) == until
    assert raced


def test_a_slow_rate_of_many_calls_is_drawn_in_small_slices(engine, time):
    """The database is not asked for each of ten thousand calls, and a process that ends loses few of them."""
    drawn = []

    class Noted(SqlBuckets):
        def take(self, key, rate, calls, now):
            drawn.append(calls)
            return super().take(key, rate, calls, now)

    async def use():
        day = Rate(calls=10_000, seconds=86_400)
        passing = gate(Noted(engine), time, {DEFAULT: day})
        for _ in range(40):
            await passing.enter()

    asyncio.run(use())
    assert drawn == [20, 20]


def test_a_guess_closes_a_bucket_for_ten_minutes_at_most(engine, time):
    for rate, expected in ((FIVE_MINUTES, 300), (Rate(calls=10_000, seconds=86_400), 600)):
        assert gate(SqlBuckets(engine), time, {DEFAULT: rate}).window_s() == expected

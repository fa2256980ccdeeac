"""Leases: one holder at a time, on every database, also when processes are killed."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select, update
from sqlalchemy.exc import OperationalError

from coursewire.errors import LeaseHeldError, LeaseLostError
from coursewire.storage.locks import leases, processes
from coursewire.storage.locks.leases import Lease, live_owners
from coursewire.storage.locks.processes import Process, process_identity, surely_dead
from coursewire.storage.tables.records import lease as table

NAME = "content:0c2a"
ELSEWHERE = str(Process("another-host", "b", "pid:[1]", 77, "1"))


class FakeClock:
    """Stands still until told."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(now):
    return FakeClock(now)


@pytest.fixture
def take(engine, clock):
    """Acquires the lease for an owner; all that vary are keyword arguments."""

    def acquire(owner: str, **changes) -> Lease:
        return Lease.acquire(engine, NAME, owner=owner, **{"clock": clock, **changes})

    return acquire


def _row(engine):
    with engine.connect() as connection:
        return connection.execute(select(table).where(table.c.name == NAME)).one()


# -- one holder --------------------------------------------------------------------------------------


def test_a_lease_is_held_until_the_block_ends(engine, take, clock, now):
    with take("one") as lease:
        lease.check()
        assert _row(engine) == (NAME, "one", process_identity(), now + timedelta(seconds=60), now, 1)
        assert live_owners(engine, clock) == {"one"}
        with pytest.raises(LeaseHeldError) as caught:
            take("two")
    message = str(caught.value)
    assert f"{NAME} is already running (run one, process {os.getpid()} on " in message
    assert "since 2026-05-17 12:30:15 UTC. Wait until it ends." in message
    assert "lapses at 12:31:15 UTC" in message
    assert live_owners(engine, clock) == set()
    with take("two") as lease:
        lease.check()


def test_leases_of_other_names_do_not_matter(engine, take, clock):
    with take("one"), Lease.acquire(engine, "other", owner="two", clock=clock):
        assert live_owners(engine, clock) == {"one", "two"}


def test_a_lease_is_given_back_when_the_work_fails(take):
    with pytest.raises(ZeroDivisionError), take("one"):
        raise ZeroDivisionError
    take("two").release()


def test_of_many_at_once_one_gets_it(engine, clock):
    """The row does not exist yet, which is the hardest case."""
    ready = threading.Barrier(6)

    def race(number: int) -> str | None:
        ready.wait()
        try:
            return Lease.acquire(engine, NAME, owner=f"owner {number}", clock=clock).owner
        except LeaseHeldError:
            return None

    for name in ("first", "second"):
        with ThreadPoolExecutor(6) as pool:
            winners = [winner for winner in pool.map(race, range(6)) if winner]
        assert len(winners) == 1, name
        assert _row(engine).owner == winners[0]
        clock.pass_s(60)  # and again, with a row that has lapsed


def test_a_lease_that_is_given_back_in_the_same_moment_is_tried_again(engine, take, clock):
    """Between our UPDATE, which finds it held, and our look at who holds it."""
    holder = take("one")
    done = []

    def give_back(connection, cursor, statement, *_):
        if statement.startswith("SELECT") and not done:
            done.append(True)
            holder.release()

    event.listen(engine, "before_cursor_execute", give_back)
    try:
        assert take("two").owner == "two"
    finally:
        event.remove(engine, "before_cursor_execute", give_back)
    assert done


def test_one_who_never_sees_the_holder_gives_up(engine, take, clock, monkeypatch):
    take("one")
    monkeypatch.setattr(leases, "_holder", lambda *_: None)
    with pytest.raises(LeaseHeldError, match=r"other runs were faster. Run this again later."):
        take("two")


# -- lapse and renewal -------------------------------------------------------------------------------


def test_a_lease_lapses_and_its_owner_notices(engine, take, clock):
    lease = take("one")
    clock.pass_s(59.999)
    lease.check()
    assert live_owners(engine, clock) == {"one"}
    clock.pass_s(0.001)
    assert live_owners(engine, clock) == set()
    with pytest.raises(LeaseLostError, match="could not be renewed in time"):
        lease.check()
    take("two")
    assert not lease.renew()
    with pytest.raises(LeaseLostError, match="another run has taken it"):
        lease.check()
    lease.release()
    assert _row(engine).owner == "two"


def test_a_renewed_lease_lasts_on(engine, take, clock):
    lease = take("one")
    clock.pass_s(50)
    assert lease.renew()
    clock.pass_s(50)
    lease.check()
    with pytest.raises(LeaseHeldError):
        take("two")


def test_a_later_lease_of_the_same_owner_is_another(take, clock):
    first = take("one")
    clock.pass_s(60)
    second = take("one")
    assert not first.renew()
    first.release()
    second.check()
    assert second.renew()


def _eventually(condition) -> None:
    """Wait for another thread or process, at most ten seconds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.01)


def test_a_thread_renews_it(engine, take, clock):
    with take("one", ttl_s=0.06) as lease:
        clock.pass_s(0.05)
        _eventually(lambda: _row(engine).expires_at == clock.now + timedelta(seconds=0.06))
        lease.check()
    assert not [thread for thread in threading.enumerate() if thread.name == f"lease {NAME}"]


def test_the_thread_ends_when_the_lease_is_lost(engine, take, caplog):
    with take("one", ttl_s=0.06) as lease:
        with engine.begin() as connection:
            connection.execute(update(table).values(owner="two"))
        _eventually(lambda: not lease._thread.is_alive())
        with pytest.raises(LeaseLostError, match="another run has taken it"):
            lease.check()
    assert _row(engine).owner == "two"
    assert f"the lease {NAME} has passed to another run" in caplog.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_fails_for_a_while_costs_nothing(engine, take, clock, caplog):
    failing = threading.Event()
    failed = threading.Event()

    def fail(*_):
        if failing.is_set():
            failed.set()
            raise OperationalError("UPDATE", None, Exception("database is locked"))

    event.listen(engine, "before_cursor_execute", fail)
    with take("one", ttl_s=0.06) as lease:
        failing.set()
        assert failed.wait(10)
        lease.check()
        failing.clear()
        clock.pass_s(0.05)
        _eventually(lambda: _row(engine).expires_at == clock.now + timedelta(seconds=0.06))
        failing.set()
        with caplog.at_level(logging.WARNING):
            lease.release()
    event.remove(engine, "before_cursor_execute", fail)
    assert f"the lease {NAME} could not be renewed: OperationalError" in caplog.text
    assert f"the lease {NAME} could not be given back; it lapses at" in caplog.text


# -- processes ---------------------------------------------------------------------------------------

HOLD = """
import sys, time
from coursewire.storage.database.engine import open_engine
from coursewire.storage.locks.leases import Lease
with Lease.acquire(open_engine(sys.argv[1]), sys.argv[2], owner="child", ttl_s=3600):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def child(database_url):
    """A process of its own that holds the lease for an hour."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, database_url, NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_living_process_keeps_its_lease(engine, child):
    with pytest.raises(LeaseHeldError, match=f"process {child.pid} on"):
        Lease.acquire(engine, NAME, owner="two")
    assert live_owners(engine) == {"child"}
    child.communicate("", timeout=30)
    assert child.returncode == 0
    Lease.acquire(engine, NAME, owner="two").release()


def test_a_killed_process_loses_its_lease_at_once(engine, child):
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert live_owners(engine) == set(), "a zombie is dead"
    child.wait()
    assert live_owners(engine) == set()
    with Lease.acquire(engine, NAME, owner="two") as lease:
        lease.check()
        assert live_owners(engine) == {"two"}


def test_of_many_that_inherit_from_the_dead_one_gets_it(engine, child):
    child.kill()
    child.wait()
    ready = threading.Barrier(4)

    def race(number: int) -> bool:
        ready.wait()
        try:
            Lease.acquire(engine, NAME, owner=f"owner {number}")
        except LeaseHeldError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(race, range(4))) == 1


@pytest.mark.parametrize("process", [ELSEWHERE, None, "", "nonsense", "[]", '{"pid": 1}'])
def test_what_cannot_be_known_to_be_dead_keeps_its_lease(engine, take, clock, process):
    with engine.begin() as connection:
        expires_at = clock.now + timedelta(seconds=1)
        connection.execute(
            insert(table).values(
                name=NAME, owner="one", process=process, acquired_at=clock.now, expires_at=expires_at
            )
        )
    with pytest.raises(
        LeaseHeldError, match="on another-host" if process == ELSEWHERE else "process unknown"
    ):
        take("two")
    assert live_owners(engine, clock) == {"one"}
    clock.pass_s(1)
    take("two")


def _gone_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture(params=["proc", "posix"])
def way(request, monkeypatch, tmp_path):
    """Both ways of looking at processes: Linux's /proc, and whether somebody has the id on other systems."""
    if request.param == "posix":
        monkeypatch.setattr(processes, "_PROC", tmp_path)
    return request.param


def test_evidence_of_death(way):
    from dataclasses import replace

    here = Process.this()
    assert Process.parse(process_identity()) == here
    assert len(process_identity()) <= 255
    assert not here.surely_dead()
    assert replace(here, pid=_gone_pid()).surely_dead()
    given_again = replace(here, start="1").surely_dead()
    assert given_again is (way == "proc"), "another process with the same id is told apart by its start"
    for elsewhere in ({"host": "other"}, {"boot": "other"}, {"namespace": "other"}):
        assert not replace(here, pid=_gone_pid(), **elsewhere).surely_dead()
    assert not surely_dead(None)


def test_a_process_that_may_not_be_looked_at_is_not_declared_dead(way, monkeypatch):
    here = Process.this()

    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert not here.surely_dead()


def test_where_no_process_can_be_asked_about_none_is_declared_dead(monkeypatch, tmp_path):
    from dataclasses import replace

    monkeypatch.setattr(processes, "_PROC", tmp_path)
    gone = replace(Process.this(), pid=_gone_pid())
    monkeypatch.setattr(processes.os, "name", "nt")
    assert not gone.surely_dead()


def test_the_name_of_the_host_is_cut_to_fit(monkeypatch):
    import socket

    monkeypatch.setattr(socket, "gethostname", lambda: "h" * 253)
    assert len(process_identity()) <= 255

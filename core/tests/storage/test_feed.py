"""What lies ready for an LMS that fetches by itself: who is given what, and what counts as arrived."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from coursewire.model.inbound import PublishedItem
from coursewire.model.payload import canonical_json, digest
from coursewire.storage.audit.records import ContentRecord, ContentRecords
from coursewire.storage.audit.states import Event, State
from coursewire.storage.feed import ARRIVAL, Feed, Offer
from coursewire.storage.tables.records import configuration, feed_item, transmission
from coursewire.testing.database import count_statements

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
JOB = uuid.uuid4()


class Portal:
    """One configuration's feed, offered to and polled, with a clock that only the test moves."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.uuid = uuid.uuid4()
        self.now = NOON
        self.feed = Feed(engine, self.uuid)
        self.records = ContentRecords(engine, self.uuid)
        with engine.begin() as connection:
            connection.execute(
                insert(configuration).values(
                    uuid=self.uuid,
                    channel="PULL",
                    customer=str(uuid.uuid4()),
                    fields="{}",
                    active=True,
                    version=1,
                    created_at=NOON,
                    updated_at=NOON,
                )
            )

    def offer(self, *keys: str, retire: bool = False, **body: Any) -> set[str]:
        known = self.records.fetch(keys)
        offers = []
        for key in keys:
            record = known.get(key) or ContentRecord(
                configuration=self.uuid, content_key=key, remote_key=f"remote-{key}"
            )
            canonical = canonical_json({"key": key, "live": not retire, **body})
            plan = Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE
            record.happen(Event.PLAN_RETIRE if retire else plan)
            record.wanted_fingerprint = digest(canonical)
            offers.append(Offer(record, canonical))
        return self.feed.offer(offers, job=JOB, now=self.now)

    def poll(self, since: datetime | None = None, limit: int = 1000) -> list[PublishedItem]:
        return self.feed.poll(since=since, limit=limit, now=self.now)

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def state(self, key: str) -> tuple[State, str | None]:
        record = self.records.fetch([key])[key]
        return record.state, record.reason

    def log(self) -> list[tuple[str, str]]:
        t = transmission.c
        with self.engine.connect() as connection:
            rows = connection.execute(select(t.item, t.operation).order_by(t.id))
            return [tuple(row) for row in rows]


@pytest.fixture
def portal(engine: Engine) -> Portal:
    return Portal(engine)


def keys(offered: list[PublishedItem]) -> list[str]:
    return [one.content_key for one in offered]


def http_date(instant: datetime) -> datetime:
    """As ``If-Modified-Since`` carries it: without what is below a second."""
    return instant.replace(microsecond=0)


def test_times_of_change_rise_strictly_even_within_one_instant(portal: Portal) -> None:
    portal.offer("a", "b")
    portal.offer("c")

    times = [one.changed_at for one in portal.poll()]

    assert times == sorted(set(times))
    assert times[0] == NOON


def test_nothing_is_accepted_before_a_later_poll_says_so(portal: Portal) -> None:
    portal.offer("a")
    assert portal.state("a") == (State.OFFERED, "not-fetched")

    first = portal.poll()
    assert portal.state("a") == (State.OFFERED, "not-acknowledged")
    assert portal.log() == []

    portal.later(days=1)
    assert portal.poll(http_date(first[-1].changed_at)) == []

    record = portal.records.fetch(["a"])["a"]
    assert (record.state, record.present, record.reason, record.operation) == (
        State.CONFIRMED,
        True,
        None,
        None,
    )
    assert record.confirmed_fingerprint == record.wanted_fingerprint
    assert record.confirmed_at == portal.now
    assert portal.records.confirmed_payloads(["a"]) == {"a": {"key": "a", "live": True}}
    assert portal.log() == [("a", "create")]


def test_an_equal_poll_gets_an_equal_answer(portal: Portal) -> None:
    portal.offer("a", "b", "c")

    without = [portal.poll() for _ in range(3)]
    with_time = [portal.poll(NOON - timedelta(days=1)) for _ in range(3)]

    assert without[0] == without[1] == without[2]
    assert with_time[0] == with_time[1] == with_time[2] == without[0]
    assert portal.log() == []


def test_what_a_limit_left_over_comes_with_the_next_poll(portal: Portal) -> None:
    portal.offer("a", "b", "c", "d", "e")

    first = portal.poll(limit=2)
    portal.later(seconds=3)
    second = portal.poll(http_date(first[-1].changed_at), limit=2)
    again = portal.poll(http_date(first[-1].changed_at), limit=2)
    third = portal.poll(http_date(second[-1].changed_at), limit=2)

    assert (keys(first), keys(second), keys(third)) == (["a", "b"], ["c", "d"], ["e"])
    assert again == second
    assert portal.log() == [("a", "create"), ("b", "create"), ("c", "create"), ("d", "create")]


def test_an_item_older_than_the_poll_says_it_has_bears_a_later_time(portal: Portal) -> None:
    portal.offer("a")
    ahead = NOON + timedelta(hours=5)

    (one,) = portal.poll(ahead)
    (repeated,) = portal.poll(ahead)

    assert one == repeated
    assert one.changed_at == http_date(ahead) + timedelta(seconds=1)
    assert portal.poll(one.changed_at) == []
    portal.offer("a", title="new")
    (changed,) = portal.poll(http_date(one.changed_at))
    assert changed.changed_at > one.changed_at, "or the LMS would take it for old"


def test_a_lost_answer_is_given_again(portal: Portal) -> None:
    portal.offer("a")
    before = NOON - timedelta(hours=1)
    lost = portal.poll(before)
    portal.later(days=1)

    assert portal.poll(before) == lost
    assert portal.log() == []


def test_an_lms_that_lost_what_it_had_gets_it_again(portal: Portal) -> None:
    portal.offer("a", "b", "c")
    (*_, last) = portal.poll()
    portal.poll(http_date(last.changed_at))
    restored = NOON - timedelta(days=300)

    assert keys(portal.poll(restored, limit=2)) == ["a", "b"]
    assert keys(portal.poll(http_date(last.changed_at), limit=2)) == ["c"]
    assert len(portal.log()) == 3, "the records stand confirmed meanwhile"


def test_somebody_who_looks_at_the_list_takes_nothing_away(portal: Portal) -> None:
    portal.offer("a")
    portal.poll(NOON - timedelta(days=2))
    portal.offer("b")
    for _ in range(5):
        portal.later(hours=5)
        portal.poll()

    assert keys(portal.poll(NOON - timedelta(days=2))) == ["a", "b"]
    assert portal.log() == []


def test_an_lms_that_never_says_what_it_has_is_believed_after_a_while(portal: Portal) -> None:
    portal.offer("a", "b", "c")

    first = portal.poll(limit=2)
    portal.later(minutes=10)
    assert portal.poll(limit=2) == first
    portal.later(seconds=ARRIVAL.total_seconds())
    second = portal.poll(limit=2)

    assert keys(first) == ["a", "b"]
    assert keys(second) == ["c", "a"], "what waits first, then once more what went out longest ago"
    assert [key for key, _ in portal.log()] == ["a", "b"]
    portal.later(days=1)
    assert keys(portal.poll(limit=2)) == ["b", "a"], "a and c arrived together: the older change first"


def test_a_retirement_travels_like_a_change_and_a_return_does_too(portal: Portal) -> None:
    portal.offer("a")
    (first,) = portal.poll()
    portal.later(days=1)
    portal.poll(http_date(first.changed_at))
    portal.offer("a", retire=True)
    (gone,) = portal.poll(http_date(first.changed_at))
    assert (gone.live, gone.body["live"]) == (False, False)
    assert gone.changed_at > first.changed_at
    portal.later(days=1)
    assert portal.poll(http_date(gone.changed_at)) == []
    assert portal.state("a") == (State.RETIRED, None)
    assert portal.poll() == [], "who asks for everything is not told of what is gone"

    portal.offer("a")
    (back,) = portal.poll(http_date(gone.changed_at))

    assert (back.live, back.remote_key) == (True, first.remote_key)
    assert back.changed_at > gone.changed_at


def test_what_nobody_fetched_goes_without_a_word(portal: Portal) -> None:
    portal.offer("a", "b")
    portal.poll(limit=1)

    assert portal.offer("a", "b", retire=True) == {"b"}

    assert [(one.content_key, one.live) for one in portal.poll()] == [("a", False)]
    assert portal.state("b") == (State.RETIRED, "withdrawn")


def test_only_the_version_that_was_served_is_acknowledged(portal: Portal) -> None:
    portal.offer("a")
    (first,) = portal.poll()
    portal.offer("a", title="new")

    (second,) = portal.poll(http_date(first.changed_at))

    assert second.body["title"] == "new"
    assert portal.log() == []
    assert portal.state("a")[0] is State.OFFERED


def test_a_time_that_cannot_be_is_left_out_of_account(portal: Portal) -> None:
    portal.offer("a")

    (one,) = portal.poll(datetime(2099, 1, 1, tzinfo=UTC))

    assert one.changed_at == NOON
    portal.later(days=1)
    assert keys(portal.poll(NOON - timedelta(days=1))) == ["a"]


def test_a_record_that_a_run_overwrote_is_confirmed_by_the_next_poll(portal: Portal) -> None:
    portal.offer("a")
    (one,) = portal.poll()
    stale = portal.records.fetch(["a"])["a"]
    portal.poll(http_date(one.changed_at))
    portal.records.save([stale], now=portal.now)
    assert portal.state("a")[0] is State.OFFERED

    portal.poll(http_date(one.changed_at))

    assert portal.state("a") == (State.CONFIRMED, None)


def test_what_nobody_confirmed_is_not_counted_as_there(portal: Portal) -> None:
    portal.offer("a", "b")
    (first, *_) = portal.poll(limit=1)
    portal.poll(http_date(first.changed_at), limit=0)
    portal.offer("a", title="new")

    assert sorted(portal.records.counts(), key=str) == [
        ("offered", "not-fetched", False, 1),
        ("offered", "not-fetched", True, 1),
    ]


def test_two_configurations_do_not_meet(engine: Engine) -> None:
    one, other = Portal(engine), Portal(engine)
    one.offer("a")
    other.offer("a")
    (shown,) = one.poll()
    one.poll(http_date(shown.changed_at))

    assert other.state("a") == (State.OFFERED, "not-fetched")
    assert keys(other.poll()) == ["a"]


def test_a_poll_of_a_thousand_takes_a_handful_of_statements(portal: Portal) -> None:
    names = [f"course-{number:04}" for number in range(1000)]
    portal.offer(*names)
    with count_statements(portal.engine) as fetching:
        offered = portal.poll(NOON - timedelta(days=1))
    with count_statements(portal.engine) as acknowledging:
        assert portal.poll(http_date(offered[-1].changed_at)) == []

    assert keys(offered) == names
    assert fetching.count <= 12
    assert acknowledging.count <= 12
    with portal.engine.connect() as connection:
        acknowledged = connection.scalars(select(feed_item.c.acknowledged_at)).all()
    assert None not in acknowledged
    assert len(portal.log()) == 1000


def test_polls_and_offers_at_once_wait_for_each_other(portal: Portal) -> None:
    """The very first ones, too, when the feed's own row is not there yet."""

    def offer(number: int) -> None:
        record = ContentRecord(configuration=portal.uuid, content_key=f"k{number}", remote_key=f"r{number}")
        record.happen(Event.PLAN_CREATE)
        canonical = canonical_json({"n": number})
        record.wanted_fingerprint = digest(canonical)
        portal.feed.offer([Offer(record, canonical)], job=JOB, now=portal.now)

    def poll(number: int) -> None:
        portal.feed.poll(
            since=NOON - timedelta(days=number % 2) if number % 3 else None, limit=10, now=portal.now
        )

    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(offer if number % 2 else poll, number) for number in range(24)]
        for each in work:
            each.result()

    times = [one.changed_at for one in portal.poll()]
    assert len(times) == len(set(times)) == 12

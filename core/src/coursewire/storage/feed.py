"""The feed for an LMS that fetches by itself: publishing, polling, acknowledging.

This is the rule for one configuration. ``T`` is the instant of a poll's ``If-Modified-Since``, in whole seconds as HTTP
has it; an item's time is the instant at which its present version was published, strictly increasing.

1. A poll with T is given every item that is not acknowledged, oldest first, up to the limit. An item older than T
   bears T plus one second, so that an LMS which takes only what is newer than T takes it.
2. A poll with T acknowledges an item if its present version was served before, and T is not earlier than the second
   of the time that it was served with. An item with a later time than T counts as neither acknowledged nor served,
   even if it once was: the LMS says that it does not have it.
3. A poll without T is given everything: first the items that are not acknowledged, then the live ones, longest
   acknowledged first. It acknowledges nothing, unless the LMS never sends T: then an item counts as arrived if it was
   served more than :data:`ARRIVAL` ago.

So a lost answer is given again, the items beyond a limit come with the next poll, and a person who looks at the list
takes nothing away. A poll itself changes nothing that an equal one would notice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from more_itertools import batched
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from coursewire.model.inbound import PublishedItem
from coursewire.model.kinds import Kind
from coursewire.model.payload import Operation, ResultKind
from coursewire.model.reasons import Reason
from coursewire.storage.audit.records import KEYS_A_QUERY, ContentRecord, ContentRecords
from coursewire.storage.audit.states import Event, RecordState, State, after
from coursewire.storage.database.engine import writing
from coursewire.storage.database.upsert import upsert
from coursewire.storage.tables.records import content_record, feed, feed_item, transmission

ARRIVAL = timedelta(hours=1)
"""Time after which an answer counts as arrived at an LMS that never says up to when it has every change. LMSs poll about
once a day, and repeat a poll that failed within minutes."""

LONGEST_AHEAD = timedelta(days=1)
"""Longest time by which T may lie in the future, as clocks and time zones differ; a later T is ignored."""

_OF_A_VERSION = ("shown_at", "served_at", "last_served_at", "acknowledged_at")

SECOND = timedelta(seconds=1)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Offer:
    """A planned operation that is to be published.

    Attributes:
        record: Record with the pending operation.
        canonical: Payload as canonical JSON.
    """

    record: ContentRecord
    canonical: bytes


class Feed:
    """The published items of one configuration.

    All methods are synchronous and meant for a worker thread; each is one transaction. Publishing and polling of one
    configuration wait for each other.

    Args:
        engine: The database.
        configuration: UUID of the configuration.
    """

    def __init__(self, engine: Engine, configuration: UUID) -> None:
        self._engine = engine
        self._configuration = configuration
        self._mine: ColumnElement[bool] = feed_item.c.configuration == configuration

    def offer(
        self, offers: Sequence[Offer], *, left: Sequence[ContentRecord] = (), job: UUID, now: datetime
    ) -> set[str]:
        """Publish items in place of their earlier versions, and store their records.

        Args:
            offers: Items with a pending operation.
            left: Further records to store in the same transaction.
            job: UUID of the job that publishes.
            now: The present instant.

        Returns:
            Keys of retired items that the LMS never saw; they are deleted and never listed as retired.
        """
        records = ContentRecords(self._engine, self._configuration)
        with writing(self._engine) as connection:
            latest = self._lock(connection).latest_at
            retiring = [one.record.key for one in offers if one.record.operation is Operation.RETIRE]
            unseen = self._drop_unseen(connection, retiring)
            rows = []
            for one in offers:
                record = one.record
                live = record.operation is not Operation.RETIRE
                record.happen(Event.OFFER)
                record.job = None
                record.reason, record.message = Reason.NOT_FETCHED, None
                record.confirmed_fingerprint = None  # from now on the LMS may hold this or what it confirmed
                if record.key in unseen:
                    record.happen(Event.CONFIRM)
                    record.reason = Reason.WITHDRAWN
                    continue
                latest = max(now, latest + _TICK) if latest else now
                rows.append(
                    {
                        "configuration": self._configuration,
                        "content_key": record.key,
                        "remote_key": record.remote_key,
                        "live": live,
                        "fingerprint": record.wanted_fingerprint,
                        "body": one.canonical.decode(),
                        "job": job,
                        "changed_at": latest,
                        **dict.fromkeys(("first_served_at", *_OF_A_VERSION)),
                    }
                )
            key = ("configuration", "content_key")
            upsert(connection, feed_item, rows, key=key, keep=("first_served_at",))
            self._note(connection, latest_at=latest)
            records.write(connection, [*left, *(one.record for one in offers)], now=now)
        return unseen

    def poll(self, *, since: datetime | None, limit: int, now: datetime) -> list[PublishedItem]:
        """Answer a poll by the rule of this module, and acknowledge earlier answers.

        Args:
            since: Instant up to which the LMS says it has every change (T); None if it does not say.
            limit: Number of items at most.
            now: The present instant.
        """
        if since is not None:
            since = None if since > now + LONGEST_AHEAD else since.replace(microsecond=0)
        c = feed_item.c
        with writing(self._engine) as connection:
            before = self._lock(connection)
            if since is not None:
                bound = since + SECOND
                self._believe(connection, bound, now)
            elif before.polled_since_at is None:
                self._assume(connection, before.window_at, now)
            self._confirm(connection, since, now)
            pending = c.acknowledged_at.is_(None)
            query = select(feed_item).where(self._mine).limit(limit)
            if since is not None:
                query = query.where(pending).order_by(c.changed_at)
            else:
                waiting = case((pending, 0), else_=1)
                query = query.where(or_(pending, c.live)).order_by(waiting, c.acknowledged_at, c.changed_at)
            rows = connection.execute(query).all()
            self._mark_served(connection, [row.content_key for row in rows], since, now)
            notes: dict[str, Any] = {"polled_at": now}
            if since is not None:
                notes["polled_since_at"] = since
                if before.latest_at is not None:
                    notes["latest_at"] = max(before.latest_at, bound)
            elif before.window_at is None or before.window_at <= now - ARRIVAL:
                notes["window_at"] = now
            self._note(connection, **notes)
        return [_published(row, since) for row in rows]

    def published(self, content_key: str) -> PublishedItem | None:
        """Return one published item by its content key; None if there is none."""
        query = select(feed_item).where(self._mine, feed_item.c.content_key == content_key)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _published(row, None)

    def bodies(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the published payloads, by content key."""
        c = feed_item.c
        found: dict[str, dict[str, Any]] = {}
        with self._engine.connect() as connection:
            for some in batched(keys, KEYS_A_QUERY):
                query = select(c.content_key, c.body).where(self._mine, c.content_key.in_(some))
                found.update((key, orjson.loads(text)) for key, text in connection.execute(query))
        return found

    # -- parts of a transaction --------------------------------------------------------------------

    def _lock(self, connection: Connection) -> Row[Any]:
        """Return the feed's own row, locked to the end of the transaction; it is created if it is missing."""
        query = select(feed).where(feed.c.configuration == self._configuration).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is not None:
            return row
        try:
            with connection.begin_nested():
                connection.execute(insert(feed).values(configuration=self._configuration))
        except IntegrityError:
            pass  # another process was first
        return connection.execute(query).one()

    def _note(self, connection: Connection, **values: Any) -> None:
        connection.execute(update(feed).where(feed.c.configuration == self._configuration).values(**values))

    def _drop_unseen(self, connection: Connection, keys: Sequence[str]) -> set[str]:
        c = feed_item.c
        unseen: set[str] = set()
        for some in batched(keys, KEYS_A_QUERY):
            never = and_(self._mine, c.content_key.in_(some), c.first_served_at.is_(None))
            unseen.update(connection.scalars(select(c.content_key).where(never)))
            connection.execute(delete(feed_item).where(never))
        return unseen

    def _believe(self, connection: Connection, bound: datetime, now: datetime) -> None:
        """Believe the LMS: it has every item whose time is before ``bound``, and no other."""
        c = feed_item.c
        time = func.coalesce(c.shown_at, c.changed_at)
        arrived = and_(self._mine, c.acknowledged_at.is_(None), c.served_at.is_not(None), time < bound)
        connection.execute(update(feed_item).where(arrived).values(acknowledged_at=now))
        # What it does not have, no earlier answer has brought.
        given = or_(c.acknowledged_at.is_not(None), c.served_at.is_not(None))
        missing = and_(self._mine, given, time >= bound)
        connection.execute(update(feed_item).where(missing).values(acknowledged_at=None, served_at=None))

    def _assume(self, connection: Connection, window_at: datetime | None, now: datetime) -> None:
        """Count items as arrived that were served so long ago that the LMS would have asked again.

        Items that had arrived before and were served again go to the end of the queue.
        """
        if window_at is None or window_at > now - ARRIVAL:
            return
        c = feed_item.c
        arrived = and_(c.acknowledged_at.is_(None), c.served_at <= now - ARRIVAL)
        again = and_(c.acknowledged_at.is_not(None), c.last_served_at >= window_at)
        connection.execute(
            update(feed_item).where(self._mine, or_(arrived, again)).values(acknowledged_at=now)
        )

    def _confirm(self, connection: Connection, since: datetime | None, now: datetime) -> None:
        """Confirm the records of acknowledged items, and log it; a later poll repeats it if a run overwrote a record."""
        item, record = feed_item.c, content_record.c
        same = and_(
            record.configuration == item.configuration,
            record.content_key == item.content_key,
            record.state == State.OFFERED.value,
            record.wanted_fingerprint == item.fingerprint,
        )
        columns = (item.content_key, record.operation, item.fingerprint, item.job, item.served_at)
        query = (
            select(*columns)
            .select_from(feed_item.join(content_record, same))
            .where(self._mine, item.acknowledged_at.is_not(None))
        )
        rows = connection.execute(query).all()
        for operation in {row.operation for row in rows}:
            keys = [row.content_key for row in rows if row.operation == operation]
            self._confirm_alike(connection, Operation(operation), keys, now)
        said = f"If-Modified-Since {since:%Y-%m-%d %H:%M:%S} UTC" if since else "a later poll"
        if rows:
            connection.execute(
                insert(transmission),
                [
                    {
                        "configuration": self._configuration,
                        "kind": Kind.CONTENT.value,
                        "item": row.content_key,
                        "operation": row.operation,
                        "result": ResultKind.ACCEPTED.value,
                        "message": f"fetched {row.served_at:%Y-%m-%d %H:%M:%S} UTC, acknowledged by {said}",
                        "fingerprint": row.fingerprint,
                        "job": row.job,
                        "at": now,
                    }
                    for row in rows
                ],
            )

    def _confirm_alike(
        self, connection: Connection, operation: Operation, keys: Sequence[str], now: datetime
    ) -> None:
        c = content_record.c
        target = after(RecordState(State.OFFERED, operation, present=True), Event.CONFIRM)
        body = (
            select(feed_item.c.body)
            .where(self._mine, feed_item.c.content_key == c.content_key)
            .scalar_subquery()
        )
        values = {
            "state": target.state.value,
            "operation": None,
            "present": target.present,
            "confirmed_fingerprint": c.wanted_fingerprint,
            "confirmed_payload": body,
            "confirmed_at": now,
            "attempts": 0,
            "reason": None,
            "message": None,
            "updated_at": now,
        }
        for some in batched(keys, KEYS_A_QUERY):
            connection.execute(
                update(content_record)
                .where(c.configuration == self._configuration, c.content_key.in_(some))
                .values(values)
            )

    def _mark_served(
        self, connection: Connection, keys: Collection[str], since: datetime | None, now: datetime
    ) -> None:
        c, r = feed_item.c, content_record.c
        values: Mapping[str, Any] = {
            "first_served_at": func.coalesce(c.first_served_at, now),
            "served_at": func.coalesce(c.served_at, now),
            "last_served_at": now,
        }
        if since is not None:
            bound = since + SECOND
            shown = case((c.changed_at >= bound, c.changed_at), else_=bound)
            values = {**values, "shown_at": case((c.shown_at > shown, c.shown_at), else_=shown)}
        for some in batched(keys, KEYS_A_QUERY):
            connection.execute(update(feed_item).where(self._mine, c.content_key.in_(some)).values(values))
            connection.execute(
                update(content_record)
                .where(r.configuration == self._configuration, r.content_key.in_(some))
                .where(r.state == State.OFFERED.value, r.reason == Reason.NOT_FETCHED)
                .values(reason=Reason.NOT_ACKNOWLEDGED, attempted_at=now)
            )


def _published(row: Row[Any], since: datetime | None) -> PublishedItem:
    changed_at = row.changed_at if since is None else max(row.changed_at, since + SECOND)
    return PublishedItem(row.content_key, row.remote_key, orjson.loads(row.body), bool(row.live), changed_at)

"""The stored links between learners and their ids at an LMS. No match and several matches are states too.

Everything here is synchronous and meant for a worker thread; each function is one short transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from more_itertools import batched
from sqlalchemy import ColumnElement, Engine, and_, delete, func, select

from coursewire.model.identity import BY_HAND, FROM_LAUNCH, Identity, IdentityState
from coursewire.model.reasons import Reason
from coursewire.storage.audit.records import KEYS_A_QUERY
from coursewire.storage.database.upsert import upsert
from coursewire.storage.tables.records import identity_link, outcome_record

UNMATCHED = (Reason.LEARNER_UNMATCHED, Reason.LEARNER_AMBIGUOUS)
"""Why the outcomes of a learner without an id wait."""


class Unmatched(NamedTuple):
    """A learner whose outcomes wait for an id.

    Attributes:
        username: At the platform.
        reason: ``learner-unmatched`` or ``learner-ambiguous``.
        provider: The identity provider that was asked; "" for none.
        known_as: The id that is linked but that the LMS does not know; None where none is known here.
        origin: How the id was looked for, a code such as ``only-provider``.
        outcomes: How many wait.
    """

    username: str
    reason: str
    known_as: str | None
    provider: str
    origin: str
    outcomes: int


class IdentityLinks:
    """The links of one configuration."""

    def __init__(self, engine: Engine, configuration: UUID) -> None:
        self._engine = engine
        self._configuration = configuration

    @property
    def _mine(self) -> ColumnElement[bool]:
        return identity_link.c.configuration == self._configuration

    def fetch(self, usernames: Sequence[str]) -> dict[str, Identity]:
        """What is stored of these learners, by username."""
        c = identity_link.c
        found = {}
        with self._engine.connect() as connection:
            for some in batched(usernames, KEYS_A_QUERY):
                query = select(c.username, c.state, c.remote_id, c.provider, c.origin)
                for name, state, value, provider, origin in connection.execute(
                    query.where(self._mine, c.username.in_(some))
                ):
                    found[name] = Identity(IdentityState(state), value, provider or "", origin)
        return found

    def save(self, links: Mapping[str, Identity], *, now: datetime) -> None:
        """Store what was found, by username.

        Links that a person made stay as they are; those that learners brought along do where nothing was found.
        """
        c = identity_link.c
        with self._engine.begin() as connection:
            for some in batched(links, KEYS_A_QUERY):
                query = select(c.username, c.origin).where(self._mine, c.username.in_(some))
                kept = {
                    name
                    for name, origin in connection.execute(query)
                    if origin == BY_HAND or (origin == FROM_LAUNCH and links[name].value is None)
                }
                rows = [self._row(name, links[name], now) for name in some if name not in kept]
                upsert(connection, identity_link, rows, key=("configuration", "username"))

    def link(self, username: str, remote_id: str, *, now: datetime) -> None:
        """Say by hand which id a learner has. It stands above what the source says, until :meth:`unlink`."""
        made = Identity(IdentityState.LINKED, remote_id, "", BY_HAND)
        with self._engine.begin() as connection:
            upsert(
                connection,
                identity_link,
                [self._row(username, made, now)],
                key=("configuration", "username"),
            )

    def unlink(self, username: str) -> bool:
        """Take a link that was made by hand back; False when there is none."""
        c = identity_link.c
        with self._engine.begin() as connection:
            gone = connection.execute(
                delete(identity_link).where(self._mine, c.username == username, c.origin == BY_HAND)
            )
            return gone.rowcount == 1

    def unmatched(self, *, after: str = "", limit: int = 500) -> list[Unmatched]:
        """Learners whose outcomes wait for an id, in the order of their usernames, from ``after`` on.

        They were held back here because no single id is known, or the LMS did not know the id.
        """
        record, link = outcome_record.c, identity_link.c
        same = and_(link.configuration == record.configuration, link.username == record.username)
        query = (
            select(
                record.username,
                func.max(record.reason),
                func.max(link.remote_id),
                func.max(link.provider),
                func.max(link.origin),
                func.count(),
            )
            .select_from(outcome_record.outerjoin(identity_link, same))
            .where(
                record.configuration == self._configuration,
                record.reason.in_(UNMATCHED),
                record.username > after,
            )
            .group_by(record.username)
            .order_by(record.username)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [
                Unmatched(name, reason, known_as, provider or "", origin or "", count)
                for name, reason, known_as, provider, origin, count in connection.execute(query)
            ]

    @staticmethod
    def configurations_with_unmatched(engine: Engine) -> set[UUID]:
        """The configurations that have learners of :meth:`unmatched`: few, and found without a look at each."""
        record = outcome_record.c
        query = select(record.configuration).where(record.reason.in_(UNMATCHED)).distinct()
        with engine.connect() as connection:
            return set(connection.scalars(query))

    def _row(self, username: str, link: Identity, now: datetime) -> dict[str, object]:
        return {
            "configuration": self._configuration,
            "username": username,
            "state": link.state.value,
            "remote_id": link.value,
            "provider": link.provider or None,
            "origin": link.origin,
            "checked_at": now,
        }

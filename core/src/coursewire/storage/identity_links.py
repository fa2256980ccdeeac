"""Stored links between learners and their ids at an LMS; no match and several matches are states too.

All functions are synchronous and meant for a worker thread; each is one short transaction.
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
        username: Username of the learner at the platform.
        reason: ``learner-unmatched`` or ``learner-ambiguous``.
        provider: Identity provider that the id was looked for at; "" for none.
        known_as: Linked id that the LMS does not know; None if no id is linked.
        origin: Code of the way in which the id was looked for, such as ``only-provider``.
        outcomes: Number of outcomes that wait.
    """

    username: str
    reason: str
    known_as: str | None
    provider: str
    origin: str
    outcomes: int


class IdentityLinks:
    """The links of one configuration.

    Args:
        engine: The database.
        configuration: UUID of the configuration.
    """

    def __init__(self, engine: Engine, configuration: UUID) -> None:
        self._engine = engine
        self._configuration = configuration

    @property
    def _mine(self) -> ColumnElement[bool]:
        return identity_link.c.configuration == self._configuration

    def fetch(self, usernames: Sequence[str]) -> dict[str, Identity]:
        """Return the stored identities of these learners, by username."""
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

    def with_origin(self, *origins: str) -> dict[str, Identity]:
        """Return the links of these origins, such as ``by-hand``, by username."""
        c = identity_link.c
        query = select(c.username, c.state, c.remote_id, c.provider, c.origin)
        with self._engine.connect() as connection:
            return {
                name: Identity(IdentityState(state), value, provider or "", origin)
                for name, state, value, provider, origin in connection.execute(
                    query.where(self._mine, c.origin.in_(origins))
                )
            }

    def save(self, links: Mapping[str, Identity], *, now: datetime) -> None:
        """Store identities, by username.

        A link that a person made stays as it is; a link from a launch stays if no id was found.
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
        """Link a learner to an id by hand; this link overrides the source until :meth:`unlink`."""
        made = Identity(IdentityState.LINKED, remote_id, "", BY_HAND)
        with self._engine.begin() as connection:
            upsert(
                connection,
                identity_link,
                [self._row(username, made, now)],
                key=("configuration", "username"),
            )

    def unlink(self, username: str) -> bool:
        """Remove a link that was made by hand; return False if there is none."""
        c = identity_link.c
        with self._engine.begin() as connection:
            gone = connection.execute(
                delete(identity_link).where(self._mine, c.username == username, c.origin == BY_HAND)
            )
            return gone.rowcount == 1

    def unmatched(self, *, after: str = "", limit: int = 500) -> list[Unmatched]:
        """Return learners whose outcomes wait for an id, in the order of their usernames, those after ``after``.

        Their outcomes wait because no single id is known here, or because the LMS did not know the id.
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
        """Return the configurations with learners of :meth:`unmatched`, found by one query."""
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

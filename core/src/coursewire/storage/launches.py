"""Launches: learners who came from an LMS, with their id there, the path for results, and the session token, encrypted.

All functions are synchronous and meant for a worker thread; each method is one short transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Row, func, select, update

from coursewire.model.identity import FROM_LAUNCH, Identity, IdentityState
from coursewire.model.inbound import Launch
from coursewire.model.reasons import Reason
from coursewire.storage.database.engine import writing
from coursewire.storage.database.upsert import upsert
from coursewire.storage.identity_links import IdentityLinks
from coursewire.storage.tables.records import launch, outcome_record


class Box(Protocol):
    """A box that encrypts tokens, such as the installation's secrets."""

    def encrypt(self, plain: bytes, /) -> bytes:
        """Return the ciphertext of data."""
        ...

    def decrypt(self, ciphertext: bytes, /) -> bytes:
        """Return the data of a ciphertext."""
        ...


class Newest(NamedTuple):
    """The newest launch of a configuration, and the paths for results of learners who have another one.

    Attributes:
        launch: The newest launch of any learner.
        callbacks: Callback path by the learner's id at the LMS, for learners whose own newest launch has another
            callback than the newest launch of all.
    """

    launch: Launch
    callbacks: dict[str, str]


class Launches:
    """The launches of one configuration.

    Args:
        engine: The database.
        box: Box that encrypts the session tokens.
        configuration: UUID of the configuration.
    """

    def __init__(self, engine: Engine, box: Box, configuration: UUID) -> None:
        self._engine = engine
        self._box = box
        self._configuration = configuration

    def __repr__(self) -> str:
        return f"<Launches of configuration {self._configuration}>"

    @property
    def _mine(self) -> ColumnElement[bool]:
        return launch.c.configuration == self._configuration

    def save(self, brought: Launch) -> None:
        """Store a launch, link its learner to the id at the LMS, and let outcomes go that waited for a newer token."""
        row = {
            "configuration": self._configuration,
            "username": brought.username,
            "course_key": brought.course_key,
            "remote_id": brought.remote_id,
            "callback": brought.callback,
            "ciphertext": self._box.encrypt(brought.token.encode()),
            "received_at": brought.received_at,
        }
        key = ("configuration", "username", "course_key")
        waiting = outcome_record.c
        with writing(self._engine) as connection:
            upsert(connection, launch, [row], key=key)
            connection.execute(
                update(outcome_record)
                .where(
                    waiting.configuration == self._configuration,
                    waiting.reason == Reason.LAUNCH_NEEDED,
                )
                .values(not_before_at=None)
            )
        link = Identity(IdentityState.LINKED, brought.remote_id, "", FROM_LAUNCH)
        IdentityLinks(self._engine, self._configuration).save(
            {brought.username: link}, now=brought.received_at
        )

    def newest(self) -> Newest | None:
        """Return the newest launch; None if no learner has come from the LMS yet."""
        c = launch.c
        with self._engine.connect() as connection:
            row = connection.execute(
                select(launch).where(self._mine).order_by(c.received_at.desc()).limit(1)
            ).one_or_none()
            if row is None:
                return None
            last = select(c.remote_id, func.max(c.received_at).label("at")).where(self._mine)
            of_each = last.group_by(c.remote_id).subquery()
            same = (c.remote_id == of_each.c.remote_id) & (c.received_at == of_each.c.at)
            others = connection.execute(
                select(c.remote_id, c.callback)
                .join(of_each, same)
                .where(self._mine, c.callback != row.callback)
            ).all()
        return Newest(self._opened(row), {one.remote_id: one.callback for one in others})

    def of(self, username: str) -> list[Launch]:
        """Return the launches of one learner, the newest first."""
        c = launch.c
        query = select(launch).where(self._mine, c.username == username).order_by(c.received_at.desc())
        with self._engine.connect() as connection:
            return [self._opened(row) for row in connection.execute(query)]

    def received_at(self) -> datetime | None:
        """Return the instant of the newest launch, without decrypting its token; None if there is none."""
        with self._engine.connect() as connection:
            found: datetime | None = connection.scalar(
                select(func.max(launch.c.received_at)).where(self._mine)
            )
        return found

    def _opened(self, row: Row[tuple[object, ...]]) -> Launch:
        return Launch(
            username=row.username,
            course_key=row.course_key,
            remote_id=row.remote_id,
            callback=row.callback,
            token=self._box.decrypt(bytes(row.ciphertext)).decode(),
            received_at=row.received_at,
        )

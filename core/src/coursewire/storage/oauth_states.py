"""OAuth states of grants under way: single-use, bound to a session, valid for minutes, and stored as digests only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from coursewire.storage.tables.records import oauth_state

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

KEPT_AFTER_END = timedelta(days=1)
"""For how long it is remembered that a state was there once, to tell "expired" from "unknown"."""


class StateFault(StrEnum):
    """Reason for which a state is refused."""

    UNKNOWN = "state-unknown"
    EXPIRED = "state-expired"
    USED = "state-used"
    OTHER_SESSION = "other-session"


@dataclass(frozen=True, slots=True)
class Begun:
    """A grant under way.

    Attributes:
        configuration: UUID of the configuration.
        redirect_uri: URL to which the LMS was asked to send the browser.
        verifier: Encrypted secret of RFC 7636; None if the channel does not use it.
    """

    configuration: UUID
    redirect_uri: str
    verifier: bytes | None = field(default=None, repr=False)


class OAuthStates:
    """The stored OAuth states.

    Args:
        engine: The database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, state: str, begun: Begun, *, session: str, now: datetime, expires_at: datetime) -> None:
        """Store a state, and delete states that ended long ago."""
        with self._engine.begin() as connection:
            connection.execute(delete(oauth_state).where(oauth_state.c.expires_at < now - KEPT_AFTER_END))
            connection.execute(
                insert(oauth_state).values(
                    state=_digest(state),
                    configuration=begun.configuration,
                    session=_digest(session),
                    redirect_uri=begun.redirect_uri,
                    verifier=begun.verifier,
                    expires_at=expires_at,
                )
            )

    def take(self, state: str, *, session: str, now: datetime) -> Begun | StateFault:
        """Use a state up; of several callers at once, one gets it.

        A call from another session is refused, and the state stays usable.
        """
        mine = oauth_state.c.state == _digest(state)
        good = (
            mine,
            oauth_state.c.session == _digest(session),
            oauth_state.c.used_at.is_(None),
            oauth_state.c.expires_at > now,
        )
        with self._engine.begin() as connection:
            taken = connection.execute(update(oauth_state).where(*good).values(used_at=now)).rowcount == 1
            row = connection.execute(select(oauth_state).where(mine)).one_or_none()
        if row is None:
            return StateFault.UNKNOWN
        if taken:
            return Begun(row.configuration, row.redirect_uri, row.verifier)
        if row.session != _digest(session):
            return StateFault.OTHER_SESSION
        return StateFault.EXPIRED if row.used_at is None else StateFault.USED


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

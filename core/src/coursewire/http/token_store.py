"""Stores of tokens, and the right to renew one: the tables ``token`` and ``lease``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from coursewire.model.session import Token
from coursewire.storage.tables.records import lease, token

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine


class SecretBox(Protocol):
    """A box that encrypts data that must not stand in the database in clear."""

    def encrypt(self, data: bytes, /) -> bytes:
        """Return the ciphertext of data."""
        ...

    def decrypt(self, token: bytes, /) -> bytes:
        """Return the data of a ciphertext."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored token and the instant at which it was obtained."""

    token: Token
    obtained_at: datetime

    def lasts(self, now: datetime, margin_s: float) -> bool:
        """Return True while more than the margin is left.

        The margin is never more than a quarter of the lifetime, since a token that lives a minute would otherwise be
        renewed for every request.
        """
        lifetime = self.token.expires_at - self.obtained_at
        return now < self.token.expires_at - min(timedelta(seconds=margin_s), lifetime / 4)


class TokenStore(Protocol):
    """The tokens of one configuration, by subject. Methods may block; call them in a thread."""

    def load(self, subject: str) -> Kept | None:
        """Return the stored token, which may have expired; None if there is none."""
        ...

    def save(self, subject: str, kept: Kept) -> None:
        """Replace the stored token, in a transaction of its own."""
        ...

    def expire(self, subject: str, now: datetime) -> None:
        """Expire the stored token, so that no other session uses it; its refresh token stays readable."""
        ...

    def lock(self, subject: str, owner: str, now: datetime, lapses_at: datetime) -> bool:
        """Take the right to renew; return False while another process has it."""
        ...

    def unlock(self, subject: str, owner: str, now: datetime) -> None:
        """Give the right to renew back, unless it has lapsed and another process has it."""
        ...


# Asked for every token of every request; to build a statement takes longer than to run it.
_MINE = and_(token.c.configuration == bindparam("whose"), token.c.subject == bindparam("whom"))
_LOAD = select(token.c.ciphertext, token.c.expires_at, token.c.updated_at).where(_MINE)
_DROP = delete(token).where(_MINE)
_EXPIRE = (
    update(token).where(_MINE, token.c.expires_at > bindparam("now")).values(expires_at=bindparam("now"))
)
_THIS = lease.c.name == bindparam("lease")
_LEASE = select(lease.c.name).where(_THIS)
_LOCK = update(lease).where(_THIS, or_(lease.c.owner.is_(None), lease.c.expires_at <= bindparam("now")))
_UNLOCK = update(lease).where(_THIS, lease.c.owner == bindparam("holder"))


class SqlTokenStore:
    """Tokens in the database, encrypted.

    Args:
        engine: The installation's database.
        box: Box that encrypts the values.
        configuration: UUID of the configuration.
        destination: Digest of the configuration's destination. A token that a session for another destination stored is
            not given out, also when that session began before the configuration was changed. None gives out every token.
    """

    def __init__(
        self, engine: Engine, box: SecretBox, configuration: UUID, destination: str | None = None
    ) -> None:
        self._destination = destination
        self._engine = engine
        self._box = box
        self._configuration = configuration

    def __repr__(self) -> str:
        return f"<SqlTokenStore of configuration {self._configuration}>"

    def load(self, subject: str) -> Kept | None:
        """See :meth:`TokenStore.load`."""
        with self._engine.connect() as connection:
            row = connection.execute(_LOAD, self._whose(subject)).one_or_none()
        if row is None:
            return None
        values = orjson.loads(self._box.decrypt(row.ciphertext))
        bound_to = values.get("destination")
        if None not in (bound_to, self._destination) and bound_to != self._destination:
            return None
        return Kept(
            Token(values["value"], row.expires_at, refresh_token=values["refresh_token"]), row.updated_at
        )

    def save(self, subject: str, kept: Kept) -> None:
        """See :meth:`TokenStore.save`."""
        values = {
            "value": kept.token.value,
            "refresh_token": kept.token.refresh_token,
            "destination": self._destination,
        }
        row = {
            "ciphertext": self._box.encrypt(orjson.dumps(values)),
            "expires_at": kept.token.expires_at,
            "updated_at": kept.obtained_at,
        }
        with self._engine.begin() as connection:
            # Only the holder of the lease writes, so that delete and insert cannot meet another's.
            connection.execute(_DROP, self._whose(subject))
            connection.execute(
                insert(token), {"configuration": self._configuration, "subject": _digest(subject), **row}
            )

    def expire(self, subject: str, now: datetime) -> None:
        """See :meth:`TokenStore.expire`."""
        with self._engine.begin() as connection:
            connection.execute(_EXPIRE, {**self._whose(subject), "now": now})

    def lock(self, subject: str, owner: str, now: datetime, lapses_at: datetime) -> bool:
        """See :meth:`TokenStore.lock`."""
        held = {"owner": owner, "expires_at": lapses_at, "acquired_at": now}
        name = self._lease_name(subject)
        with self._engine.begin() as connection:
            if connection.execute(_LOCK, {"lease": name, "now": now, **held}).rowcount:
                return True
        with self._engine.connect() as connection:
            if connection.scalar(_LEASE, {"lease": name}) is not None:
                return False
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(lease), {"name": name, **held})
        except IntegrityError:
            return False  # another process was first
        return True

    def unlock(self, subject: str, owner: str, now: datetime) -> None:
        """See :meth:`TokenStore.unlock`."""
        mine = {"lease": self._lease_name(subject), "holder": owner}
        with self._engine.begin() as connection:
            connection.execute(_UNLOCK, {**mine, "owner": None, "expires_at": now})

    def _whose(self, subject: str) -> dict[str, Any]:
        return {"whose": self._configuration, "whom": _digest(subject)}

    def _lease_name(self, subject: str) -> str:
        return f"token:{self._configuration}:{_digest(subject)}"


class MemoryTokenStore:
    """Tokens of one process, for tests and for trying out a draft that is not stored."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def load(self, subject: str) -> Kept | None:
        """See :meth:`TokenStore.load`."""
        return self._kept.get(subject)

    def save(self, subject: str, kept: Kept) -> None:
        """See :meth:`TokenStore.save`."""
        self._kept[subject] = kept

    def expire(self, subject: str, now: datetime) -> None:
        """See :meth:`TokenStore.expire`."""
        if kept := self._kept.get(subject):
            self._kept[subject] = replace(kept, token=replace(kept.token, expires_at=now))

    def lock(self, subject: str, owner: str, now: datetime, lapses_at: datetime) -> bool:
        """See :meth:`TokenStore.lock`; within one process there is no other caller."""
        return True

    def unlock(self, subject: str, owner: str, now: datetime) -> None:
        """See :meth:`TokenStore.unlock`."""


def _digest(subject: str) -> str:
    """Return the digest of a subject, which may be a person, so that only the digest is stored."""
    return hashlib.sha256(subject.encode()).hexdigest()

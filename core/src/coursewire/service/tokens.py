"""API tokens: shown once, kept as a digest, expiring, revocable."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Engine, insert, select, update

from coursewire.model.instant import Clock, utc_now
from coursewire.service.rights import Caller, RoleAssignment
from coursewire.service.role_assignments import assignments_of, joined_assignments, write_assignments
from coursewire.storage.database.engine import writing
from coursewire.storage.tables.access import access_grant, api_token

PREFIX = "cw_"
"""By which secret scanners and people recognise one."""

USE_NOTED_EVERY = timedelta(hours=1)
"""A token in use costs one write in this time, not one a call."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its value."""

    uuid: UUID
    name: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None
    assignments: tuple[RoleAssignment, ...]


class ApiTokens:
    """The tokens of an installation. Synchronous; meant for a worker thread."""

    def __init__(self, engine: Engine, *, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    def add(
        self,
        name: str,
        assignments: Iterable[RoleAssignment],
        *,
        created_by: str,
        expires_at: datetime | None,
    ) -> tuple[ApiToken, str]:
        """Make a token.

        Args:
            name: A name for people.
            assignments: The roles of its bearer.
            created_by: The name of the caller who made it.
            expires_at: From when on it is refused; None for never.

        Returns:
            The token, and its value, which is not kept: 43 characters of chance behind :data:`PREFIX`.
        """
        value = PREFIX + secrets.token_urlsafe(32)
        uuid, now = uuid4(), self._clock()
        with writing(self._engine) as connection:
            connection.execute(
                insert(api_token).values(
                    uuid=uuid,
                    name=name,
                    digest=digest_of(value),
                    created_by=created_by,
                    created_at=now,
                    expires_at=expires_at,
                )
            )
            write_assignments(connection, uuid, assignments)
        return self.get(uuid), value

    def get(self, uuid: UUID) -> ApiToken:
        """Return one token.

        Raises:
            LookupError: There is no such token.
        """
        found = [token for token in self.list() if token.uuid == uuid]
        if not found:
            raise LookupError(f"there is no token {uuid}")
        return found[0]

    def list(self) -> Sequence[ApiToken]:
        """Return all tokens, oldest first, also those that are over."""
        columns = [column for column in api_token.columns if column.name != "digest"]
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(*columns).order_by(api_token.c.created_at, api_token.c.uuid)
            ).all()
            assignments = assignments_of(connection, [row.uuid for row in rows])
        return [ApiToken(**row._mapping, assignments=assignments.get(row.uuid, ())) for row in rows]

    def revoke(self, uuid: UUID) -> bool:
        """End a token at once; False when there is none, or it was revoked before."""
        c = api_token.c
        with writing(self._engine) as connection:
            ended = connection.execute(
                update(api_token)
                .where(c.uuid == uuid, c.revoked_at.is_(None))
                .values(revoked_at=self._clock())
            )
        return ended.rowcount == 1

    def caller(self, value: str) -> Caller | None:
        """Return the caller who bears a token; None when it is unknown, revoked or over."""
        c, g, now = api_token.c, access_grant.c, self._clock()
        query = (
            select(c.uuid, c.name, c.expires_at, c.revoked_at, c.used_at, g.role, g.customer)
            .select_from(api_token.outerjoin(access_grant, g.holder == c.uuid))
            # Looked up by digest: how long the comparison takes tells nothing of the token.
            .where(c.digest == digest_of(value))
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return None
        row = rows[0]
        if row.revoked_at is not None or (row.expires_at and row.expires_at <= now):
            return None
        if row.used_at is None or now - row.used_at >= USE_NOTED_EVERY:
            with writing(self._engine) as connection:
                connection.execute(update(api_token).where(c.uuid == row.uuid).values(used_at=now))
        return Caller(row.uuid, f"token {row.name}", joined_assignments(rows))


def digest_of(value: str) -> str:
    """Return the SHA-256 of a random value; one with 256 bits of chance needs no slow hash."""
    return hashlib.sha256(value.encode()).hexdigest()

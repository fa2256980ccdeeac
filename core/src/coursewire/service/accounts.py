"""The people who sign in to the console: their passwords, lock-out and sessions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from coursewire.errors import ConfigurationError
from coursewire.model.instant import Clock, utc_now
from coursewire.service.rights import Caller, RoleAssignment
from coursewire.service.role_assignments import assignments_of, joined_assignments, write_assignments
from coursewire.service.tokens import digest_of
from coursewire.storage.database.engine import writing
from coursewire.storage.tables.access import access_grant, account, console_session

if TYPE_CHECKING:
    from typing import Any

    from argon2 import PasswordHasher
    from pydantic import SecretStr

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
MOST_TRIES = 20
"""Times that an attempt is counted anew because another one was counted meanwhile; then it is refused."""
FAILURES_BEFORE_LOCK = 5
LONGEST_LOCK = timedelta(hours=1)
SESSION_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account, without the password."""

    uuid: UUID
    name: str
    disabled_at: datetime | None
    locked_until_at: datetime | None
    created_at: datetime
    assignments: tuple[RoleAssignment, ...]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun: the cookie's value is kept nowhere else."""

    cookie: str
    expires_at: datetime


class Accounts:
    """The accounts and sessions of an installation. Synchronous; meant for a worker thread.

    Args:
        engine: The database.
        clock: The present instant.
        hasher: The hasher of passwords; argon2id with the library's recommended costs when left out.
    """

    def __init__(
        self, engine: Engine, *, clock: Clock = utc_now, hasher: PasswordHasher | None = None
    ) -> None:
        from argon2 import PasswordHasher  # noqa: PLC0415 - only the service has it

        self._engine = engine
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._nobody: str | None = None

    # -- people ----------------------------------------------------------------------------------

    def add(self, name: str, password: SecretStr | None, assignments: Iterable[RoleAssignment]) -> Account:
        """Add a person; without a password for one who signs in elsewhere (OpenID Connect).

        Raises:
            ConfigurationError: The name is taken or blank, or the password too short.
        """
        name = name.strip()
        if not name:
            raise ConfigurationError(
                "an account needs a name", next_step="Give one, such as an e-mail address."
            )
        hashed = self._hash(password) if password else None
        uuid, now = uuid4(), self._clock()
        try:
            with writing(self._engine) as connection:
                connection.execute(
                    insert(account).values(
                        uuid=uuid, name=name, password_hash=hashed, failures=0, created_at=now, updated_at=now
                    )
                )
                write_assignments(connection, uuid, assignments)
        except IntegrityError:
            raise ConfigurationError(
                f"there is an account {name!r} already", next_step="Choose another name, or change that one."
            ) from None
        return self.find(name)

    def find(self, name: str) -> Account:
        """Return one account by its name.

        Raises:
            ConfigurationError: There is no such account.
        """
        for each in self.list():
            if each.name == name:
                return each
        raise ConfigurationError(
            f"there is no account {name!r}", next_step="`coursewire access list` shows those there are."
        )

    def list(self) -> Sequence[Account]:
        """Return all accounts, in the order of their names."""
        c = account.c
        columns = (c.uuid, c.name, c.disabled_at, c.locked_until_at, c.created_at)
        with self._engine.connect() as connection:
            rows = connection.execute(select(*columns).order_by(c.name)).all()
            assignments = assignments_of(connection, [row.uuid for row in rows])
        return [Account(**row._mapping, assignments=assignments.get(row.uuid, ())) for row in rows]

    def assign_roles(self, name: str, assignments: Iterable[RoleAssignment]) -> Account:
        """Give a person these roles, in place of those they had; they are in force at once."""
        found = self.find(name)
        with writing(self._engine) as connection:
            write_assignments(connection, found.uuid, assignments)
        return self.find(name)

    def set_password(self, name: str, password: SecretStr) -> None:
        """Set another password, lift a lock, and end every session of the account."""
        found, hashed = self.find(name), self._hash(password)
        self._change(
            found.uuid, {"password_hash": hashed, "failures": 0, "locked_until_at": None}, end_sessions=True
        )

    def disable(self, name: str, *, disabled: bool = True) -> Account:
        """Shut a person out at once, or let them in again."""
        found = self.find(name)
        self._change(found.uuid, {"disabled_at": self._clock() if disabled else None}, end_sessions=disabled)
        return self.find(name)

    def remove(self, name: str) -> None:
        """Remove an account; histories keep its name."""
        found = self.find(name)
        with writing(self._engine) as connection:
            connection.execute(delete(console_session).where(console_session.c.account == found.uuid))
            connection.execute(delete(access_grant).where(access_grant.c.holder == found.uuid))
            connection.execute(delete(account).where(account.c.uuid == found.uuid))

    # -- signing in ------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str) -> SignedIn | None:
        """Begin a session; None for a wrong name or password, a locked or a disabled account.

        All four look and last the same. After :data:`FAILURES_BEFORE_LOCK` wrong passwords in a row the account
        is locked for a minute, and twice as long after each further one, up to an hour. An attempt is counted before its
        password is looked at, so that guesses side by side are as many as one after the other.
        """
        row, counted = self._count_attempt(name.strip())
        right = self._verify(row.password_hash if row else None, password)
        if row is None or not counted or not right:
            return None
        values: dict[str, Any] = {"failures": 0, "locked_until_at": None}
        if self._hasher.check_needs_rehash(row.password_hash):
            values["password_hash"] = self._hasher.hash(password)
        self._change(row.uuid, values)
        return self.begin_session(row.uuid)

    def enter(self, name: str) -> SignedIn | None:
        """Begin a session of somebody whom another service has proved to be ``name``.

        None when there is no such account, or it is disabled. A lock is for wrong passwords, and does not count.
        """
        c = account.c
        with self._engine.connect() as connection:
            row = connection.execute(select(c.uuid, c.disabled_at).where(c.name == name)).first()
        return None if row is None or row.disabled_at else self.begin_session(row.uuid)

    def begin_session(self, uuid: UUID) -> SignedIn:
        """Begin a session of somebody whose identity is proved; sessions that are over are swept out."""
        cookie, now = secrets.token_urlsafe(32), self._clock()
        expires_at = now + SESSION_LIFETIME
        with writing(self._engine) as connection:
            connection.execute(delete(console_session).where(console_session.c.expires_at <= now))
            connection.execute(
                insert(console_session).values(
                    digest=digest_of(cookie),
                    account=uuid,
                    csrf=secrets.token_urlsafe(32),
                    created_at=now,
                    expires_at=expires_at,
                )
            )
        return SignedIn(cookie, expires_at)

    def caller(self, cookie: str) -> Caller | None:
        """Return the caller who is signed in with a cookie; None when nobody is, or no longer."""
        s, a, g = console_session.c, account.c, access_grant.c
        query = (
            select(a.uuid, a.name, s.csrf, g.role, g.customer)
            .select_from(
                console_session.join(account, s.account == a.uuid).outerjoin(access_grant, g.holder == a.uuid)
            )
            .where(s.digest == digest_of(cookie), s.expires_at > self._clock(), a.disabled_at.is_(None))
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return None
        return Caller(rows[0].uuid, rows[0].name, joined_assignments(rows), rows[0].csrf)

    def sign_out(self, cookie: str) -> None:
        """End a session."""
        with writing(self._engine) as connection:
            connection.execute(delete(console_session).where(console_session.c.digest == digest_of(cookie)))

    # -- inside ----------------------------------------------------------------------------------

    def _hash(self, password: SecretStr) -> str:
        value = password.get_secret_value()
        if not SHORTEST_PASSWORD <= len(value) <= LONGEST_PASSWORD:
            raise ConfigurationError(
                "the password cannot be used",
                why=f"it has {len(value)} characters",
                next_step=f"Take {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}.",
            )
        return self._hasher.hash(value)

    def _verify(self, hashed: str | None, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - as above

        if hashed is None:
            # As slow as for somebody there is, so that names cannot be guessed by the clock.
            self._nobody = self._nobody or self._hasher.hash(secrets.token_urlsafe(16))
        try:
            right = self._hasher.verify(hashed or self._nobody or "", password[:LONGEST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return False
        return right and hashed is not None

    def _count_attempt(self, name: str) -> tuple[Row[Any] | None, bool]:
        """Count an attempt as a failure, which a right password takes back, and lock the account when it is one too many.

        Returns:
            The account, None where there is none; and whether the attempt may be looked at: the account is neither
            locked nor disabled, and the attempt is counted.
        """
        c = account.c
        for _ in range(MOST_TRIES):
            now = self._clock()
            with self._engine.connect() as connection:
                row = connection.execute(select(account).where(c.name == name)).first()
            if row is None or row.disabled_at or (row.locked_until_at and row.locked_until_at > now):
                return row, False
            over = row.failures + 1 - FAILURES_BEFORE_LOCK
            lock = min(timedelta(minutes=2 ** min(over, 6)), LONGEST_LOCK) if over >= 0 else None
            with writing(self._engine) as connection:
                # Only on top of the count that was read: of guesses side by side one after the other gets its turn.
                done = connection.execute(
                    update(account)
                    .where(c.uuid == row.uuid, c.failures == row.failures)
                    .values(failures=row.failures + 1, locked_until_at=now + lock if lock else None)
                )
            if done.rowcount == 1:
                return row, True
        return row, False

    def _change(self, uuid: UUID, values: dict[str, Any], *, end_sessions: bool = False) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                update(account).where(account.c.uuid == uuid).values(**values, updated_at=self._clock())
            )
            if end_sessions:
                _end_sessions(connection, uuid)


def _end_sessions(connection: Connection, uuid: UUID) -> None:
    connection.execute(delete(console_session).where(console_session.c.account == uuid))

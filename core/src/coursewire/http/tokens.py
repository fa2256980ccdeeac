"""The tokens of one configuration: obtained once, kept, and renewed by one process at a time."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import httpx

from coursewire.errors import CredentialsError, SendError, ThrottledError, UnreachableError
from coursewire.http.answers import decoded
from coursewire.http.decoding import UnusableAnswerError
from coursewire.http.retry import Retries
from coursewire.http.token_answers import CHECK_THEM, LATER, fault_of, is_sendable
from coursewire.http.token_store import Kept
from coursewire.http.transport import ForbiddenAddressError
from coursewire.model.session import Tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from coursewire.http.redact import Redactor
    from coursewire.http.retry import Sleep
    from coursewire.http.token_store import TokenStore
    from coursewire.http.urls import Targets
    from coursewire.model.instant import Clock
    from coursewire.model.session import Token

    Obtain = Callable[[Token | None], Awaitable[Token]]

LEASE_S = 150.0
"""For how long one process may renew; longer than a credential call can take."""

ALL_TRIES_S = LEASE_S - 10.0
"""Longest time for all tries of one credential call, so that the right to renew outlasts them."""

POLL_S = 0.1
"""Seconds between two looks for a token that another process renews."""

FAILURE_HOLDS_S = 10.0
"""For how long a failed renewal answers for the next ones, lest every request knock and lock the account."""

MOST_PASSING = 10_000
"""So many passing tokens are kept, those used last."""


class _Failure(NamedTuple):
    error: SendError
    holds_until: datetime


class StoredTokens(Tokens):
    """Tokens that outlive the process; see :class:`coursewire.model.session.Tokens`.

    Args:
        store: Store of the tokens.
        transport: Transport of credential calls.
        targets: URLs that those calls may go to.
        timeout: Time-outs of one call for httpx, in seconds.
        redactor: Redactor that learns every token.
        where: Channel and configuration, for messages.
        clock: Function that returns the present instant.
        sleep: Coroutine function that waits a number of seconds.
    """

    def __init__(
        self,
        store: TokenStore,
        *,
        transport: httpx.AsyncBaseTransport,
        targets: Targets,
        timeout: dict[str, float],
        redactor: Redactor,
        where: str,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self.clock = clock
        self._store = store
        self._transport = transport
        self._targets = targets
        self._timeout = timeout
        self._redactor = redactor
        self._where = where
        self._sleep = sleep
        self._owner = uuid.uuid4().hex
        self._rng = random.Random()  # noqa: S311 - spreads polls, guards nothing
        self._memory: dict[str, Kept] = {}
        self._passing: dict[str, Kept] = {}  # in the order of their last use
        self._refused: defaultdict[str, set[str]] = defaultdict(set)
        self._renewals: dict[str, asyncio.Task[Kept]] = {}
        self._failures: dict[str, _Failure] = {}

    def __repr__(self) -> str:
        return f"<StoredTokens of {self._where}>"

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a credential call; see :meth:`Tokens.send`."""
        self._targets.check(request.url)
        request.extensions = {**request.extensions, "timeout": self._timeout}
        request.headers.setdefault("Accept", "application/json")
        await request.aread()
        try:
            response = await self._transport.handle_async_request(request)
        except (httpx.RequestError, ForbiddenAddressError) as error:
            raise UnreachableError(
                "no token could be obtained", where=self._where, why=self._redactor(str(error))
            ) from error
        if response.is_success:
            return response
        fault = fault_of(
            response,
            decoded(response),
            self.clock(),
            what=f"{request.url.host} answered {response.status_code} to the request for a token",
            where=self._where,
            excerpt=self._redactor.excerpt(response),
        )
        assert fault is not None, "an answer that is no success means an error"
        raise fault

    async def fetch(
        self,
        subject: str,
        obtain: Obtain,
        *,
        rejected: str | None = None,
        margin_s: float = 60.0,
        passing: bool = False,
    ) -> Token:
        """Return the current token of a subject; see :meth:`Tokens.fetch`."""
        if passing:
            return await self._fetch_passing(subject, obtain, rejected, margin_s)
        if rejected is not None:
            self._refused[subject].add(rejected)
        kept = self._memory.get(subject)
        if kept is not None and self._usable(subject, kept, margin_s):
            return kept.token
        # One renewal at a time, in a task of its own: it goes on to its end, and its token is kept, even
        # if who asked for it is cancelled. Refresh tokens are often good for one use only.
        renewal = self._renewals.get(subject)
        if renewal is None:
            renewal = asyncio.create_task(self._renew(subject, obtain, margin_s))
            self._renewals[subject] = renewal
            renewal.add_done_callback(lambda done: self._renewed(subject, done))
        kept = await asyncio.shield(renewal)
        if kept.token.value in self._refused[subject]:
            raise CredentialsError(
                "the LMS issued a token that it refuses", where=self._where, next_step=CHECK_THEM
            )
        return kept.token

    async def replace(self, subject: str, obtain: Callable[[], Awaitable[Token]]) -> Token:
        """Store a token that a person has just granted, in place of the stored one.

        Args:
            subject: Subject of the token, as in :meth:`fetch`.
            obtain: Coroutine function that gets the token. No process renews the old one meanwhile, and the next
                renewal sees the changes that ``obtain`` makes to the configuration.

        Raises:
            SendError: ``obtain`` raised it, or another process has been renewing for too long.
        """
        deadline = self.clock() + timedelta(seconds=LEASE_S + 1)
        while not await self._take_turn(subject):
            await self._wait_turn(deadline)
        try:
            new = await obtain()
            kept = Kept(new, self.clock())
            self._check(new, kept.obtained_at)
            self._learn(kept)
            await asyncio.to_thread(self._store.save, subject, kept)
        finally:
            await asyncio.to_thread(self._store.unlock, subject, self._owner, self.clock())
        self._memory[subject] = kept
        return new

    async def aclose(self) -> None:
        """Wait for the renewals under way."""
        await asyncio.gather(*self._renewals.values(), return_exceptions=True)

    async def _fetch_passing(
        self, subject: str, obtain: Obtain, rejected: str | None, margin_s: float
    ) -> Token:
        kept = self._passing.pop(subject, None)
        if kept is None or kept.token.value == rejected or not kept.lasts(self.clock(), margin_s):
            kept = Kept(await self._patiently(obtain, None), self.clock())
            self._check(kept.token, kept.obtained_at)
        self._passing[subject] = kept
        if len(self._passing) > MOST_PASSING:
            del self._passing[next(iter(self._passing))]
        self._redactor.add_passing(kept.token.value)
        return kept.token

    def _usable(self, subject: str, kept: Kept, margin_s: float) -> bool:
        return kept.token.value not in self._refused[subject] and kept.lasts(self.clock(), margin_s)

    def _renewed(self, subject: str, renewal: asyncio.Task[Kept]) -> None:
        del self._renewals[subject]
        if renewal.cancelled():
            return
        error = renewal.exception()
        if error is None:
            self._failures.pop(subject, None)
            self._memory[subject] = renewal.result()
        elif isinstance(error, SendError):
            until = self.clock() + timedelta(seconds=FAILURE_HOLDS_S)
            if isinstance(error, ThrottledError):
                until = max(until, error.retry_at)
            self._failures[subject] = _Failure(error, until)

    async def _renew(self, subject: str, obtain: Obtain, margin_s: float) -> Kept:
        deadline = self.clock() + timedelta(seconds=LEASE_S + 1)
        while True:
            stored = await asyncio.to_thread(self._store.load, subject)
            if stored is not None:
                self._learn(stored)
                if self._usable(subject, stored, margin_s):
                    return stored
            failure = self._failures.get(subject)
            if failure is not None and self.clock() < failure.holds_until:
                raise failure.error
            if await self._take_turn(subject):
                try:
                    return await self._renew_alone(subject, obtain, margin_s)
                finally:
                    await asyncio.to_thread(self._store.unlock, subject, self._owner, self.clock())
            await self._wait_turn(deadline)

    async def _take_turn(self, subject: str) -> bool:
        now = self.clock()
        lapses_at = now + timedelta(seconds=LEASE_S)
        return await asyncio.to_thread(self._store.lock, subject, self._owner, now, lapses_at)

    async def _wait_turn(self, deadline: datetime) -> None:
        if self.clock() >= deadline:
            raise UnreachableError(
                "another process has been renewing the token for too long", where=self._where
            )
        await self._sleep(POLL_S * self._rng.uniform(0.5, 1.5))

    async def _renew_alone(self, subject: str, obtain: Obtain, margin_s: float) -> Kept:
        stored = await asyncio.to_thread(self._store.load, subject)
        if stored is not None:
            if self._usable(subject, stored, margin_s):
                return stored  # another process was quicker
            if stored.token.value in self._refused[subject]:
                await asyncio.to_thread(self._store.expire, subject, self.clock())
        old = stored.token if stored is not None else None
        new = await self._patiently(obtain, old)
        now = self.clock()
        self._check(new, now)
        if new.refresh_token is None and old is not None:
            new = replace(new, refresh_token=old.refresh_token)  # RFC 6749, 6: the old one stays good
        kept = Kept(new, now)
        self._learn(kept)
        await asyncio.to_thread(self._store.save, subject, kept)
        return kept

    async def _patiently(self, obtain: Obtain, old: Token | None) -> Token:
        """Ask for a token, and again after a fault that may pass, as any request that is safe to repeat."""
        retries = Retries(self._rng)
        try:
            async with asyncio.timeout(ALL_TRIES_S):
                while True:
                    try:
                        return await obtain(old)
                    except (ThrottledError, UnreachableError) as error:
                        pause = self._pause_after(error, retries)
                        if pause is None:
                            raise
                    await self._sleep(pause)
        except TimeoutError as error:
            raise UnreachableError(
                f"no token could be obtained within {ALL_TRIES_S:g} s", where=self._where, next_step=LATER
            ) from error

    def _pause_after(self, error: ThrottledError | UnreachableError, retries: Retries) -> float | None:
        if isinstance(error.__cause__, ForbiddenAddressError | UnusableAnswerError):
            return None
        if isinstance(error, ThrottledError) and not error.guessed:
            return retries.next_pause(max((error.retry_at - self.clock()).total_seconds(), 0.0))
        return retries.next_pause()

    def _check(self, new: Token, now: datetime) -> None:
        if not is_sendable(new.value) or new.expires_at <= now:
            raise UnreachableError(
                "the LMS issued a token that is blank, over already, or that no header can carry",
                where=self._where,
                next_step=LATER,
            )

    def _learn(self, kept: Kept) -> None:
        self._redactor.add(kept.token.value, kept.token.refresh_token or "")

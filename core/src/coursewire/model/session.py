"""The HTTP session and the token store, as channels see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    import httpx

    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.inbound import Launch
    from coursewire.model.instant import Clock

T = TypeVar("T")

if TYPE_CHECKING:
    NextPage = Callable[[httpx.Response], str | Mapping[str, Any] | None]
    """Reads from one page where the next one is: its URL, absolute or relative to this page's; or the
    parameters that change, in the form if the list is asked for with one, else in the query; None at the end."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and the refresh token that came with it; neither shows in a repr.

    Attributes:
        value: The access token itself.
        expires_at: Instant at which it ends, aware UTC.
        refresh_token: The token with which the next one is asked for; None where the LMS gave none.
    """

    value: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)


class Tokens(Protocol):
    """The stored tokens of one configuration. Values are encrypted at rest."""

    clock: Clock

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a credential call: no bearer, no redirect, neither body ever logged, no retry of a refusal.

        It sends once. :meth:`fetch` asks again after a fault that may pass.

        Raises:
            CredentialsError: The token endpoint refuses the credentials.
            ThrottledError: The token endpoint asks to wait.
            UnreachableError: No usable answer came, or one that says nothing about the credentials: the next run asks again.
        """
        ...

    async def fetch(
        self,
        subject: str,
        obtain: Callable[[Token | None], Awaitable[Token]],
        *,
        rejected: str | None = None,
        margin_s: float = 60.0,
        passing: bool = False,
    ) -> Token:
        """Return the current token of a subject; obtain a new one if there is none or it ends soon.

        Args:
            subject: Name of whom the token speaks for: ``"service"``, or a learner's id at the LMS.
            obtain: Asynchronous function that asks the LMS for a token; it gets the token to replace (for its refresh token), or
                None. It runs at most once at a time for each configuration and subject, over all processes; the others wait
                for its result. The new token is stored before anybody uses it.
            rejected: Value of a token that the LMS has just refused; it is not handed out again.
            margin_s: Seconds before its end from which on a token counts as over.
            passing: True for one of very many tokens, such as one for each learner: it is kept in this session alone, apart
                from the others and only while it is among those last used. ``obtain`` gets None, and may run twice at a time.
        """
        ...


class Session(Protocol):
    """The HTTP session that a channel sends with. Core owns its time-outs, retries, rate limits and log.

    A path is taken relative to ``config.lms_url``; an absolute URL must have the same host, or one that
    the channel named in ``allowed_hosts``. Redirects are followed only within the host and never with
    credentials in the body.
    """

    config: ChannelConfig
    clock: Clock
    tokens: Tokens
    """For an ``auth`` of a request's own, such as one that speaks for a learner."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | list[tuple[str, str]] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        safe_to_repeat: bool = False,
        bucket: str | None = None,
        auth: httpx.Auth | None = None,
    ) -> httpx.Response:
        """Send a request and return the answer, whatever its status.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: Relative to ``config.lms_url``, with or without a leading slash.
            params: Query, encoded by the session.
            json: Body as plain data; keys are sorted on the wire.
            data: Body as form fields.
            content: Body as bytes, with your own content-type header.
            headers: Beside those of the session.
            safe_to_repeat: The LMS deduplicates this write (upsert or key), so that it may be sent again
                after a time-out. GET, PUT and DELETE count as safe without saying so.
            bucket: Name of the rate in the channel's limits that this call counts against, beside
                ``"default"``.
            auth: Instead of the session's own, for example a learner's token.

        Raises:
            ThrottledError: The LMS asked to wait longer than a worker should, or our own bucket is empty.
            CredentialsError: The credentials were refused, also after one refresh.
            UnreachableError: No connection, and so nothing was sent.
            OutcomeUnknownError: The request left but no answer came, and it is not safe to repeat.
        """
        ...

    async def get(self, path: str, **kwargs: Any) -> httpx.Response:
        """``request("GET", ...)``."""
        ...

    async def post(self, path: str, **kwargs: Any) -> httpx.Response:
        """``request("POST", ...)``."""
        ...

    async def put(self, path: str, **kwargs: Any) -> httpx.Response:
        """``request("PUT", ...)``."""
        ...

    async def patch(self, path: str, **kwargs: Any) -> httpx.Response:
        """``request("PATCH", ...)``."""
        ...

    async def delete(self, path: str, **kwargs: Any) -> httpx.Response:
        """``request("DELETE", ...)``."""
        ...

    async def launch(self, remote_id: str) -> Launch | None:
        """Return the launch whose session token is to go with a learner's result.

        Its token is the newest that any learner of this configuration brought: such tokens end within hours, and the
        learner's own is usually over when the course is finished. Its callback is that of the learner's own
        newest launch.

        Args:
            remote_id: Id at the LMS of the learner whose result goes out. A learner who never came from the LMS gets
                the callback of the newest launch.

        Returns:
            The launch; None if no learner has come from the LMS yet. Its token never shows in a log or an excerpt.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait before asking again about something that the LMS has not finished; in tests this takes no time.

        Args:
            seconds: Seconds to wait.
        """
        ...

    async def once(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what ``ask`` answered first for a key in this session, which is one run.

        Whoever asks at the same time waits for that answer. An error is not kept: the next one asks again.

        Args:
            key: Name of the question, such as ``("user", user_id)``.
            ask: Asynchronous function that finds the answer. It may use other keys, not its own.
        """
        ...

    def forget(self, key: Hashable) -> None:
        """Let go of what :meth:`once` remembers for ``key``, so that the next one asks again.

        It is for an answer that a request of ours may have made untrue, such as a list after a creation whose outcome
        is unknown. Where nothing is remembered, nothing happens.
        """
        ...

    def lock(self, key: Hashable) -> AbstractAsyncContextManager[None]:
        """Return a lock around calls that the LMS cannot take twice at a time from this session.

        Args:
            key: Name of the lock, such as the path of the call.
        """
        ...

    def pages(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | list[tuple[str, str]] | None = None,
        data: Mapping[str, Any] | None = None,
        next_page: NextPage | None = None,
        max_pages: int = 10_000,
    ) -> AsyncIterator[httpx.Response]:
        """Yield the pages of a list, until the LMS says that there are no more; an empty page ends nothing.

        Args:
            path: Path of the list, as for :meth:`request`.
            params: Query of the first page. Where ``next_page`` returns parameters, they replace those of the same name, and
                the others stay.
            data: Form to ask with by POST, for an LMS whose reads are written so; the read is safe to repeat.
            next_page: Function of a page that returns the place of the next one: a URL, or the parameters that change, or None
                at the end. Without it the ``Link`` header tells (RFC 8288).
            max_pages: Number of pages from which on a list counts as one without end.

        Raises:
            IncompleteListError: ``max_pages`` was reached, a page repeated itself, or one was refused.
        """
        ...

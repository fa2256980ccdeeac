"""The HTTP session of one configuration: time-outs, authentication, retries, rate limits, redaction, log."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

import httpx

from coursewire.errors import (
    ContractError,
    CredentialsError,
    OutcomeUnknownError,
    ThrottledError,
    UnreachableError,
)
from coursewire.http.decoding import UnusableAnswerError
from coursewire.http.limits import RateGate, lowered
from coursewire.http.paging import most_pages, next_link, pages_of
from coursewire.http.redact import Redactor, secret_values
from coursewire.http.retry import REPEATABLE, Retries, Sleep
from coursewire.http.statuses import may_have_been_done, meaning_of
from coursewire.http.token_answers import CHECK_THEM
from coursewire.http.tokens import StoredTokens
from coursewire.http.transport import Budget, ForbiddenAddressError, GuardedTransport, carrier
from coursewire.http.urls import Targets, path_template, same_place
from coursewire.http.waits import read_wait_s, retry_after_s, wait_s
from coursewire.model.instant import Clock, utc_now
from coursewire.model.payload import canonical_json
from coursewire.model.session import Session, T, Tokens

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType
    from uuid import UUID

    from coursewire.http.token_store import TokenStore
    from coursewire.model.channel import Channel
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.inbound import Launch
    from coursewire.model.session import NextPage
    from coursewire.storage.launches import Launches, Newest
    from coursewire.storage.locks.rate_buckets import Buckets

_log = logging.getLogger("coursewire.http")

MAX_REDIRECTS = 3

LAUNCH_HOLDS = timedelta(minutes=1)
"""Time for which a session uses the newest launch that it has read, before it looks for a newer one."""

_ADDRESS_HELP = "Check the URL in the configuration (COURSEWIRE_ALLOW_INSECURE_URLS=1 for tests)."

Query = Mapping[str, Any] | list[tuple[str, str]] | None
Authenticate = Callable[[Tokens], httpx.Auth]
ReadSlowDown = Callable[[httpx.Response], float | None]


@dataclass(slots=True)
class Counters:
    """Counts of a session: requests, retries, and seconds waited."""

    requests: int = 0
    """Requests that left, repeats and redirects included, token calls not."""
    retries: int = 0
    successes: int = 0
    """Answers with a status that says yes, after which the credentials are known to be good."""
    waited_s: float = 0.0
    """Seconds spent in pauses, over all requests."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One request of a channel, from which every try is made afresh."""

    method: str
    url: httpx.URL
    headers: httpx.Headers
    content: bytes
    auth: httpx.Auth
    repeatable: bool
    bucket: str | None
    budget: Budget

    def __str__(self) -> str:
        return f"{self.method} {path_template(self.url)}"


def _nothing() -> None:
    """Let every request go."""


@cache
def _user_agent() -> bytes:
    return f"coursewire/{version('coursewire')}".encode("ascii")


def _encoded(json: Any, data: Mapping[str, Any] | None, content: bytes | None) -> tuple[bytes, str | None]:
    """Return the body on the wire, and its content type where that follows from the argument used."""
    if json is not None:
        return canonical_json(json), "application/json"
    if data is not None:
        form = httpx.Request("POST", "http://form", data=data)
        return form.content, form.headers.get("content-type")
    return content or b"", None


class HttpSession(Session):
    """A session on one configuration; see :class:`coursewire.model.session.Session`.

    Use it as an async context manager, in one event loop. Nothing is sent before the first request.

    Args:
        channel: Channel whose limits are the time-outs, rates and number of connections.
        config: The configuration's settings.
        configuration: UUID of the configuration.
        authenticate: Function that returns the auth of every request.
        token_store: Store of the tokens.
        buckets: Store of the counts of rates.
        read_slow_down: Function that recognises an answer which means "slow down" without being a 429. It returns the
            seconds to wait, 0 if the LMS names none, and None for other answers.
        insecure_urls: True to allow plain http and private addresses.
        clock: Function that returns the present instant.
        sleep: Coroutine function that waits a number of seconds.
        rng: Source of jitter.
        transport: Transport in place of aiohttp, such as ``httpx.AsyncHTTPTransport()`` where
            cassettes record. It must check resolved addresses itself.
        launches: Stored launches of learners; None for none.

    Attributes:
        before_request: Called right before each request leaves; what it raises ends the request. A run sets it, to send
            nothing once it has lost the right to.
        counters: Counts of the session so far.
        redactor: Redactor that knows the configuration's secrets and every token obtained.
    """

    def __init__(
        self,
        *,
        channel: Channel,
        config: ChannelConfig,
        configuration: UUID,
        authenticate: Authenticate,
        token_store: TokenStore,
        buckets: Buckets,
        read_slow_down: ReadSlowDown | None = None,
        insecure_urls: bool = False,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
        rng: random.Random | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        launches: Launches | None = None,
    ) -> None:
        self._limits = limits = channel.limits
        self._launches = launches
        self._newest: Newest | None = None
        self._newest_at: datetime | None = None
        self.config = config
        self.clock = clock
        self.counters = Counters()
        self.before_request: Callable[[], None] = _nothing
        self.redactor = Redactor(secret_values(config))
        self._configuration = configuration
        self._where = f"channel {channel.code}, configuration {configuration}"
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311 - jitter, guards nothing
        self._read_slow_down = read_slow_down
        self._targets = Targets(config, insecure_urls=insecure_urls)
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._known: dict[Hashable, Any] = {}
        self._asking: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._timeout = {
            "connect": limits.connect_timeout_s,
            "read": limits.read_timeout_s,
            "write": limits.read_timeout_s,
            # To a free connection, resolving the name included. Slots keep requests from queueing for one.
            "pool": 2 * limits.connect_timeout_s,
        }
        self._transport = GuardedTransport(
            transport or carrier(connections=limits.concurrency + 1, insecure_urls=insecure_urls),
            total_timeout_s=limits.total_timeout_s,
            insecure_urls=insecure_urls,
        )
        self._gate = RateGate(
            buckets,
            channel=channel.code,
            scope=config.limit_scope,
            rates=lowered(limits.rates, config.rates(limits.rates)),
            clock=clock,
            sleep=sleep,
        )
        self.tokens: StoredTokens = StoredTokens(
            token_store,
            transport=self._transport,
            targets=self._targets,
            timeout=self._timeout,
            redactor=self.redactor,
            where=self._where,
            clock=clock,
            sleep=sleep,
        )
        self._auth = authenticate(self.tokens)
        self._headers = [
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"gzip, deflate"),
            (b"User-Agent", _user_agent()),
        ]

    def __repr__(self) -> str:
        return f"<HttpSession of {self._where} at {self._targets.base.host}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.tokens.aclose()
        await self._transport.aclose()
        await self._gate.leave()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Query = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        safe_to_repeat: bool = False,
        bucket: str | None = None,
        auth: httpx.Auth | None = None,
    ) -> httpx.Response:
        """Send a request; see :meth:`Session.request`."""
        method = method.upper()
        url = self._targets.url(path, params)
        body, content_type = _encoded(json, data, content)
        all_headers = httpx.Headers([*self._headers, (b"Host", url.netloc)])
        if content_type:
            all_headers["Content-Type"] = content_type
        if body or method not in ("GET", "HEAD", "DELETE"):
            all_headers["Content-Length"] = str(len(body))
        if headers:
            all_headers.update(headers)
        call = _Call(
            method,
            url,
            all_headers,
            body,
            auth or self._auth,
            safe_to_repeat or method in REPEATABLE,
            bucket,
            Budget(self._limits.total_timeout_s),
        )
        async with self._slots:
            return await self._send(call)

    async def get(self, path: str, **kwargs: Any) -> httpx.Response:
        """Send a GET request; see :meth:`request`."""
        return await self.request("GET", path, **kwargs)

    async def post(self, path: str, **kwargs: Any) -> httpx.Response:
        """Send a POST request; see :meth:`request`."""
        return await self.request("POST", path, **kwargs)

    async def put(self, path: str, **kwargs: Any) -> httpx.Response:
        """Send a PUT request; see :meth:`request`."""
        return await self.request("PUT", path, **kwargs)

    async def patch(self, path: str, **kwargs: Any) -> httpx.Response:
        """Send a PATCH request; see :meth:`request`."""
        return await self.request("PATCH", path, **kwargs)

    async def delete(self, path: str, **kwargs: Any) -> httpx.Response:
        """Send a DELETE request; see :meth:`request`."""
        return await self.request("DELETE", path, **kwargs)

    async def launch(self, remote_id: str) -> Launch | None:
        """Return the newest session token; see :meth:`Session.launch`."""
        now = self.clock()
        if self._launches is None:
            return None
        if self._newest_at is None or now - self._newest_at >= LAUNCH_HOLDS:
            self._newest = await asyncio.to_thread(self._launches.newest)
            self._newest_at = now
            if self._newest:
                self.redactor.add(self._newest.launch.token)
        if self._newest is None:
            return None
        found = self._newest.launch
        return replace(found, callback=self._newest.callbacks.get(remote_id, found.callback))

    async def sleep(self, seconds: float) -> None:
        """Wait; see :meth:`Session.sleep`."""
        self.counters.waited_s += seconds
        await self._sleep(seconds)

    async def once(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the first answer for a key; see :meth:`Session.once`."""
        async with self._asking[key]:
            if key not in self._known:
                self._known[key] = await ask()
            known: T = self._known[key]
            return known

    def forget(self, key: Hashable) -> None:
        """Let go of the first answer; see :meth:`Session.forget`."""
        self._known.pop(key, None)

    def lock(self, key: Hashable) -> asyncio.Lock:
        """Return the lock of a key; see :meth:`Session.lock`."""
        return self._locks[key]

    def pages(
        self,
        path: str,
        *,
        params: Query = None,
        data: Mapping[str, Any] | None = None,
        next_page: NextPage | None = None,
        max_pages: int = 10_000,
    ) -> AsyncIterator[httpx.Response]:
        """Yield the pages of a list; see :meth:`Session.pages`."""
        return pages_of(
            self,
            path,
            params=params,
            data=data,
            next_page=next_page or next_link,
            max_pages=min(max_pages, most_pages(self._limits.rates)),
        )

    # -- one request, with its repeats ------------------------------------------------------------

    async def _send(self, call: _Call) -> httpx.Response:
        retries = Retries(self._rng)
        while True:
            self.counters.waited_s += await self._gate.enter(call.bucket)
            try:
                response = await self._authenticated(call)
            except (httpx.RequestError, ForbiddenAddressError) as error:
                pause = self._after_failure(call, error, retries)
            else:
                settled = await self._after_answer(call, response, retries)
                if settled is None:
                    self.counters.successes += response.is_success
                    await self._heed_remaining(call, response)
                    return response
                pause = settled
            self.counters.retries += 1
            self.counters.waited_s += pause
            await self._sleep(pause)

    def _after_failure(self, call: _Call, error: Exception, retries: Retries) -> float:
        """Return the pause before the next try; raise if there is to be none."""
        why = self.redactor(str(error)) or type(error).__name__
        if isinstance(error, ForbiddenAddressError):
            raise UnreachableError(
                f"{call} was not sent", where=self._where, why=why, next_step=_ADDRESS_HELP
            ) from error
        sent = not isinstance(error, httpx.ConnectError)
        if sent and not call.repeatable:
            raise OutcomeUnknownError(f"{call} got no answer", where=self._where, why=why) from error
        over = isinstance(error, UnusableAnswerError) or call.budget.left_s <= 0
        pause = None if over else retries.next_pause()
        if pause is None:
            what = f"{call} got no answer" if sent else f"no connection to {call.url.host}"
            raise UnreachableError(what, where=self._where, why=why) from error
        return pause

    async def _after_answer(self, call: _Call, response: httpx.Response, retries: Retries) -> float | None:
        """Return the pause before the next try; None if the channel is to read the answer."""
        status = response.status_code
        asked_s = self._asked_to_wait(response)
        if asked_s is not None:
            pause = retries.next_pause(asked_s)
            if pause is None:
                await self._throttled(call, response, asked_s)
            elif asked_s:
                self._gate.hold(asked_s)
            return pause
        if status == httpx.codes.UNAUTHORIZED:
            raise CredentialsError(
                f"{call} was refused: the LMS does not accept the credentials",
                where=self._where,
                next_step=CHECK_THEM,
                http_status=status,
                excerpt=self.redactor.excerpt(response),
            )
        if not call.repeatable and may_have_been_done(response):
            raise OutcomeUnknownError(
                f"{call} was answered {status}, perhaps after the LMS had taken it",
                where=self._where,
                why=self._redirects_to(response),
                http_status=status,
                excerpt=self.redactor.excerpt(response),
            )
        if call.repeatable and not response.is_success and meaning_of(response).at_once:
            return retries.next_pause(retry_after_s(response, self.clock()))
        return None

    def _redirects_to(self, response: httpx.Response) -> str:
        """Return where an answer sends the request on to, in words; "" for an answer that does not."""
        location = response.headers.get("location", "") if response.is_redirect else ""
        return f"it redirects to {self.redactor(location)}" if location else ""

    def _asked_to_wait(self, response: httpx.Response) -> float | None:
        """Return the seconds that the LMS asks to wait, 0 if it names none; None if it does not ask."""
        told_s = self._read_slow_down(response) if self._read_slow_down else None
        if told_s is None and response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return None
        return told_s or wait_s(response, self.clock()) or 0.0

    async def _throttled(self, call: _Call, response: httpx.Response, asked_s: float) -> None:
        until = self.clock() + timedelta(seconds=asked_s or self._gate.window_s(call.bucket))
        await self._gate.close(until, call.bucket)
        raise ThrottledError(
            f"{call} was put off by the LMS until {until:%Y-%m-%d %H:%M:%S} UTC ({self._where})",
            retry_at=until,
            http_status=response.status_code,
            excerpt=self.redactor.excerpt(response),
        )

    async def _heed_remaining(self, call: _Call, response: httpx.Response) -> None:
        """Close the bucket if the answer says that the limit is used up, perhaps by others."""
        name = self._limits.remaining_header
        if name is None or response.headers.get(name, "").strip() != "0":
            return
        now, window_s = self.clock(), self._gate.window_s(call.bucket)
        told_s = read_wait_s(response.headers.get(self._limits.reset_header or "", ""), now)
        # Its clock may be another than ours.
        pause_s = window_s if told_s is None else min(told_s, window_s)
        if pause_s:
            await self._gate.close(now + timedelta(seconds=pause_s), call.bucket)

    async def _authenticated(self, call: _Call) -> httpx.Response:
        """Run httpx's auth protocol, in which the flow yields requests and gets their answers."""
        request = self._request(call.method, call.url, call.headers, call.content)
        request.extensions["budget"] = call.budget
        flow = call.auth.async_auth_flow(request)
        try:
            request = await anext(flow)
            while True:
                response = await self._exchange(request)
                try:
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return response
        finally:
            await flow.aclose()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its answer, following redirects where that is safe."""
        for _ in range(MAX_REDIRECTS):
            response = await self._one(request)
            target = self._redirect(request, response)
            if target is None:
                return response
            headers = request.headers.copy()
            headers["Host"] = target.netloc.decode("ascii")
            budget = request.extensions.get("budget")
            request = self._request(request.method, target, headers, request.content)
            request.extensions["budget"] = budget
        return await self._one(request)

    def _request(self, method: str, url: httpx.URL, headers: httpx.Headers, content: bytes) -> httpx.Request:
        # Headers are complete, so that httpx need not work them out: as a stream the body is taken as it is.
        request = httpx.Request(
            method,
            url,
            headers=headers,
            stream=httpx.ByteStream(content),
            extensions={"timeout": self._timeout},
        )
        request.read()
        return request

    def _redirect(self, request: httpx.Request, response: httpx.Response) -> httpx.URL | None:
        """Return the URL of a redirect; None if the answer is no redirect that may be followed."""
        if not response.has_redirect_location:
            return None
        # 301, 302 and 303 would turn a write into a GET, whose 200 looks like an acknowledgement.
        keeps_method = response.status_code in (307, 308)
        if not keeps_method and request.method not in ("GET", "HEAD"):
            return None
        if request.content and self.redactor.knows(request.content):
            return None
        try:
            target = request.url.join(response.headers["location"])
            self._targets.check(target)
            return target if same_place(request.url, target) else None
        except (httpx.InvalidURL, ValueError, ContractError):
            return None

    async def _one(self, request: httpx.Request) -> httpx.Response:
        self.before_request()
        self.counters.requests += 1
        if not _log.isEnabledFor(logging.DEBUG):
            return await self._transport.handle_async_request(request)
        started = time.perf_counter()
        outcome: object = "no answer"
        try:
            response = await self._transport.handle_async_request(request)
            outcome = response.status_code
        finally:
            event = {
                "method": request.method,
                "path": path_template(request.url),
                "status": outcome,
                "duration_ms": round((time.perf_counter() - started) * 1000),
                "configuration": str(self._configuration),
            }
            _log.debug(
                "%(method)s %(path)s %(status)s %(duration_ms)d ms %(configuration)s", event, extra=event
            )
        return response

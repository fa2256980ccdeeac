"""The transport of requests: httpx's interface over aiohttp's connections, with bounds on time, size and address.

aiohttp spends a tenth of a millisecond on a request where httpx's own transport spends more than one.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from httpx_aiohttp import AiohttpTransport

from coursewire.http.decoding import OversizeError, body_of
from coursewire.http.texts import make_text_safe
from coursewire.http.urls import path_template
from coursewire.model.addresses import is_public
from coursewire.observability.tracing import is_on, span

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

MAX_RESPONSE_BYTES = 16 * 2**20
"""Largest answer that is read, as it comes and decompressed; the largest page of any LMS known is far below."""

_OF_THE_WIRE = frozenset({b"content-encoding", b"transfer-encoding", b"content-length"})
"""Headers that say how a body travelled, which is not so any more of one that has been read."""

KEEPALIVE_S = 5.0
"""Seconds for which an idle connection is kept: few, since a write on one that the server has just closed is in doubt."""


class ForbiddenAddressError(OSError):
    """A host has an address that requests must not go to."""


@dataclass(slots=True)
class Budget:
    """The time that all tries of one request may take together, pauses not counted.

    Attributes:
        left_s: Seconds that are left.
    """

    left_s: float


class PublicResolver(AbstractResolver):
    """A resolver that refuses a name with any address that is not public.

    The connection is made to the very addresses that were checked, so that a name cannot lead elsewhere in between.

    Args:
        insecure_urls: True to allow every address.
    """

    def __init__(self, *, insecure_urls: bool = False) -> None:
        self._resolver = ThreadedResolver()
        self._insecure_urls = insecure_urls

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve ``host``.

        Raises:
            ForbiddenAddressError: One of its addresses is not public.
            OSError: It has none, or is no name.
        """
        try:
            found = await self._resolver.resolve(host, port, family)
        except UnicodeError as error:  # an empty label, or one of more than 63 letters
            raise OSError(None, f"{host[:100]} is no name of a host") from error
        for entry in [] if self._insecure_urls else found:
            _demand_public(entry["host"], host)
        return found

    async def close(self) -> None:
        """Do nothing: no resource is held open."""
        await self._resolver.close()


def _demand_public(address: str, host: str) -> None:
    if not is_public(address):
        raise ForbiddenAddressError(f"{host} has the private or local address {address}")


@cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)  # 20 ms: once a process


def carrier(*, connections: int, insecure_urls: bool) -> httpx.AsyncBaseTransport:
    """Return a transport over aiohttp.

    Args:
        connections: Number of connections to one host at once.
        insecure_urls: True to allow private addresses.
    """

    def connect() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=connections,
            keepalive_timeout=KEEPALIVE_S,
            ssl=_ssl_context(),
            resolver=PublicResolver(insecure_urls=insecure_urls),
        )
        # No cookies: one learner's session must not leak into another's request.
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=_ssl_context(), client=connect)


class GuardedTransport(httpx.AsyncBaseTransport):
    """A transport that sends one request and reads its whole answer, within bounds of time, size and address.

    Every request passes here: those of channels, token calls, redirects, pages.

    Raises (on ``handle_async_request``):
        ForbiddenAddressError: The host may not be talked to; nothing was sent.
        httpx.ConnectError: No connection was made; nothing was sent.
        httpx.RequestError: Anything else: the request may have arrived.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        total_timeout_s: float,
        insecure_urls: bool,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._inner = inner
        self._total_timeout_s = total_timeout_s
        self._insecure_urls = insecure_urls
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read its answer; see the class."""
        if not self._insecure_urls:
            self._check_literal(request.url.host)
        if not is_on():
            return await self._send(request)
        path = path_template(request.url)
        with span(
            f"{request.method} {path}",
            kind="client",
            http__request__method=request.method,
            url__template=path,
            server__address=request.url.host,
        ) as traced:
            response = await self._send(request)
            if traced is not None:
                traced.set_attribute("http.response.status_code", response.status_code)
            return response

    async def _send(self, request: httpx.Request) -> httpx.Response:
        budget = request.extensions.get("budget") or Budget(self._total_timeout_s)
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(self._total_timeout_s, max(budget.left_s, 0.0))):
                response = await self._inner.handle_async_request(request)
                try:
                    return await self._read(request, response)
                except BaseException:
                    await response.aclose()
                    raise
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer within {self._total_timeout_s:g} s") from error
        except (httpx.TransportError, aiohttp.ClientError) as error:
            raise _plain(error) from None  # aiohttp's messages may have the URL with its query
        except httpx.InvalidURL as error:
            raise httpx.ConnectError("the URL is not valid") from error
        except (ValueError, LookupError, AssertionError) as error:
            # From the depths of a library: a header that cannot be written, or an answer that breaks its reader.
            raise httpx.RemoteProtocolError(f"the answer cannot be read ({type(error).__name__})") from error
        finally:
            budget.left_s -= time.monotonic() - began

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()

    @staticmethod
    def _check_literal(host: str) -> None:
        try:
            _demand_public(host, "the URL")
        except ForbiddenAddressError:
            raise
        except ValueError:
            return  # a name: the resolver checks it

    async def _read(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 15 or int(declared) > self._max_bytes):
            raise OversizeError(f"the answer is larger than {self._max_bytes} bytes")
        if response.is_stream_consumed:  # another transport has read it
            body = response.content
        else:
            body = await body_of(response, self._max_bytes)
            await response.aclose()
        headers = httpx.Headers([(k, v) for k, v in response.headers.raw if k.lower() not in _OF_THE_WIRE])
        read = httpx.Response(
            response.status_code,
            headers=headers,
            content=body,
            request=request,
            extensions=response.extensions,
        )
        make_text_safe(read)
        return read


def _plain(error: httpx.TransportError | aiohttp.ClientError) -> Exception:
    """Return the error of httpx that tells "never connected" from all other failures.

    ``httpx-aiohttp`` 0.2 calls a connection that broke after the request had left a ``ConnectTimeout``;
    aiohttp's own error, which is the cause, knows better.
    """
    cause = error.__cause__ if isinstance(error, httpx.TransportError) else error
    if isinstance(cause, aiohttp.ClientError):
        if isinstance(cause, aiohttp.ClientConnectorError):
            refused = cause.__cause__
            if isinstance(refused, ForbiddenAddressError):
                return refused
            return httpx.ConnectError(str(cause))
        if isinstance(cause, aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL):
            return httpx.ConnectError("the connection took too long, or the URL is not valid")
        if isinstance(cause, TimeoutError):
            return httpx.ReadTimeout(str(cause))
        return httpx.ReadError(str(cause) or type(cause).__name__)
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return httpx.ConnectError("the connection took too long")
    return error

"""Calling inbound routes as an LMS does: over real HTTP, against a small server that is only for tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import aiohttp
from aiohttp import web

from coursewire.inbound.desk import Caller, Inbound
from coursewire.model.inbound import InboundAnswer

if TYPE_CHECKING:
    from coursewire.installation import Installation

__all__ = ["Caller", "InboundCall", "inbound_server", "over_http"]

STAFF = "staff"
CUSTOMER, LEARNER = "customer:", "learner:"


class InboundCall(Protocol):
    """One request to a host of inbound routes: :meth:`Inbound.call`, or :func:`over_http`."""

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        caller: Caller | None = None,
    ) -> InboundAnswer:
        """Make the call and return its answer."""
        ...


@contextmanager
def inbound_server(installation: Installation) -> Iterator[str]:
    """Serve an installation's inbound routes on loopback, in a thread; gives the URL.

    A bearer token says who calls, and is believed: ``staff``, ``customer:UUID`` or ``learner:NAME``.
    """
    inbound = Inbound(installation)

    async def handle(request: web.Request) -> web.Response:
        answer = await inbound.call(
            request.method,
            request.raw_path.partition("?")[0],
            query=list(request.query.items()),
            headers=request.headers,
            body=await request.read(),
            caller=_caller(request.headers.get("Authorization", "")),
        )
        return web.Response(
            status=answer.status,
            body=answer.body,
            headers={**answer.headers, "Content-Type": answer.media_type},
        )

    async def serve() -> tuple[web.AppRunner, str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, "http://{}:{}".format(*runner.addresses[0][:2])

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="inbound-server", daemon=True)
    thread.start()
    try:
        runner, url = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
        try:
            yield url
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def over_http(url: str, token: str | None = None) -> InboundCall:
    """Calls that go to a host at this URL.

    With a token the host has to know it; without one the calls fit a server as :func:`inbound_server` runs it.
    """

    async def call(
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        caller: Caller | None = None,
    ) -> InboundAnswer:
        bearer = _authorization(caller) if token is None else {"Authorization": f"Bearer {token}"}
        told = {**(headers or {}), **bearer}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, url + path, params=list(query), headers=told, data=body, allow_redirects=False
            ) as answer,
        ):
            return InboundAnswer(answer.status, await answer.read(), answer.content_type, answer.headers)

    return call


def _authorization(caller: Caller | None) -> dict[str, str]:
    if caller is None:
        return {}
    token = f"{LEARNER}{caller.learner}" if caller.learner else STAFF
    if not caller.learner and caller.customers is not None:
        token = CUSTOMER + ",".join(caller.customers)
    return {"Authorization": f"Bearer {token}"}


def _caller(header: str) -> Caller | None:
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer":
        return None
    if token == STAFF:
        return Caller(customers=None)
    if token.startswith(CUSTOMER):
        return Caller(customers=token.removeprefix(CUSTOMER).split(","))
    return Caller(learner=token.removeprefix(LEARNER)) if token.startswith(LEARNER) else None

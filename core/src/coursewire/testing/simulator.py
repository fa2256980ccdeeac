"""The base of the small stand-ins for an LMS that plugins ship.

A simulator checks requests as strictly as the LMS would, keeps state, counts what arrives, and can be told
to misbehave. It listens on loopback only.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from aiohttp import web

from coursewire.model.instant import Clock, utc_now
from coursewire.testing.misbehave import Misbehaviour, misbehave

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiohttp.typedefs import Handler

    from coursewire.testing.inbound import InboundCall

CONTROL = "/_simulator"
"""Where a person or a test asks the simulator itself: ``items``, ``requests``, ``counts``, ``reset``, ``fetch``."""

LOG_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived, and the status it got."""

    method: str
    path: str
    query: str
    status: int
    body: Any
    at: str


def json_response(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer, serialised quickly."""
    return web.Response(
        body=orjson.dumps(body),
        status=status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )


class Simulator:
    """A running stand-in for one LMS.

    A subclass gives :meth:`routes` and keeps what it accepted in :attr:`items`, by our key.

    Attributes:
        items: What the LMS holds: our key to the item as a plain object.
        arrivals: How often each key was accepted, to see doubles.
        seen: The last requests, oldest first.
        misbehave: How to misbehave, and how often; the simulator's own pages never do.
    """

    code: ClassVar[str] = ""

    def __init__(self, *, clock: Clock = utc_now, keep_bodies: bool = True) -> None:
        self.clock = clock
        self.keep_bodies = keep_bodies
        self.items: dict[str, Any] = {}
        self.arrivals: Counter[str] = Counter()
        self.seen: deque[Seen] = deque(maxlen=LOG_LENGTH)
        self.misbehave: list[Misbehaviour] = []
        self.url = ""
        self._runner: web.AppRunner | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        """The LMS's endpoints."""
        raise NotImplementedError

    def sample_config(self) -> dict[str, Any]:
        """Fields of a configuration that fits this simulator; needs a started simulator for the URL."""
        raise NotImplementedError

    def add_misbehaviour(self, text: str) -> None:
        """Add a misbehaviour as ``coursewire simulate`` takes it: see :meth:`Misbehaviour.parse`."""
        self.misbehave.append(Misbehaviour.parse(text))

    def enroll(self, course: str, email: str) -> None:
        """Make somebody a student of a course, by our key; nothing where the LMS does not ask who is one."""

    async def fetch(self, call: InboundCall, customer: str) -> None:
        """Let an LMS that fetches by itself do so now, until there is no more; nothing elsewhere.

        Args:
            call: Reaches the inbound routes of the installation.
            customer: Whose content.
        """

    async def launch(self, call: InboundCall, customer: str, course: str, learner: str) -> None:
        """Let a learner come from the LMS to a course, where learners bring something along; nothing elsewhere.

        Args:
            call: Reaches the inbound routes of the installation.
            customer: Whose learner.
            course: By our key.
            learner: Username at the platform.
        """

    def reset(self) -> None:
        """Forget everything that arrived."""
        self.items.clear()
        self.arrivals.clear()
        self.seen.clear()
        self.misbehave.clear()

    # -- running ---------------------------------------------------------------------------------

    async def start(self, *, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one. :attr:`url` tells where."""
        app = web.Application(middlewares=[self._record], client_max_size=64 * 2**20)
        app.add_routes(
            [
                web.get(f"{CONTROL}/items", self._show_items),
                web.get(f"{CONTROL}/requests", self._show_requests),
                web.get(f"{CONTROL}/counts", self._show_counts),
                web.post(f"{CONTROL}/reset", self._do_reset),
                web.post(f"{CONTROL}/fetch", self._do_fetch),
                *self.routes(),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"

    async def stop(self) -> None:
        """Stop listening and close what is open."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @contextmanager
    def running(self, *, port: int = 0) -> Iterator[Simulator]:
        """Run in a thread of its own, for code that is not async."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name=f"simulator-{self.code}", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self.start(port=port), loop).result(10)
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self.stop(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()

    # -- recording and control -------------------------------------------------------------------

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await handler(request)
        body: Any = None
        if self.keep_bodies and request.can_read_body:
            raw = await request.read()
            try:
                body = orjson.loads(raw)
            except ValueError:
                body = raw.decode("utf-8", "replace")
        status = 500
        try:
            response = await misbehave(request, handler, self.misbehave, self.clock)
            status = response.status
        except web.HTTPException as answer:
            status = answer.status
            raise
        finally:
            self.seen.append(
                Seen(
                    request.method, request.path, request.query_string, status, body, self.clock().isoformat()
                )
            )
        return response

    async def _show_items(self, _request: web.Request) -> web.Response:
        return json_response(self.items)

    async def _show_requests(self, _request: web.Request) -> web.Response:
        return json_response([asdict(seen) for seen in self.seen])

    async def _show_counts(self, _request: web.Request) -> web.Response:
        by_call = Counter(f"{seen.method} {seen.status}" for seen in self.seen)
        return json_response({"items": len(self.items), "arrivals": self.arrivals, "requests": by_call})

    async def _do_fetch(self, request: web.Request) -> web.Response:
        """Fetch from a host, by ``{"url": ..., "customer": ..., "token": ...}``."""
        from coursewire.testing.inbound import over_http  # noqa: PLC0415 - loads the jobs

        asked = orjson.loads(await request.read())
        try:
            await self.fetch(over_http(asked["url"], asked.get("token")), asked["customer"])
        except (RuntimeError, OSError) as error:
            return json_response({"error": str(error)}, status=502)
        return json_response({"items": len(self.items)})

    async def _do_reset(self, _request: web.Request) -> web.Response:
        self.reset()
        return json_response({"reset": True})

"""The base of the small stand-ins for an LMS that plugins ship.

A simulator checks requests as strictly as the LMS would, keeps state, counts what arrives, and can be told
to misbehave. It listens on loopback only.

What the conformance suite and the commands need of one, beside :meth:`Simulator.routes` and
:meth:`Simulator.sample_config`:

=====================  ====================================================================================
``items``              what the LMS holds, by our key: put every item that was accepted in, and nothing else
``arrivals``           count each acceptance: ``arrivals[key] += 1``; of an item whose updates are cheap to
                       tell from its creation, creations alone will do
``outcomes``           append every result that was accepted (or keep it by key); it must name the learner by
                       the id that was sent. Kept by key, count each in ``arrivals`` under the same key;
                       in a list, append each time
``token_paths``        class attribute: where tokens are asked for
``is_poisoned(...)``   ask it of every item (by our key) and every result (by the learner's id) that comes in;
                       when True, refuse it just as the LMS refuses what it does not like, alone or with its batch
``page_of(...)``       cut every list with it, so that pages can be small and one in the middle empty
``is_live(key)``       overridden where an item that was taken away stays in ``items``
``lose(key)``          overridden where an item is kept in more places than ``items``
``expire_tokens()``    overridden where there are tokens
``enroll(...)``        overridden where results are taken only of learners whom the LMS knows; demo and suite call
                       it, and nobody does in ``coursewire simulate``
``deactivate(...)``    overridden where the channel lists learners whose account is inactive
``reset()``            overridden where there is more to forget
=====================  ====================================================================================

``clock`` may be exchanged while it runs: ask ``self.clock()`` whenever the time is needed.
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
from coursewire.testing.misbehave import BAD_ITEM, EMPTY_PAGE, Misbehaviour, misbehave

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aiohttp.typedefs import Handler

    from coursewire.testing.inbound import InboundCall

CONTROL = "/_simulator"
"""The path below which a person or a test asks the simulator itself: ``items``, ``requests``, ``counts``, ``reset``, ``fetch``."""

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


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        rows: What stands on it.
        next_start: Where the next page starts; None on the last one.
        last_start: Where the last page starts. In an LMS that counts pages there are
            ``last_start // page_size(...) + 1`` of them, an empty one put in included.
        total: How many rows the list has.
    """

    rows: list[Any]
    next_start: int | None
    last_start: int
    total: int


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
        outcomes: Every result that was accepted, in order, or by a key of the simulator's choice.
        arrivals: How often each key was accepted, to see doubles.
        seen: The last requests, oldest first.
        credentials: What came in ``Authorization`` headers, without the scheme.
        misbehave: How to misbehave, and how often; the simulator's own pages never do.
        poisoned: Keys of items, and ids of learners, that are refused whatever comes for them.
        largest_page: Rows of a list on one page, where that is less than the LMS gives; None for its own limit.
        pages_served: How many pages :meth:`page_of` has cut.
        interfere: Called with each request other than for a token; its answer, unless None, is given instead.
        answer_token: The same for requests for tokens.
        under_way: How many requests are being answered now, those included whose caller has gone.
    """

    code: ClassVar[str] = ""
    token_paths: ClassVar[tuple[str, ...]] = ()
    """Paths at which tokens are asked for; none where the LMS has no tokens that end."""
    pages_content: ClassVar[bool] = True
    """False where the LMS gives its list of content with one answer, and only other lists in pages."""
    title_markup: ClassVar[bool] = True
    """False where the LMS refuses titles in which something looks like a tag."""

    def __init__(self, *, clock: Clock = utc_now, keep_bodies: bool = True) -> None:
        self.clock = clock
        self.keep_bodies = keep_bodies
        self.items: dict[str, Any] = {}
        self.outcomes: list[Any] | dict[str, Any] = []
        self.arrivals: Counter[str] = Counter()
        self.seen: deque[Seen] = deque(maxlen=LOG_LENGTH)
        self.credentials: set[str] = set()
        self.misbehave: list[Misbehaviour] = []
        self.poisoned: set[str] = set()
        self.largest_page: int | None = None
        self.pages_served = 0
        self.interfere: Callable[[web.Request], web.Response | None] = _let_it_be
        self.answer_token: Callable[[web.Request], web.Response | None] = _let_it_be
        self.under_way = 0
        self.url = ""
        self._holed: set[str] = set()
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
        """Make somebody a student of a course, by our key; nothing where the LMS does not ask who is one.

        ``email`` is what results name the learner by, whatever the configuration's ``learner_id`` is.
        """

    def deactivate(self, learner: str) -> None:
        """Make a learner's account inactive, by the id that results name the learner by; nothing where none can be."""

    def expire_tokens(self) -> None:
        """Let every token that was issued be over before its time; nothing where there are none."""

    def lose(self, key: str) -> None:
        """Let somebody at the LMS take an item away for good, by our key."""
        self.items.pop(key, None)

    def is_live(self, key: str) -> bool:
        """Tell whether learners can see an item, by our key. False for one that was taken away."""
        return key in self.items

    def is_poisoned(self, *names: str) -> bool:
        """Tell whether what came in under one of these names must be refused.

        Args:
            names: Our key of an item; of a result the learner's id, and the key of the course.
        """
        if not self.poisoned.isdisjoint(names):
            return True
        if any(spec.name == BAD_ITEM and spec.happens() for spec in self.misbehave):
            self.poisoned.add(names[0])  # and it stays bad
            return True
        return False

    def page_of(self, rows: Sequence[Any], *, start: int, size: int, of: str = "") -> Page:
        """Cut a page out of a list, with an empty page in the middle if the simulator is to misbehave so.

        Args:
            rows: The whole list.
            start: Where the page starts, from 0: a multiple of the page's size, or an earlier ``next_start``.
            size: Rows a page, as asked for; :attr:`largest_page` may lower it. A simulator that computes
                ``start`` from a page number multiplies by :meth:`page_size`.
            of: What list it is, such as the request's path.
        """
        size = self.page_size(size)
        self.pages_served += 1
        if start == 0:
            self._holed.discard(of)
            if any(spec.name == EMPTY_PAGE and spec.happens() for spec in self.misbehave):
                self._holed.add(of)
        hole = size if of in self._holed and len(rows) > size else 0
        if hole and start == size:
            cut: list[Any] = []
        else:
            first = start - hole if start > size else start
            cut = list(rows[first : first + size])
        length = len(rows) + hole
        following = start + size if start + size < length else None
        return Page(cut, following, max(0, -(-length // size) - 1) * size, len(rows))

    def page_size(self, asked: int) -> int:
        """Return the number of rows of a page when so many were asked for."""
        return asked if self.largest_page is None else min(asked, self.largest_page)

    def times_told(self, learner: str) -> int:
        """Return how often a result of this learner was accepted, by the id that was sent."""
        if isinstance(self.outcomes, dict):
            mine = [key for key, value in self.outcomes.items() if _mentions((key, value), learner)]
            return sum(max(1, self.arrivals[key]) for key in mine)
        return sum(_mentions(outcome, learner) for outcome in self.outcomes)

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
        """Forget everything that arrived, and every way to misbehave."""
        self.items.clear()
        self.outcomes.clear()
        self.arrivals.clear()
        self.seen.clear()
        self.credentials.clear()
        self.misbehave.clear()
        self.poisoned.clear()
        self.largest_page, self.pages_served = None, 0
        self.interfere = self.answer_token = _let_it_be
        self._holed.clear()

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
        self.credentials.add(request.headers.get("Authorization", "").partition(" ")[2])
        status = 500
        self.under_way += 1
        try:
            for_token = request.path in self.token_paths
            other = (self.answer_token if for_token else self.interfere)(request)
            response: web.StreamResponse = other or await misbehave(
                request, handler, self.misbehave, self.clock, for_token=for_token
            )
            status = response.status
        except web.HTTPException as answer:
            status = answer.status
            raise
        finally:
            self.under_way -= 1
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


def _let_it_be(_request: web.Request) -> web.Response | None:
    return None


def _mentions(value: Any, text: str) -> bool:
    """Tell whether a text stands anywhere in plain data, as a part of a value or of a key."""
    if isinstance(value, str):
        return text in value
    if isinstance(value, dict):
        return any(_mentions(pair, text) for pair in value.items())
    return isinstance(value, list | tuple) and any(_mentions(each, text) for each in value)

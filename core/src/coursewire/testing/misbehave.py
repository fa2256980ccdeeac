"""Named ways in which an LMS misbehaves. Any simulator can be told to.

::

    simulator.misbehave.append(Misbehaviour("429 with Retry-After", times=2))
    simulator.misbehave.append(Misbehaviour("slow answer", times=None, every=10, seconds=5))
    simulator.misbehave.append(Misbehaviour("empty page in the middle"))

Most strike requests as they come. :data:`INSIDE` names those that only the simulator itself can show, since they are
about items and pages; it asks :meth:`coursewire.testing.simulator.Simulator.is_poisoned` and ``page_of``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Self

import orjson
from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from coursewire.model.instant import Clock


_GLANCE_S = 0.01
"""The seconds after which a slow answer looks again whether anybody still waits for it."""


@dataclass(slots=True)
class Misbehaviour:
    """One way to misbehave, and how often.

    Attributes:
        name: A name of :data:`MISBEHAVIOURS`.
        times: How many requests (items, lists) meet it; None for no end.
        every: Only each so-manieth of the requests that it could meet: 1 for all.
        path: Only requests whose path contains this text. Requests for tokens are met only when it names them.
        seconds: What ``Retry-After`` says, or how slow the answer is.
    """

    name: str
    times: int | None = 1
    every: int = 1
    path: str = ""
    seconds: float = 1
    _met: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.name not in MISBEHAVIOURS:
            raise ValueError(f"no misbehaviour {self.name!r}; there are: {', '.join(MISBEHAVIOURS)}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``NAME``, ``NAME:TIMES`` or ``NAME:always``; the name may have hyphens for blanks.

        Raises:
            ValueError: There is no such misbehaviour, or it is not said how often.
        """
        name, _, times = text.partition(":")
        names = {each.replace(" ", "-").casefold(): each for each in MISBEHAVIOURS}
        name = names.get(name.strip().replace(" ", "-").casefold(), name)
        if times not in ("", "always") and not (times.isdecimal() and int(times)):
            raise ValueError(f"{times!r} is not how often; give a number from 1 on, or 'always'")
        return cls(name, times=None if times == "always" else int(times or 1))

    def strikes(self, request: web.BaseRequest, *, for_token: bool = False) -> bool:
        """Tell whether this request meets it, and count it."""
        if self.name in INSIDE or self.path not in request.path or (for_token and not self.path):
            return False
        return self.happens()

    def happens(self) -> bool:
        """Tell whether it happens now, and count it."""
        if self.times == 0:
            return False
        self._met += 1
        if self._met % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True


def _json(status: int, body: object, **headers: str) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def _date(spec: Misbehaviour, clock: Clock) -> str:
    return format_datetime(clock() + timedelta(seconds=spec.seconds), usegmt=True)


_BUSY = {"message": "Too many requests"}
_PAGE = "<!DOCTYPE html><html><head><style>p{}</style></head><body><h1>Bad &amp; broken</h1></body></html>"
_CHALLENGE = 'Bearer error="invalid_token", error_description="The access token expired"'

_ANSWERS: dict[str, Callable[[Misbehaviour, Clock], web.Response]] = {
    "429 with Retry-After": lambda spec, _: _json(429, _BUSY, Retry_After=f"{spec.seconds:g}"),
    "429 without Retry-After": lambda _spec, _clock: _json(429, _BUSY),
    "429 with Retry-After as date": lambda spec, clock: _json(429, _BUSY, Retry_After=_date(spec, clock)),
    "403 as throttle": lambda _spec, _clock: web.Response(
        status=403, text="403 Forbidden (Rate Limit Exceeded)"
    ),
    "200 with error body": lambda _spec, _clock: _json(
        200, {"exception": "error", "errorcode": "invalid", "message": "It did not work"}
    ),
    "HTML error page": lambda _spec, _clock: web.Response(status=500, text=_PAGE, content_type="text/html"),
    "bad gateway": lambda _spec, _clock: web.Response(status=502, text="Bad gateway"),
    "empty answer": lambda _spec, _clock: web.Response(status=200),
    "expired token": lambda _spec, _clock: _json(
        401, {"error": "invalid_token"}, WWW_Authenticate=_CHALLENGE
    ),
}

BAD_ITEM = "one bad item in a batch"
EMPTY_PAGE = "empty page in the middle"
INSIDE = (BAD_ITEM, EMPTY_PAGE)
"""Names of those that are about items and pages, not about requests."""

MISBEHAVIOURS = (*_ANSWERS, "reset after accepting", "reset before accepting", "slow answer", *INSIDE)
"""Every name that :class:`Misbehaviour` takes."""


async def misbehave(
    request: web.Request,
    handler: Handler,
    specs: list[Misbehaviour],
    clock: Clock,
    *,
    for_token: bool = False,
) -> web.StreamResponse:
    """Handle a request, badly if one of ``specs`` says so; the first that strikes is the only one."""
    spec = next((spec for spec in specs if spec.strikes(request, for_token=for_token)), None)
    if spec is None:
        return await handler(request)
    if spec.name in _ANSWERS:
        return _ANSWERS[spec.name](spec, clock)
    if spec.name == "slow answer":
        response = await handler(request)
        over_at = time.monotonic() + spec.seconds
        # Until the caller has gone: then there is no transport any more, which nothing tells by an event.
        while request.transport is not None and time.monotonic() < over_at:  # noqa: ASYNC110
            await asyncio.sleep(min(_GLANCE_S, spec.seconds))
        return response
    if spec.name == "reset after accepting":
        await handler(request)
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=500, reason="connection reset")  # for the record; it reaches nobody

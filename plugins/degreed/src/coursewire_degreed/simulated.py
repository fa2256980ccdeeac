"""The base of the simulators of both of Degreed's APIs: tokens, scopes, the limit of calls, refusals."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
from aiohttp import web

import coursewire as cw
from coursewire.testing.simulator import Simulator, json_response

JsonObject = dict[str, Any]

WINDOW = timedelta(minutes=1)
TOKEN_LIFETIME_S = 5_183_999
NEGOTIATED_CALLS = 6000
MEDIA_TYPES = ("application/json", "application/vnd.api+json")


class RefusedError(Exception):
    """The answer to a request that Degreed does not carry out."""

    def __init__(
        self, status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        title = code.replace("-", " ").title()
        error = {"id": str(uuid4()), "code": code, "status": status, "title": title, "detail": detail, **more}
        self.errors = [error]

    def response(self) -> web.Response:
        """Return the answer as it goes over the wire."""
        return json_response({"errors": self.errors}, status=self.status, headers=self.headers)


class _Issued(NamedTuple):
    scopes: frozenset[str]
    expires_at: datetime


class DegreedSimulator(Simulator):
    """One organisation at Degreed, with one API key.

    Args:
        clock: The present instant.
        keep_bodies: Keep request bodies in :attr:`seen`.
        calls_per_minute: Calls that the key may make; what this made-up customer negotiated, unless told.

    Attributes:
        scopes: What the key may do; take some out to see a Degreed that refuses.
        token_lifetime_s: How long a token lasts.
        users: Who is known here, by e-mail address or other id.
        users_only: Only who is in ``users`` is known; else everybody is.
        outcomes: Every completion, correction and withdrawal that was accepted, in order.
        completions: The completions that it holds.
    """

    token_paths = ("/oauth/token",)
    all_scopes: tuple[str, ...] = ()

    client_id = "simulated-client"
    client_secret = "simulated-secret-4c7e"

    def __init__(
        self,
        *,
        clock: cw.Clock = cw.utc_now,
        keep_bodies: bool = True,
        calls_per_minute: int = NEGOTIATED_CALLS,
    ) -> None:
        super().__init__(clock=clock, keep_bodies=keep_bodies)
        self.calls_per_minute = calls_per_minute
        self.scopes = set(self.all_scopes)
        self.token_lifetime_s = TOKEN_LIFETIME_S
        self.users: set[str] = set()
        self.users_only = False
        self.outcomes: list[JsonObject] = []
        self.completions: dict[str, JsonObject] = {}
        self._tokens: dict[str, _Issued] = {}
        self._window: tuple[datetime, int] | None = None

    def enroll(self, course: str, email: str) -> None:
        """Make somebody known; Degreed does not ask who studies what."""
        self.users.add(email)

    def reset(self) -> None:
        """Forget courses, completions, requests and the window of calls; tokens stay good."""
        super().reset()
        self.completions.clear()
        self._window = None

    def expire_tokens(self) -> None:
        """Let every token be over, before its time."""
        self._tokens.clear()

    # -- the way of every call -------------------------------------------------------------------

    def api(self, scope: str, handler: Callable[[web.Request, JsonObject], web.Response]) -> Any:
        """Return an endpoint that demands a token with ``scope``, counts the call, and reads and writes JSON."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                self._check_token(request, scope)
                headers = self._count()
                response = handler(request, await _body(request))
            except RefusedError as refusal:
                return refusal.response()
            response.headers.update(headers)
            return response

        return answer

    def told(self, name: str, outcome: JsonObject) -> None:
        """Note that something about a completion was accepted."""
        self.outcomes.append(outcome)
        self.arrivals[name] += 1

    def known(self, user: Any) -> bool:
        """Tell whether a learner is known here."""
        return isinstance(user, str) and bool(user) and (not self.users_only or user in self.users)

    def issue(self, scopes: frozenset[str]) -> web.Response:
        """Answer with a token that has these scopes, if the key has them all."""
        if not scopes or not scopes <= self.scopes:
            raise RefusedError(403, "forbidden", "The credentials or the scopes are incorrect.")
        value = secrets.token_urlsafe(32)
        self._tokens[value] = _Issued(scopes, self.clock() + timedelta(seconds=self.token_lifetime_s))
        answer = {"access_token": value, "token_type": "bearer", "expires_in": self.token_lifetime_s}
        return json_response({**answer, "refresh_token": secrets.token_urlsafe(32)})

    def _check_token(self, request: web.Request, scope: str) -> None:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        issued = self._tokens.get(value)
        if kind != "Bearer" or issued is None or issued.expires_at <= self.clock():
            raise RefusedError(401, "unauthorized", "The token is unknown or has expired.")
        if scope not in issued.scopes:
            raise RefusedError(403, "forbidden", f"The token lacks the scope {scope}.")

    def _count(self) -> dict[str, str]:
        now = self.clock()
        started, calls = self._window or (now, 0)
        if now >= started + WINDOW:
            started, calls = now, 0
        resets_at = started + WINDOW
        if calls >= self.calls_per_minute:
            wait = max(1, round((resets_at - now).total_seconds()))
            detail = f"Maximum {self.calls_per_minute} requests allowed per 1m."
            raise RefusedError(429, "quota-exceeded", detail, {"Retry-After": str(wait)})
        self._window = (started, calls + 1)
        return {
            "X-Rate-Limit-Limit": "1m",
            "X-Rate-Limit-Remaining": str(self.calls_per_minute - calls - 1),
            "X-Rate-Limit-Reset": f"{resets_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        }


async def read_form(request: web.Request, *names: str) -> dict[str, str]:
    """Return the fields of a form, which must be these and in this order."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise RefusedError(400, "bad-request", "Send a form.")
    form = await request.post()
    if list(form) != list(names):
        raise RefusedError(400, "bad-request", f"The form has other fields than {', '.join(names)}.")
    return {name: str(value) for name, value in form.items()}


async def _body(request: web.Request) -> JsonObject:
    if request.headers.get("Accept", "*/*") not in ("*/*", *MEDIA_TYPES):
        raise RefusedError(406, "not-acceptable", "Only JSON is to be had here.")
    raw = await request.read()
    if not raw:
        return {}
    if request.content_type not in MEDIA_TYPES:
        raise RefusedError(406, "not-acceptable", "Send JSON.")
    try:
        body = orjson.loads(raw)
    except ValueError:
        raise RefusedError(400, "bad-request", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise RefusedError(400, "bad-request", "The body is not an object.")
    return body

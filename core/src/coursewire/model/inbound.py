"""What a channel lets the LMS, or its users, ask of us. The host service serves it; no web framework here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

import orjson

from coursewire.model.addresses import plain_path

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import httpx

    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.instant import Clock
    from coursewire.model.payload import JsonObject
    from coursewire.model.session import Token


class Access(StrEnum):
    """Who may call a route."""

    CUSTOMER = "customer"
    """The bearer of a token with the right to read this customer's data; others get 401 or 403."""
    LEARNER = "learner"
    """A signed-in learner: the host tells who it is, or answers 401."""
    PUBLIC = "public"
    """Anybody. The handler believes nothing that it cannot check."""


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """A handler says no: the caller gets the status, and the words as JSON under ``message`` and ``error``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """One call, after the host has checked access, size and rate.

    Attributes:
        method: In capitals.
        url: Public URL of the route, without the query.
        path: Values of the placeholders in the route's path.
        query: Pairs, in order, decoded.
        headers: By name in lower case; without credentials and cookies.
        body: As it came, at most ``max_body_bytes``.
        customer: The customer that access was checked for; "" on public routes.
        learner: Username of the learner who is signed in; "" otherwise.
    """

    method: str
    url: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    customer: str = ""
    learner: str = ""

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter; None when it is not there."""
        return next((value for key, value in self.query if key == name), None)

    def count(self, name: str, most: int) -> int:
        """A query parameter that says how much is wanted; ``most`` when it is more, or not there.

        Raises:
            Refused: It is no whole number from 0 on.
        """
        text = self.parameter(name)
        if text is None:
            return most
        if not (text.isascii() and text.isdecimal()):
            raise Refused(400, f"{name} must be a whole number, not below 0")
        return min(int(text[:9]), most)

    @property
    def modified_since(self) -> datetime | None:
        """The instant of ``If-Modified-Since``; None without one that can be read (RFC 9110, 13.1.3)."""
        try:
            instant = parsedate_to_datetime(self.headers.get("if-modified-since", ""))
        except ValueError:
            return None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)

    def texts(self) -> dict[str, str]:
        """The members of a JSON object in the body that are text.

        Raises:
            Refused: The body is something else.
        """
        try:
            given = orjson.loads(self.body)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise Refused(400, "the body must be a JSON object")
        return {name: value for name, value in given.items() if isinstance(value, str)}


def needed(given: Mapping[str, str], *names: str) -> list[str]:
    """What a caller must have given, in the order of the names.

    Args:
        given: Such as :meth:`InboundRequest.texts`.
        *names: Of parameters or members.

    Raises:
        Refused: One of them is missing or empty.
    """
    for name in names:
        if not given.get(name):
            raise Refused(400, f"{name} is missing")
    return [given[name] for name in names]


@dataclass(frozen=True, slots=True)
class InboundAnswer:
    """What the caller gets."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, body: object, status: int = 200, **headers: str) -> InboundAnswer:
        """Plain data as JSON; underscores in names of headers stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, orjson.dumps(body), headers=named)

    @classmethod
    def problem(cls, status: int, title: str, detail: str = "") -> InboundAnswer:
        """An error as RFC 9457 writes it."""
        body = {"type": "about:blank", "status": status, "title": title, "detail": detail}
        return cls(status, orjson.dumps(body), "application/problem+json")


@dataclass(frozen=True, slots=True)
class Offered:
    """One item that lies ready for the LMS to fetch.

    Attributes:
        content_key: Our key.
        remote_key: The key that the LMS knows it by.
        body: The exporter's payload; of a retired item that of its retirement. Do not change it.
        live: False for a retired item.
        changed_at: The time of change to tell the LMS: later than what it says it has, and than every time
            that it was ever told for an earlier version.
    """

    content_key: str
    remote_key: str
    body: Mapping[str, Any]
    live: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Launch:
    """What a learner brought along from the LMS.

    Attributes:
        username: The learner, at the platform.
        course_key: The course that was started, by our key.
        remote_id: The learner's id at the LMS.
        callback: Where results go: a path at the LMS; "" when it has no such thing.
        token: Proves to the LMS that the learner came from there. Kept encrypted.
        received_at: When.
    """

    username: str
    course_key: str
    remote_id: str
    callback: str
    token: str = field(repr=False)
    received_at: datetime

    def check(self) -> None:
        """Make sure that it can be stored, and that nobody else's host gets results.

        Raises:
            Refused: It cannot.
        """
        limits = (("course", self.course_key, 255), ("id", self.remote_id, 255), ("token", self.token, 4000))
        for name, text, most in limits:
            if not 0 < len(text) <= most:
                raise Refused(400, f"the {name} that was brought must have 1 to {most} characters")
        try:
            plain_path(self.callback)
        except ValueError as error:
            raise Refused(400, f"the callback that was brought is not one: {error}") from None


class InboundDesk(Protocol):
    """What core lends to a handler. Blocking work runs off the event loop."""

    clock: Clock

    async def configurations(self, customer: str) -> Sequence[tuple[UUID, ChannelConfig]]:
        """The customer's active, valid configurations of this channel, oldest first.

        Raises:
            Refused: No customer is given (400), or what is given is no customer's UUID (404).
        """
        ...

    async def configuration(self, customer: str, wanted: str | None = None) -> tuple[UUID, ChannelConfig]:
        """The customer's one configuration of this channel, or the one that is wanted, by its UUID.

        Raises:
            Refused: As above; there is none (404), or there are several and none is named (409).
        """
        ...

    async def poll(self, configuration: UUID, *, since: datetime | None, limit: int) -> Sequence[Offered]:
        """Answer one poll of the LMS, which also acknowledges what earlier polls were given.

        Safe to repeat: two equal polls, with nothing offered in between, get equal answers. The rule is
        written down in :mod:`coursewire.storage.feed`.

        Args:
            configuration: Whose items.
            since: The LMS says that it has every change up to this second; None when it does not say.
            limit: Items at most.

        Returns:
            Items to hand out, the longest waiting first.
        """
        ...

    async def offered(self, configuration: UUID, content_key: str) -> Offered | None:
        """One item as it lies ready, by our key; None when it was never offered. Acknowledges nothing."""
        ...

    async def keep(self, customer: str, host: str, launch: Launch) -> None:
        """Store what a learner brought, in place of what the same learner brought for the same course.

        It also links the learner to ``remote_id``, and lets go what waited for a newer token.

        Args:
            customer: UUID.
            host: Of the LMS that the learner comes from, or its beginning up to a dot: ``acme`` is
                acme.example.com and not acme-test.example.com. Every configuration for that LMS gets it.
            hand_over: What was brought.

        Raises:
            Refused: A text is missing or too long, or ``callback`` is not a path (400); the customer has no
                configuration for that host, or not this learner (404). Nothing is stored.
            SourceError: It could not be found out, or not be stored.
        """
        ...


Handler = Callable[[InboundRequest, InboundDesk], Awaitable[InboundAnswer]]


@dataclass(frozen=True, slots=True)
class InboundRoute:
    """One endpoint of a channel.

    Attributes:
        path: Below ``/channels/<code in lower case>``; placeholders as in ``/courses/{course}``.
        handler: Answers; what it raises is a 500 without details, and logged.
        access: Who may call.
        method: One HTTP method.
        customer_from: Query parameter or placeholder that names the customer; needed with
            ``Access.CUSTOMER``.
        summary: One line for the OpenAPI document; the first one of the handler's docstring if left out.
        max_body_bytes: More is refused with 413 before the handler is asked.
    """

    path: str
    handler: Handler
    access: Access
    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    customer_from: str = ""
    summary: str = ""
    max_body_bytes: int = 65_536

    def __post_init__(self) -> None:
        told = (self.handler.__doc__ or "").partition("\n")[0].strip()
        object.__setattr__(self, "summary", self.summary or told)


def list_route(
    path: str, entry: Callable[[Offered], JsonObject], *, most: int, customer_from: str
) -> InboundRoute:
    """The endpoint from which an LMS fetches content: a JSON array of what it has not acknowledged yet.

    The query may say ``count``, how many items the LMS takes, and ``config``, one of several configurations of the
    customer, by UUID; ``If-Modified-Since`` says what the LMS has. A configuration on a dry run lists nothing, and keeps
    what waits.

    Args:
        path: As for :class:`InboundRoute`.
        entry: Makes an element of the array of what lies ready.
        most: Items in one answer; ``transmission_chunk_size`` and ``count`` may lower it.
        customer_from: As for :class:`InboundRoute`.
    """

    async def list_what_waits(request: InboundRequest, desk: InboundDesk) -> InboundAnswer:
        """List what the LMS has not acknowledged yet."""
        wanted = request.count("count", most)
        uuid, config = await desk.configuration(request.customer, request.parameter("config"))
        if config.dry_run_mode_enabled:
            return InboundAnswer.json([])
        limit = min(wanted, config.transmission_chunk_size or most)
        items = await desk.poll(uuid, since=request.modified_since, limit=limit)
        return InboundAnswer.json([entry(item) for item in items])

    return InboundRoute(path, list_what_waits, Access.CUSTOMER, customer_from=customer_from)


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """How an administrator of the LMS gives us access: OAuth 2's authorization code (RFC 6749, 4.1).

    Core serves the two pages (start, and return with the code), makes and checks ``state``, asks for the token
    and stores what it brings. A channel lists it in ``inbound_routes`` among its routes.

    Attributes:
        fields: Secret fields of the configuration that the grant fills, such as ``refresh_token``. While
            they are empty the functions get placeholders in their place.
        authorize_url: Of (configuration, redirect URI, state): where the administrator's browser is sent.
        token_request: Of (configuration, code, redirect URI): the request for the first token.
        read_token: Reads its answer as strictly as any input; the refresh token goes into ``fields[0]``.
        pkce: The LMS knows RFC 7636: core adds a challenge to the URL and its answer to the request's form.
    """

    fields: tuple[str, ...]
    authorize_url: Callable[[ChannelConfig, str, str], str]
    token_request: Callable[[ChannelConfig, str, str], httpx.Request]
    read_token: Callable[[httpx.Response, Clock], Token]
    pkce: bool = False

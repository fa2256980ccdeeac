"""Endpoints that a channel offers to the LMS, or to its users; the host service serves them.

Nothing here depends on a web framework.
"""

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


class InboundAccess(StrEnum):
    """The callers that a route admits."""

    CUSTOMER = "customer"
    """The bearer of a token with the right to read this customer's data; others get 401 or 403."""
    LEARNER = "learner"
    """A signed-in learner: the host tells who it is, or answers 401."""
    PUBLIC = "public"
    """Anybody. The handler believes nothing that it cannot check."""


class InboundRefusal(Exception):  # noqa: N818 - an answer, not an error of ours
    """A handler refuses the call: the caller gets the status, and the text as JSON under ``message`` and ``error``.

    Args:
        status: HTTP status, 400 to 499.
        message: The reason, for the caller.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """One call, after the host has checked access, size and rate.

    Attributes:
        method: HTTP method in capitals.
        url: Public URL of the route, without the query.
        path: Values of the placeholders in the route's path, by name.
        query: Names and values of the query in their order, decoded.
        headers: Headers by name in lower case, without credentials and cookies.
        body: The bytes that came, at most ``max_body_bytes`` of the route.
        customer: UUID of the customer that access was checked for; "" on public routes.
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
        """Return the first value of a query parameter; None if it is missing."""
        return next((value for key, value in self.query if key == name), None)

    def count(self, name: str, most: int) -> int:
        """Return the number of items that a query parameter asks for.

        Args:
            name: Name of the parameter.
            most: Upper limit, and the answer where the parameter is missing.

        Raises:
            InboundRefusal: The value is no whole number from 0 on (400).
        """
        text = self.parameter(name)
        if text is None:
            return most
        if not (text.isascii() and text.isdecimal()):
            raise InboundRefusal(400, f"{name} must be a whole number, not below 0")
        return min(int(text[:9]), most)

    @property
    def modified_since(self) -> datetime | None:
        """The instant of the header ``If-Modified-Since``; None without one that can be read (RFC 9110, 13.1.3)."""
        try:
            instant = parsedate_to_datetime(self.headers.get("if-modified-since", ""))
        except ValueError:
            return None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)

    def texts(self) -> dict[str, str]:
        """Return the members of the body's JSON object whose values are text, by name.

        Raises:
            InboundRefusal: The body is no JSON object (400).
        """
        try:
            given = orjson.loads(self.body)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise InboundRefusal(400, "the body must be a JSON object")
        return {name: value for name, value in given.items() if isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class InboundAnswer:
    """The answer to the caller.

    Attributes:
        status: HTTP status of the answer.
        body: The bytes of the body.
        media_type: Value of the header Content-Type.
        headers: Further headers by name.
    """

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, body: object, status: int = 200, **headers: str) -> InboundAnswer:
        """Return plain data as a JSON answer.

        Args:
            body: Plain data, such as a dictionary.
            status: HTTP status of the answer.
            **headers: Further headers by name; underscores in a name stand for hyphens.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, orjson.dumps(body), headers=named)

    @classmethod
    def problem(cls, status: int, title: str, detail: str = "") -> InboundAnswer:
        """Return an error as a problem document (RFC 9457).

        Args:
            status: HTTP status of the answer.
            title: Short text that says which kind of problem it is.
            detail: Sentence about this very case; "" for none.
        """
        body = {"type": "about:blank", "status": status, "title": title, "detail": detail}
        return cls(status, orjson.dumps(body), "application/problem+json")


@dataclass(frozen=True, slots=True)
class PublishedItem:
    """One content item that lies ready for an LMS that fetches by itself.

    Attributes:
        content_key: Key of the item in the catalog.
        remote_key: Key by which the LMS knows the item.
        body: Payload that the exporter made; for a retired item the payload of its retirement. Do not change it.
        live: False for a retired item.
        changed_at: Time of change to tell the LMS. It is later than the time up to which the LMS says it has every
            change, and later than every time that the LMS was told for an earlier version of the item.
    """

    content_key: str
    remote_key: str
    body: Mapping[str, Any]
    live: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Launch:
    """One learner's launch of a course from the LMS, with the session token that the LMS handed over.

    A launch tells who the learner is at the LMS, and gives leave to report results there for a while. A channel whose
    LMS works so takes launches at an inbound route and stores them with :meth:`InboundDesk.save_launch`; its client gets
    the newest one from :meth:`Session.launch`. Forgetting the learner deletes them.

    Attributes:
        username: Username of the learner at the platform.
        course_key: Key of the launched course in the catalog.
        remote_id: The learner's id at the LMS.
        callback: Path at the LMS that takes results, beginning with a slash.
        token: Session token; it is stored encrypted and never shows in a log.
        received_at: Instant of the launch.
    """

    username: str
    course_key: str
    remote_id: str
    callback: str
    token: str = field(repr=False)
    received_at: datetime

    def check(self) -> None:
        """Check that the launch can be stored, and that its callback leads to no other host.

        Raises:
            InboundRefusal: A text is empty or too long, or the callback is no path (400).
        """
        limits = (("course", self.course_key, 255), ("id", self.remote_id, 255), ("token", self.token, 4000))
        for name, text, most in limits:
            if not 0 < len(text) <= most:
                raise InboundRefusal(400, f"the {name} of the launch must have 1 to {most} characters")
        try:
            plain_path(self.callback)
        except ValueError as error:
            raise InboundRefusal(400, f"the callback of the launch cannot be used: {error}") from None


class InboundDesk(Protocol):
    """The services of core for a handler of an inbound route. Blocking work runs off the event loop.

    Attributes:
        clock: The present instant.
    """

    clock: Clock

    async def configurations(self, customer: str) -> Sequence[tuple[UUID, ChannelConfig]]:
        """Return the customer's active, valid configurations of this channel, oldest first.

        Args:
            customer: UUID of the customer.

        Raises:
            InboundRefusal: No customer is given (400), or what is given is no customer's UUID (404).
        """
        ...

    async def configuration(self, customer: str, wanted: str | None = None) -> tuple[UUID, ChannelConfig]:
        """Return the customer's only configuration of this channel, or the one with a given id.

        Args:
            customer: UUID of the customer.
            wanted: UUID of one of the customer's configurations; None for the only one.

        Raises:
            InboundRefusal: No customer is given (400), there is no such customer or configuration (404), or there
                are several configurations and none is named (409).
        """
        ...

    async def poll(
        self, configuration: UUID, *, since: datetime | None, limit: int
    ) -> Sequence[PublishedItem]:
        """Answer one poll of the LMS, which also acknowledges the answers to earlier polls.

        A poll is safe to repeat: two equal polls get equal answers if nothing was published in between. The rule is
        written down in :mod:`coursewire.storage.feed`.

        Args:
            configuration: UUID of the configuration whose items are asked for.
            since: Instant up to which the LMS says it has every change, to the second; None if it does not say.
            limit: Number of items at most.

        Returns:
            The items to hand out, the longest waiting first.
        """
        ...

    async def published(self, configuration: UUID, content_key: str) -> PublishedItem | None:
        """Return one item as it lies ready; None if it was never published. Nothing is acknowledged by it.

        Args:
            configuration: UUID of the configuration.
            content_key: Key of the item in the catalog.
        """
        ...

    async def save_launch(self, customer: str, host: str, launch: Launch) -> None:
        """Store a learner's launch, in place of an earlier launch of the same course by the same learner.

        The learner is linked to the id at the LMS, and results that waited for a newer session token may go.

        Args:
            customer: UUID of the customer.
            host: Host of the LMS that the learner comes from, or its beginning up to a dot: ``acme`` means
                acme.example.com and not acme-test.example.com. Every configuration for that LMS gets the launch.
            launch: The launch to store.

        Raises:
            InboundRefusal: A text is missing or too long, or ``callback`` is not a path (400); the customer has no
                configuration for that host, or does not have this learner (404). Nothing is stored.
            SourceError: The source could not answer, or the launch could not be stored.
        """
        ...


Handler = Callable[[InboundRequest, InboundDesk], Awaitable[InboundAnswer]]


@dataclass(frozen=True, slots=True)
class InboundRoute:
    """One endpoint of a channel.

    Attributes:
        path: Path below ``/channels/<code in lower case>``, with placeholders as in ``/courses/{course}``.
        handler: Coroutine function that answers a request. An exception of it is logged, and answered with 500.
        access: The callers that are admitted.
        method: HTTP method of the endpoint.
        customer_from: Query parameter or placeholder that names the customer; needed with
            ``InboundAccess.CUSTOMER``.
        summary: One line for the OpenAPI document; the first line of the handler's docstring if left out.
        max_body_bytes: Size of the largest body; a larger one is answered with 413 before the handler is called.
    """

    path: str
    handler: Handler
    access: InboundAccess
    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    customer_from: str = ""
    summary: str = ""
    max_body_bytes: int = 65_536

    def __post_init__(self) -> None:
        told = (self.handler.__doc__ or "").partition("\n")[0].strip()
        object.__setattr__(self, "summary", self.summary or told)


def list_route(
    path: str, entry: Callable[[PublishedItem], JsonObject], *, most: int, customer_from: str
) -> InboundRoute:
    """Return the endpoint from which an LMS fetches content: a JSON array of the items not acknowledged yet.

    The query may say ``count``, how many items the LMS takes, and ``config``, one of several configurations of the
    customer, by UUID; ``If-Modified-Since`` says up to when the LMS has every change. A configuration on a dry run lists
    nothing, and keeps its items waiting.

    Args:
        path: Path of the route, as in :class:`InboundRoute`.
        entry: Function that makes the element of the array from an item.
        most: Number of items in one answer at most; ``transmission_chunk_size`` and ``count`` may lower it.
        customer_from: Query parameter or placeholder that names the customer, as in :class:`InboundRoute`.

    Example:
        ::

            @cw.hookimpl
            def inbound_routes():
                return [cw.list_route("/courses", lambda item: dict(item.body), most=1000, customer_from="customer")]
    """

    async def list_items(request: InboundRequest, desk: InboundDesk) -> InboundAnswer:
        """List the items that the LMS has not acknowledged yet."""
        wanted = request.count("count", most)
        uuid, config = await desk.configuration(request.customer, request.parameter("config"))
        if config.dry_run_mode_enabled:
            return InboundAnswer.json([])
        limit = min(wanted, config.transmission_chunk_size or most)
        items = await desk.poll(uuid, since=request.modified_since, limit=limit)
        return InboundAnswer.json([entry(item) for item in items])

    return InboundRoute(path, list_items, InboundAccess.CUSTOMER, customer_from=customer_from)


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """The way in which an administrator of the LMS grants access: OAuth 2's authorization code (RFC 6749, 4.1).

    Core serves the page that starts the grant and the page that the LMS returns to with the code, makes and checks
    ``state``, asks for the first token and stores what it brings. A channel hands a grant over in the hook
    ``oauth_application``; :meth:`coursewire.OAuthApplication.grant` makes one.

    Attributes:
        fields: Names of the configuration's secret fields that the grant fills, such as ``("refresh_token",)``.
            While they are empty the functions below get placeholders in their place.
        authorize_url: Function of (configuration, redirect URI, state) that returns the URL of the page on which
            the administrator grants access.
        token_request: Function of (configuration, code, redirect URI) that returns the request for the first token.
        read_token: Function of (answer, clock) that returns the token in the answer to that request, read as
            strictly as any input. Its refresh token goes into ``fields[0]``.
        pkce: True where the LMS supports RFC 7636: core then adds the challenge to the URL, and the verifier to the
            form of the token request.
    """

    fields: tuple[str, ...]
    authorize_url: Callable[[ChannelConfig, str, str], str]
    token_request: Callable[[ChannelConfig, str, str], httpx.Request]
    read_token: Callable[[httpx.Response, Clock], Token]
    pkce: bool = False

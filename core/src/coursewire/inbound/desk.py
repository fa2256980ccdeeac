"""Inbound routes of channels: the desk that core lends to their handlers, and one call from request to answer.

A host mounts :meth:`Inbound.routes` and calls :meth:`Inbound.answer` once it has settled who is calling.
:meth:`Inbound.call` does both in this process, without a host: for tests, simulators and the demo.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from coursewire.errors import CoursewireError, SourceError
from coursewire.model.inbound import (
    InboundAccess,
    InboundAnswer,
    InboundDesk,
    InboundRefusal,
    InboundRequest,
    InboundRoute,
    Launch,
    PublishedItem,
)
from coursewire.storage.feed import Feed
from coursewire.storage.launches import Launches

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from coursewire.installation import Installation
    from coursewire.model.configuration import ChannelConfig
    from coursewire.plugins.registry import LoadedChannel

ROOT = "/channels"
"""Below it every channel's routes lie, under the channel's code in lower case."""

_log = logging.getLogger("coursewire.inbound")


@dataclass(frozen=True, slots=True)
class Mounted:
    """A route with its whole path, which has placeholders as in ``/courses/{course}``."""

    channel: LoadedChannel
    path: str
    route: InboundRoute


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of an inbound route, as the host has identified it.

    Attributes:
        customers: UUIDs of the customers whose data the caller may read; None for all of them.
        learner: Username of a signed-in learner; "" for anybody else.
    """

    customers: Collection[str] | None = ()
    learner: str = ""


class Desk(InboundDesk):
    """The desk for the handlers of one channel; see :class:`coursewire.model.inbound.InboundDesk`."""

    def __init__(self, installation: Installation, channel: LoadedChannel) -> None:
        self.clock = installation.clock
        self._installation = installation
        self._channel = channel

    async def configurations(self, customer: str) -> Sequence[tuple[UUID, ChannelConfig]]:
        """See :meth:`InboundDesk.configurations`."""
        if not customer:
            raise InboundRefusal(400, "say which customer; its UUID is missing")
        try:
            customer = str(uuid.UUID(customer))
        except ValueError:
            raise InboundRefusal(404, "there is no such customer") from None
        return await asyncio.to_thread(self._configurations, customer)

    async def configuration(self, customer: str, wanted: str | None = None) -> tuple[UUID, ChannelConfig]:
        """See :meth:`InboundDesk.configuration`."""
        found = await self.configurations(customer)
        found = [each for each in found if not wanted or str(each[0]) == wanted.lower()]
        title = self._channel.channel.title
        if not found:
            raise InboundRefusal(404, f"this customer has no active configuration for {title}")
        if len(found) > 1:
            ids = ", ".join(str(each) for each, _ in found)
            raise InboundRefusal(
                409, f"this customer has several configurations for {title}; name one: {ids}"
            )
        return found[0]

    def _configurations(self, customer: str) -> Sequence[tuple[UUID, ChannelConfig]]:
        # One that needs reconnecting cannot send, but the LMS may well ask.
        store, channel = self._installation.configurations, self._channel.channel
        found = []
        for each in store.list(channel=channel.code, customer=customer):
            if each.active:
                try:
                    found.append((each.uuid, each.created_at, store.load(each.uuid, channel)))
                except CoursewireError as error:
                    _log.warning("configuration %s cannot answer: %s", each.uuid, error)
        return [(uuid, config) for uuid, _, config in sorted(found, key=lambda one: (one[1], one[0]))]

    async def poll(
        self, configuration: UUID, *, since: datetime | None, limit: int
    ) -> Sequence[PublishedItem]:
        """See :meth:`InboundDesk.poll`."""
        feed = Feed(self._installation.engine, configuration)
        return await asyncio.to_thread(feed.poll, since=since, limit=limit, now=self.clock())

    async def published(self, configuration: UUID, content_key: str) -> PublishedItem | None:
        """See :meth:`InboundDesk.published`."""
        return await asyncio.to_thread(Feed(self._installation.engine, configuration).published, content_key)

    async def save_launch(self, customer: str, host: str, launch: Launch) -> None:
        """See :meth:`InboundDesk.save_launch`."""
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - loaded by then

        launch.check()
        wanted, known = f"{host.lower()}.", await self.configurations(customer)
        meant = [each for each, config in known if f"{urlsplit(config.lms_url).hostname}.".startswith(wanted)]
        if not host or not meant:
            raise InboundRefusal(
                404, "this customer has no active configuration for where the learner comes from"
            )
        installation = self._installation
        learner = await installation.source.learner(str(uuid.UUID(customer)), launch.username)
        if learner is None or not learner.linked:
            raise InboundRefusal(404, "the learner does not belong to this customer")
        try:
            for each in meant:
                store = Launches(installation.engine, installation.secrets, each)
                await asyncio.to_thread(store.save, launch)
        except SQLAlchemyError as error:
            raise SourceError("a learner's launch could not be stored", why=type(error).__name__) from error


class Inbound:
    """The inbound routes of every installed channel."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._mounted: list[Mounted] | None = None

    def routes(self) -> list[Mounted]:
        """Return the routes of all channels, channel by channel."""
        if self._mounted is None:
            self._mounted = [
                Mounted(channel, f"{ROOT}/{channel.channel.code.lower()}{route.path}", route)
                for channel in self._installation.channels
                for route in channel.hook_caller.inbound_routes()
            ]
        return self._mounted

    async def answer(self, mounted: Mounted, request: InboundRequest) -> InboundAnswer:
        """Let the channel answer a request whose access, size and rate are settled."""
        if len(request.body) > mounted.route.max_body_bytes:
            return InboundAnswer.problem(413, "The body is too large")
        try:
            if mounted.route.access is InboundAccess.CUSTOMER and not request.customer:
                raise InboundRefusal(
                    400, f"{mounted.route.customer_from} is missing: say which customer, by UUID"
                )
            answer = await mounted.route.handler(request, Desk(self._installation, mounted.channel))
            return replace(answer, headers={"Cache-Control": "private, no-store", **answer.headers})
        except InboundRefusal as refused:
            return InboundAnswer.json({"message": str(refused), "error": str(refused)}, refused.status)
        except SourceError as error:
            _log.warning("%s %s: %s", request.method, mounted.path, error)
            return InboundAnswer.problem(503, "Not available now", "Ask again later.")
        except Exception:  # noqa: BLE001 - as the comment says
            # The one place for whatever a plugin raises: the caller learns nothing of it.
            _log.exception("%s %s failed (%s)", request.method, mounted.path, mounted.channel.where)
            return InboundAnswer.problem(500, "Something went wrong here")

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        caller: Caller | None = None,
        base_url: str = "https://coursewire.invalid",
    ) -> InboundAnswer:
        """Answer one request from outside, as a host would.

        Args:
            method: HTTP method in capitals.
            path: Whole path, percent-encoded, such as ``/channels/acme/courses/A``.
            query: Names and values, decoded.
            headers: Headers, their names in any case; credentials are not handed on.
            body: Body of the request.
            caller: The identified caller; None for an unknown one.
            base_url: URL at which the host is reached, without a path.
        """
        found = self._find(method, path)
        if isinstance(found, InboundAnswer):
            return found
        mounted, values = found
        kept = {name.lower(): value for name, value in (headers or {}).items()}
        for name in ("authorization", "cookie"):
            kept.pop(name, None)
        request = InboundRequest(
            method,
            base_url + path,
            values,
            tuple(query),
            kept,
            body,
            customer=customer_of(mounted.route, values, query),
            learner=caller.learner if caller else "",
        )
        refusal = refuse(mounted.route, request, caller)
        return refusal or await self.answer(mounted, request)

    def _find(self, method: str, path: str) -> tuple[Mounted, dict[str, str]] | InboundAnswer:
        other_methods = False
        for mounted in self.routes():
            pattern = re.sub(
                r"\{(\w+)\}",
                r"(?P<\1>[^/]+)",
                re.escape(mounted.path).replace(r"\{", "{").replace(r"\}", "}"),
            )
            match = re.fullmatch(pattern, path)
            if match and mounted.route.method == method:
                return mounted, {name: unquote(value) for name, value in match.groupdict().items()}
            other_methods = other_methods or match is not None
        status, title = (
            (405, "This method is not allowed") if other_methods else (404, "There is no such page")
        )
        return InboundAnswer.problem(status, title)


def customer_of(route: InboundRoute, values: Mapping[str, str], query: Sequence[tuple[str, str]]) -> str:
    """Return the customer that a request is about, as the route says where it stands; "" when it names none.

    Args:
        route: The route.
        values: The placeholders of the path, filled in.
        query: The pairs of the query, decoded.
    """
    if route.access is not InboundAccess.CUSTOMER:
        return ""
    return values.get(route.customer_from) or dict(query).get(route.customer_from, "")


def refuse(route: InboundRoute, request: InboundRequest, caller: Caller | None) -> InboundAnswer | None:
    """Return the refusal of a caller who may not have an answer; None if the caller may.

    A request that names no customer is let through to the handler, which says what is missing.
    """
    if route.access is InboundAccess.PUBLIC:
        return None
    if caller is None or (route.access is InboundAccess.LEARNER and not caller.learner):
        return InboundAnswer.problem(401, "Who are you?", "Sign in, or send a token.")
    everything = (
        route.access is not InboundAccess.CUSTOMER or not request.customer or caller.customers is None
    )
    if everything or request.customer.lower() in {each.lower() for each in caller.customers or ()}:
        return None
    return InboundAnswer.problem(403, "Not allowed", "This account may not read this customer's data.")

"""What Cornerstone, and learners who come from there, ask of us: the course list, and two ways to arrive."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import orjson

from coursewire.model.inbound import Access, HandOver, InboundAnswer, InboundRoute
from coursewire_cornerstone.config import plain_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coursewire.model.inbound import InboundDesk, InboundRequest, Offered
    from coursewire_cornerstone.config import CornerstoneConfig

MOST_COURSES = 1000
"""Courses in one answer: portals have been seen to give up on a whole catalogue."""
LONGEST_TOKEN = 4000
PARAMETERS = ("userGuid", "sessionToken", "callbackUrl", "subdomain")

_log = logging.getLogger("coursewire.cornerstone")


class Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    """The caller gets this status and these words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def course_list(request: InboundRequest, desk: InboundDesk) -> InboundAnswer:
    """List what the portal has not acknowledged yet, with the times of change.

    Query: ``ciid`` names the customer, ``count`` how many courses the portal takes, ``config`` one of several
    configurations of the customer.
    """
    try:
        customer = _customer(request.customer or request.parameter("ciid") or "")
        most = _count(request.parameter("count"))
        uuid, config = await _configuration(desk, customer, request.parameter("config"))
    except Refusal as refusal:
        return InboundAnswer.json({"message": str(refusal)}, refusal.status)
    items: Sequence[Offered] = ()
    if not config.dry_run_mode_enabled:
        since = _instant(request.headers.get("if-modified-since"))
        limit = min(most, config.transmission_chunk_size or MOST_COURSES)
        items = await desk.poll(uuid, since=since, limit=limit)
    answer = InboundAnswer.json(
        [{**item.body, "LastModifiedUTC": f"{item.changed_at:%Y-%m-%dT%H:%M:%S.%fZ}"} for item in items]
    )
    headers = {"Cache-Control": "private, no-store", "Vary": "Authorization, If-Modified-Since"}
    if items:
        newest = max(item.changed_at for item in items).replace(microsecond=0)
        headers["Last-Modified"] = format_datetime(newest, usegmt=True)
    return replace(answer, headers=headers)


async def save_learner_information(request: InboundRequest, desk: InboundDesk) -> InboundAnswer:
    """Take what a front end was told when a learner arrived there.

    JSON with ``enterpriseUUID``, ``courseKey``, ``userGuid``, ``sessionToken``, ``callbackUrl``, ``subdomain``.
    """
    try:
        given = orjson.loads(request.body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return InboundAnswer.json({"error": "the body must be a JSON object"}, 400)
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    try:
        customer = _customer(texts.get("enterpriseUUID", ""))
        await _keep(request, desk, customer, texts.get("courseKey", ""), texts)
    except Refusal as refusal:
        return InboundAnswer.json({"error": str(refusal)}, refusal.status)
    return InboundAnswer()


async def launch(request: InboundRequest, desk: InboundDesk) -> InboundAnswer:
    """Receive a learner who comes from the portal, and send the learner on to the course.

    Whatever is wrong with what the learner brings, the learner gets there; a log line tells what was not stored.
    """
    course = request.path.get("course", "")
    try:
        customer = _customer(request.path.get("customer", ""))
        configurations = await desk.configurations(customer)
    except Refusal as refusal:
        return InboundAnswer.problem(refusal.status, str(refusal))
    offered = [await desk.offered(uuid, course) for uuid, _ in configurations]
    target = next((_target(one.body) for one in offered if one is not None), None)
    if target is None:
        return InboundAnswer.problem(404, "There is no such course")
    brought = {name: request.parameter(name) or "" for name in PARAMETERS}
    if brought["sessionToken"] or brought["subdomain"]:  # else it is a visit like any other
        try:
            await _keep(request, desk, customer, course, brought)
        except Refusal as refusal:
            _log.warning("what a learner brought for %s at %s was not stored: %s", course, customer, refusal)
    return InboundAnswer(302, headers={"Location": target, "Cache-Control": "no-store"})


ROUTES = (
    InboundRoute(
        "/course-list",
        course_list,
        Access.CUSTOMER,
        customer_from="ciid",
        summary="Courses that a Cornerstone portal has not acknowledged yet",
    ),
    InboundRoute(
        "/save-learner-information",
        save_learner_information,
        Access.LEARNER,
        method="POST",
        summary="What a learner brought along from Cornerstone",
        max_body_bytes=16_384,
    ),
    InboundRoute(
        "/launch/{customer}/{course}",
        launch,
        Access.LEARNER,
        summary="A learner comes from Cornerstone, and goes on to the course",
    ),
)


# -- the course list -----------------------------------------------------------------------------------


def _customer(text: str) -> str:
    if not text:
        raise Refusal(400, "say which customer: ciid (or enterpriseUUID) is missing")
    try:
        return str(UUID(text))
    except ValueError:
        raise Refusal(404, "there is no such customer") from None


def _count(text: str | None) -> int:
    if text is None:
        return MOST_COURSES
    if not (text.isascii() and text.isdecimal()):
        raise Refusal(400, "count must be a whole number, not below 0")
    return min(int(text[:9]), MOST_COURSES)


async def _configuration(
    desk: InboundDesk, customer: str, wanted: str | None
) -> tuple[UUID, CornerstoneConfig]:
    found = await desk.configurations(customer)
    if wanted:
        found = [each for each in found if str(each[0]) == wanted.lower()]
    if not found:
        raise Refusal(404, "this customer has no active Cornerstone configuration")
    if len(found) > 1:
        ids = ", ".join(str(uuid) for uuid, _ in found)
        raise Refusal(409, f"this customer has several; name one with config=ID: {ids}")
    ((uuid, config),) = found
    return uuid, cast("CornerstoneConfig", config)


def _instant(text: str | None) -> datetime | None:
    """An HTTP date; None when there is none, or it cannot be read (RFC 9110, 13.1.3)."""
    try:
        instant = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


# -- arrivals ------------------------------------------------------------------------------------------


async def _keep(
    request: InboundRequest, desk: InboundDesk, customer: str, course: str, brought: Mapping[str, str]
) -> None:
    """Store what a learner brought, at every configuration for that portal."""
    for name in PARAMETERS:
        if not brought.get(name):
            raise Refusal(400, f"{name} is missing")
    if not 0 < len(course) <= 255:
        raise Refusal(400, "courseKey is missing, or longer than 255 characters")
    if len(brought["sessionToken"]) > LONGEST_TOKEN:
        raise Refusal(400, f"sessionToken is longer than {LONGEST_TOKEN} characters")
    try:
        guid, callback = str(UUID(brought["userGuid"])), plain_path(brought["callbackUrl"])
    except ValueError as error:
        raise Refusal(
            400, f"userGuid must be a GUID, and callbackUrl a path at the portal: {error}"
        ) from None
    configurations = await desk.configurations(customer)
    portals = [
        uuid
        for uuid, config in configurations
        if _is_of(cast("CornerstoneConfig", config).host, brought["subdomain"])
    ]
    if not portals:
        raise Refusal(404, "this customer has no active Cornerstone configuration for this subdomain")
    if not await desk.is_linked(customer, request.learner):
        raise Refusal(404, "the learner does not belong to this customer")
    hand_over = HandOver(request.learner, course, guid, callback, brought["sessionToken"], desk.clock())
    for uuid in portals:
        await desk.keep(uuid, hand_over)


def _is_of(host: str, subdomain: str) -> bool:
    """Tell whether a portal's host is meant: ``acme`` is acme.csod.com, and not acme-stg.csod.com."""
    return host == subdomain.lower() or host.startswith(f"{subdomain.lower()}.")


def _target(body: Mapping[str, object]) -> str:
    """Where a listed course is: its address, or the one behind our own page. Never what the request says."""
    url = str(body["URL"])
    behind = parse_qs(urlsplit(url).query).get("url")
    return behind[0] if behind and "/launch/" in urlsplit(url).path else url

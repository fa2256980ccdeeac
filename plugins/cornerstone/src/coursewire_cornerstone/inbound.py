"""What Cornerstone, and learners who come from there, ask of us: the course list, and two ways to arrive."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from coursewire.errors import CoursewireError
from coursewire.hookspecs import hookimpl
from coursewire.model.inbound import Access, HandOver, InboundAnswer, InboundRoute, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursewire.model.inbound import InboundDesk, InboundRequest

MOST_COURSES = 1000
"""Courses in one answer: portals have been seen to give up on a whole catalogue."""
PARAMETERS = ("userGuid", "sessionToken", "callbackUrl", "subdomain")

_log = logging.getLogger("coursewire.cornerstone")


async def course_list(request: InboundRequest, desk: InboundDesk) -> InboundAnswer:
    """List what the portal has not acknowledged yet, with the times of change.

    Query: ``ciid`` names the customer, ``count`` how many courses the portal takes, ``config`` one of several
    configurations of the customer.
    """
    most = request.count("count", MOST_COURSES)
    uuid, config = await desk.configuration(request.customer, request.parameter("config"))
    if config.dry_run_mode_enabled:
        return InboundAnswer.json([])
    limit = min(most, config.transmission_chunk_size or most)
    items = await desk.poll(uuid, since=request.modified_since, limit=limit)
    return InboundAnswer.json(
        [{**item.body, "LastModifiedUTC": f"{item.changed_at:%Y-%m-%dT%H:%M:%S.%fZ}"} for item in items]
    )


async def save_learner_information(request: InboundRequest, desk: InboundDesk) -> InboundAnswer:
    """Take what a front end was told when a learner arrived there.

    JSON with ``enterpriseUUID``, ``courseKey``, ``userGuid``, ``sessionToken``, ``callbackUrl``, ``subdomain``.
    """
    given = request.texts()
    await _keep(request, desk, given.get("enterpriseUUID", ""), given.get("courseKey", ""), given)
    return InboundAnswer()


async def launch(request: InboundRequest, desk: InboundDesk) -> InboundAnswer:
    """Receive a learner who comes from the portal, and send the learner on to the course.

    Whatever is wrong with what the learner brings, the learner gets there; a log line tells what was not stored.
    """
    customer, course = request.path["customer"], request.path["course"]
    offered = [await desk.offered(uuid, course) for uuid, _ in await desk.configurations(customer)]
    target = next((_target(one.body) for one in offered if one is not None), None)
    if target is None:
        raise Refused(404, "there is no such course")
    brought = {name: request.parameter(name) or "" for name in PARAMETERS}
    if brought["sessionToken"] or brought["subdomain"]:  # else it is a visit like any other
        try:
            await _keep(request, desk, customer, course, brought)
        except (Refused, CoursewireError) as refused:
            _log.warning("what a learner brought for %s at %s was not stored: %s", course, customer, refused)
    return InboundAnswer(302, headers={"Location": target})


async def _keep(
    request: InboundRequest, desk: InboundDesk, customer: str, course: str, brought: Mapping[str, str]
) -> None:
    """Store what a learner brought, at every configuration for that portal."""
    for name in PARAMETERS:
        if not brought.get(name):
            raise Refused(400, f"{name} is missing")
    try:
        guid = str(UUID(brought["userGuid"]))
    except ValueError:
        raise Refused(400, "userGuid must be a GUID") from None
    callback, token = brought["callbackUrl"], brought["sessionToken"]
    hand_over = HandOver(request.learner, course, guid, callback, token, desk.clock())
    await desk.keep(customer, brought["subdomain"], hand_over)


def _target(body: Mapping[str, object]) -> str:
    """Where a listed course is: its address, or the one behind our own page. Never what the request says."""
    url = str(body["URL"])
    behind = parse_qs(urlsplit(url).query).get("url")
    return behind[0] if behind and "/launch/" in urlsplit(url).path else url


ROUTES = [
    InboundRoute("/course-list", course_list, Access.CUSTOMER, customer_from="ciid"),
    InboundRoute("/save-learner-information", save_learner_information, Access.LEARNER, method="POST"),
    InboundRoute("/launch/{customer}/{course}", launch, Access.LEARNER),
]


@hookimpl
def inbound_routes() -> list[InboundRoute]:
    """The course list, and the two ways in which learners arrive."""
    return ROUTES

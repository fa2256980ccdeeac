"""What Cornerstone, and learners who come from there, ask of us: the course list, and two ways to arrive."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import coursewire as cw
from coursewire.errors import CoursewireError
from coursewire.model import inbound

MOST_COURSES = 1000
"""Courses in one answer: portals have been seen to give up on a whole catalogue."""
PARAMETERS = ("userGuid", "sessionToken", "callbackUrl", "subdomain")

_log = logging.getLogger("coursewire.cornerstone")


def _entry(item: inbound.Offered) -> cw.JsonObject:
    return {**item.body, "LastModifiedUTC": f"{item.changed_at:%Y-%m-%dT%H:%M:%S.%fZ}"}


async def save_learner_information(
    request: inbound.InboundRequest, desk: inbound.InboundDesk
) -> inbound.InboundAnswer:
    """Take what a front end was told when a learner arrived there.

    JSON with ``enterpriseUUID``, ``courseKey``, ``userGuid``, ``sessionToken``, ``callbackUrl``, ``subdomain``.
    """
    given = request.texts()
    await _keep(request, desk, given.get("enterpriseUUID", ""), given.get("courseKey", ""), given)
    return inbound.InboundAnswer()


async def launch(request: inbound.InboundRequest, desk: inbound.InboundDesk) -> inbound.InboundAnswer:
    """Receive a learner who comes from the portal, and send the learner on to the course.

    Whatever is wrong with what the learner brings, the learner gets there; a log line tells what was not stored.
    """
    customer, course = request.path["customer"], request.path["course"]
    offered = [await desk.offered(uuid, course) for uuid, _ in await desk.configurations(customer)]
    target = next((_target(one.body) for one in offered if one is not None), None)
    if target is None:
        raise inbound.Refused(404, "there is no such course")
    brought = {name: request.parameter(name) or "" for name in PARAMETERS}
    if brought["sessionToken"] or brought["subdomain"]:  # else it is a visit like any other
        try:
            await _keep(request, desk, customer, course, brought)
        except (inbound.Refused, CoursewireError) as refused:
            _log.warning("what a learner brought for %s at %s was not stored: %s", course, customer, refused)
    return inbound.InboundAnswer(302, headers={"Location": target})


async def _keep(
    request: inbound.InboundRequest,
    desk: inbound.InboundDesk,
    customer: str,
    course: str,
    brought: Mapping[str, str],
) -> None:
    """Store what a learner brought, at every configuration for that portal."""
    user, token, callback, host = inbound.needed(brought, *PARAMETERS)
    try:
        guid = str(UUID(user))
    except ValueError:
        raise inbound.Refused(400, "userGuid must be a GUID") from None
    launch = inbound.Launch(request.learner, course, guid, callback, token, desk.clock())
    await desk.keep(customer, host, launch)


def _target(body: Mapping[str, object]) -> str:
    """Where a listed course is: its address, or the one behind our own page. Never what the request says."""
    url = str(body["URL"])
    behind = parse_qs(urlsplit(url).query).get("url")
    return behind[0] if behind and "/launch/" in urlsplit(url).path else url


ROUTES = [
    inbound.list_route("/course-list", _entry, most=MOST_COURSES, customer_from="ciid"),
    inbound.InboundRoute(
        "/save-learner-information", save_learner_information, inbound.Access.LEARNER, method="POST"
    ),
    inbound.InboundRoute("/launch/{customer}/{course}", launch, inbound.Access.LEARNER),
]


@cw.hookimpl
def inbound_routes() -> list[inbound.InboundRoute]:
    """The course list, and the two ways in which learners arrive."""
    return ROUTES

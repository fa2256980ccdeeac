"""Endpoints for Cornerstone and for learners who come from there: the course list, and two ways to take a launch."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import coursewire as cw

MOST_COURSES = 1000
"""Number of courses in one answer at most: portals have been seen to give up on a whole catalogue."""
PARAMETERS = ("userGuid", "sessionToken", "callbackUrl", "subdomain")

_log = logging.getLogger("coursewire.cornerstone")


def _entry(item: cw.PublishedItem) -> cw.JsonObject:
    return {**item.body, "LastModifiedUTC": f"{item.changed_at:%Y-%m-%dT%H:%M:%S.%fZ}"}


async def save_learner_information(request: cw.InboundRequest, desk: cw.InboundDesk) -> cw.InboundAnswer:
    """Take a launch from a front end at which the learner arrived.

    The body is JSON with ``enterpriseUUID``, ``courseKey``, ``userGuid``, ``sessionToken``, ``callbackUrl``, ``subdomain``.
    """
    given = request.texts()
    await _save(request, desk, given.get("enterpriseUUID", ""), given.get("courseKey", ""), given)
    return cw.InboundAnswer()


async def launch(request: cw.InboundRequest, desk: cw.InboundDesk) -> cw.InboundAnswer:
    """Receive a learner who comes from the portal, and send the learner on to the course.

    A launch that cannot be stored is logged, and the learner gets to the course all the same.
    """
    customer, course = request.path["customer"], request.path["course"]
    listed = [await desk.published(uuid, course) for uuid, _ in await desk.configurations(customer)]
    target = next((_target(one.body) for one in listed if one is not None), None)
    if target is None:
        raise cw.InboundRefusal(404, "there is no such course")
    brought = {name: request.parameter(name) or "" for name in PARAMETERS}
    if brought["sessionToken"] or brought["subdomain"]:  # else it is a visit like any other
        try:
            await _save(request, desk, customer, course, brought)
        except (cw.InboundRefusal, cw.CoursewireError) as refused:
            _log.warning(
                "a learner's launch of %s for customer %s was not stored: %s", course, customer, refused
            )
    return cw.InboundAnswer(302, headers={"Location": target})


async def _save(
    request: cw.InboundRequest,
    desk: cw.InboundDesk,
    customer: str,
    course: str,
    brought: Mapping[str, str],
) -> None:
    """Store a launch at every configuration for the portal that the learner comes from."""
    user, token, callback, host = require_parameters(brought, *PARAMETERS)
    try:
        guid = str(UUID(user))
    except ValueError:
        raise cw.InboundRefusal(400, "userGuid must be a GUID") from None
    launch = cw.Launch(request.learner, course, guid, callback, token, desk.clock())
    await desk.save_launch(customer, host, launch)


def require_parameters(given: Mapping[str, str], *names: str) -> list[str]:
    """Return the values that a caller must give, in the order of the names.

    Args:
        given: Values by name, for example from :meth:`coursewire.InboundRequest.texts`.
        *names: Names of the values.

    Raises:
        InboundRefusal: A value is missing or empty; the message names it (400).

    Example:
        >>> require_parameters({"userId": "7", "token": "made-up"}, "userId", "token")
        ['7', 'made-up']
    """
    for name in names:
        if not given.get(name):
            raise cw.InboundRefusal(400, f"{name} is missing")
    return [given[name] for name in names]


def _target(body: Mapping[str, object]) -> str:
    """Return the address of a listed course, or the one behind our own page; never one that the request names."""
    url = str(body["URL"])
    behind = parse_qs(urlsplit(url).query).get("url")
    return behind[0] if behind and "/launch/" in urlsplit(url).path else url


ROUTES = [
    cw.list_route("/course-list", _entry, most=MOST_COURSES, customer_from="ciid"),
    cw.InboundRoute(
        "/save-learner-information", save_learner_information, cw.InboundAccess.LEARNER, method="POST"
    ),
    cw.InboundRoute("/launch/{customer}/{course}", launch, cw.InboundAccess.LEARNER),
]


@cw.hookimpl
def inbound_routes() -> list[cw.InboundRoute]:
    """Return the course list, and the two ways to take a launch."""
    return ROUTES

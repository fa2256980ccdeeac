"""The connection test: it finds what is missing at Moodle, by name, and writes nothing."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import coursewire as cw
from coursewire_moodle.client import CATEGORIES, CREATE, DELETE, FIND, UPDATE, category
from coursewire_moodle.config import MoodleConfig, config_of
from coursewire_moodle.outcomes import ASSIGNMENTS, GRADE, MODULE, PARTICIPANTS
from coursewire_moodle.web_service import call, options

SITE_INFO = "core_webservice_get_site_info"

T = TypeVar("T")


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Ask which functions the service has, look at the category and a course in it, and try to create nothing.

    Raises:
        BlockedError: Functions or rights are missing; the message names each.
    """
    config = config_of(session)
    grades = not config.disable_learner_data_transmissions
    site = (await call(session, SITE_INFO, {})).data
    needed = _needed_functions(config)
    there = {function["name"] for function in site["functions"]}
    _demand(
        [name for name in needed if name not in there],
        "the service lacks functions",
        "Add them under Server > Web services > External services > Functions.",
    )
    place = await category(session)
    missing: list[str] = []
    # Rights come before names in Moodle's order of checks, and a blank name is never taken.
    nameless = {"courses": [{"fullname": " ", "shortname": " ", "categoryid": config.category_id}]}
    await _tried("moodle/course:create", call(session, CREATE, nameless), missing)
    rows = (await call(session, FIND, {"field": "category", "value": config.category_id})).rows("courses")
    if any("visible" not in row for row in rows):
        missing.append("moodle/course:view")
    if any("idnumber" not in row for row in rows):
        missing.append("moodle/course:update")
    if len(rows) < int(place["coursecount"]):
        missing.append("moodle/course:viewhiddencourses")
    if grades and rows and not missing:  # only writing a grade shows whether grades may be written
        one = {"courseid": rows[0]["id"], "options": options(limitnumber=1)}
        people = await _tried("moodle/course:viewparticipants", call(session, PARTICIPANTS, one), missing)
        if people is not None and any("email" not in row for row in people.rows()):
            missing.append("moodle/course:useremail")
    _demand(
        missing,
        "the account lacks rights",
        "Give them to the account's role under Users > Permissions > Define roles.",
    )
    tried = f"tried on course {rows[0]['id']}" if rows else "the category has no course to try them on"
    return [
        f"Moodle {site['release']} at {site['siteurl']} accepts the account.",
        f"The service has the {len(needed)} functions that are needed.",
        f"Courses can be created in the category {place['name']!r}; rights in courses: {tried}.",
    ]


def _needed_functions(config: MoodleConfig) -> list[str]:
    needed = [CREATE, UPDATE, FIND, CATEGORIES]
    if config.retire_strategy is cw.RetireStrategy.DELETE:
        needed.append(DELETE)
    if not config.disable_learner_data_transmissions:
        needed += [ASSIGNMENTS, PARTICIPANTS, GRADE]
        if config.grade_assignment_cmid is not None:
            needed.append(MODULE)
    return needed


async def _tried(right: str, attempt: Awaitable[T], missing: list[str]) -> T | None:
    """Return the reply to a call that changes nothing; None where it is refused.

    Args:
        right: Name of the right without which the call is blocked; it is added to ``missing`` then. A call that is
            rejected for what it carries has shown that the right is there.
        attempt: The call.
        missing: Names of the rights that are missing so far.
    """
    try:
        return await attempt
    except cw.BlockedError as error:
        missing.append(f"{right} ({error.reason})")
    except cw.RejectedError:
        pass
    return None


def _demand(missing: list[str], what: str, next_step: str) -> None:
    if missing:
        raise cw.BlockedError(what, why=", ".join(missing), next_step=next_step)

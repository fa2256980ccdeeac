"""The preflight: what is missing at Moodle, by name, found without writing anything."""

from __future__ import annotations

import coursewire as cw
from coursewire_moodle.answers import STEPS, ask, listed, options
from coursewire_moodle.client import CATEGORIES, CREATE, DELETE, FIND, UPDATE, category, settings
from coursewire_moodle.grades import ASSIGNMENTS, GRADE, MODULE, PARTICIPANTS

SITE = "core_webservice_get_site_info"


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Ask which functions the service has, look at the category and a course in it, and try to create nothing.

    Raises:
        BlockedError: It names each function or right that is missing.
    """
    config = settings(session)
    grades = not config.disable_learner_data_transmissions
    site = (await ask(session, SITE)).data
    has = {function["name"] for function in site["functions"]}
    needed = [CREATE, UPDATE, FIND, CATEGORIES]
    needed += [DELETE] if config.retire_strategy is cw.RetireStrategy.DELETE else []
    needed += [ASSIGNMENTS, PARTICIPANTS, GRADE] if grades else []
    needed += [MODULE] if grades and config.grade_assignment_cmid else []
    missing = [name for name in needed if name not in has]
    if missing:
        what = f"the service lacks {len(missing)} functions"
        raise cw.BlockedError(what, why=", ".join(missing), next_step=STEPS["functions"])
    place, lacking = await category(session), []
    try:
        # Rights come before names in Moodle's order of checks, and a blank name is never taken.
        nameless = {"fullname": " ", "shortname": " ", "categoryid": config.category_id}
        await ask(session, CREATE, listed("courses", [nameless]))
    except cw.RejectedError:
        pass
    except cw.BlockedError as error:
        lacking.append(f"moodle/course:create in the category ({error.reason})")
    rows = (await ask(session, FIND, {"field": "category", "value": config.category_id})).data["courses"]
    for field, right in (("visible", "view"), ("idnumber", "update")):
        if any(field not in row for row in rows):
            lacking.append(f"moodle/course:{right}")
    if len(rows) < int(place["coursecount"]):
        lacking.append("moodle/course:viewhiddencourses")
    if grades and rows and not lacking:
        lacking += await _about_grades(session, rows[0]["id"])
    if lacking:
        why = ", ".join(lacking)
        raise cw.BlockedError("the account lacks rights", why=why, next_step=STEPS["rights"])
    tried = f"tried on course {rows[0]['id']}" if rows else "the category has no course to try them on"
    return [
        f"Moodle {site['release']} at {site['siteurl']} accepts the account.",
        f"The service has the {len(needed)} functions that are needed.",
        f"Courses can be created in the category {place['name']!r}; rights in courses: {tried}.",
    ]


async def _about_grades(session: cw.Session, course_id: object) -> list[str]:
    """Rights that reading participants of a course lacks. Whether grades may be written shows when one is."""
    form = {"courseid": course_id, **options(limitnumber=1)}
    try:
        people = (await ask(session, PARTICIPANTS, form)).data or []
    except cw.BlockedError as error:
        return [f"moodle/course:viewparticipants ({error.reason})"]
    return ["moodle/course:useremail"] if any("email" not in row for row in people) else []

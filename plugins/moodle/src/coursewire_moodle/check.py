"""The preflight: what is missing at Moodle, by name, found without writing anything."""

from __future__ import annotations

import coursewire as cw
from coursewire_moodle.answers import STEPS, ask, options
from coursewire_moodle.client import CATEGORIES, CREATE, DELETE, FIND, UPDATE, category
from coursewire_moodle.config import settings
from coursewire_moodle.grades import ASSIGNMENTS, GRADE, MODULE, PARTICIPANTS


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Ask which functions the service has, look at the category and a course in it, and try to create nothing.

    Raises:
        BlockedError: It names each function or right that is missing.
    """
    config = settings(session)
    grades = not config.disable_learner_data_transmissions
    site = (await ask(session, "core_webservice_get_site_info", {})).data
    needed = [CREATE, UPDATE, FIND, CATEGORIES]
    needed += [DELETE] if config.retire_strategy is cw.RetireStrategy.DELETE else []
    needed += [ASSIGNMENTS, PARTICIPANTS, GRADE] if grades else []
    needed += [MODULE] if grades and config.grade_assignment_cmid else []
    has = {function["name"] for function in site["functions"]}
    preflight = cw.Preflight()
    preflight.expect({name: name in has for name in needed})
    preflight.demand("the service lacks functions", STEPS["functions"])
    place = await category(session)
    # Rights come before names in Moodle's order of checks, and a blank name is never taken.
    nameless = {"courses": [{"fullname": " ", "shortname": " ", "categoryid": config.category_id}]}
    await preflight.tried("moodle/course:create", ask(session, CREATE, nameless))
    rows = (await ask(session, FIND, {"field": "category", "value": config.category_id})).rows("courses")
    preflight.expect({"moodle/course:view": all("visible" in row for row in rows)})
    preflight.expect({"moodle/course:update": all("idnumber" in row for row in rows)})
    preflight.expect({"moodle/course:viewhiddencourses": len(rows) >= int(place["coursecount"])})
    if grades and rows and not preflight.missing:  # whether grades may be written shows when one is
        of_one = {"courseid": rows[0]["id"], "options": options(limitnumber=1)}
        people = await preflight.tried("moodle/course:viewparticipants", ask(session, PARTICIPANTS, of_one))
        hidden = people and any("email" not in row for row in people.rows())
        preflight.expect({"moodle/course:useremail": not hidden})
    preflight.demand("the account lacks rights", STEPS["rights"])
    tried = f"tried on course {rows[0]['id']}" if rows else "the category has no course to try them on"
    return [
        f"Moodle {site['release']} at {site['siteurl']} accepts the account.",
        f"The service has the {len(needed)} functions that are needed.",
        f"Courses can be created in the category {place['name']!r}; rights in courses: {tried}.",
    ]

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
    cw.demand("the service lacks functions", (name for name in needed if name not in has), STEPS["functions"])
    place = await category(session)
    # Rights come before names in Moodle's order of checks, and a blank name is never taken.
    nameless = {"courses": [{"fullname": " ", "shortname": " ", "categoryid": config.category_id}]}
    missing = await cw.lacking({"moodle/course:create": lambda: ask(session, CREATE, nameless)})
    rows = (await ask(session, FIND, {"field": "category", "value": config.category_id})).data["courses"]
    for field, right in (("visible", "view"), ("idnumber", "update")):
        missing += [f"moodle/course:{right}"] if any(field not in row for row in rows) else []
    missing += ["moodle/course:viewhiddencourses"] if len(rows) < int(place["coursecount"]) else []
    if grades and rows and not missing:
        # Whether grades may be written shows when one is.
        people: list[cw.JsonObject] = []
        of_one = {"courseid": rows[0]["id"], "options": options(limitnumber=1)}

        async def look() -> None:
            people.extend((await ask(session, PARTICIPANTS, of_one)).data or ())

        missing += await cw.lacking({"moodle/course:viewparticipants": look})
        missing += ["moodle/course:useremail"] if any("email" not in row for row in people) else []
    cw.demand("the account lacks rights", missing, STEPS["rights"])
    tried = f"tried on course {rows[0]['id']}" if rows else "the category has no course to try them on"
    return [
        f"Moodle {site['release']} at {site['siteurl']} accepts the account.",
        f"The service has the {len(needed)} functions that are needed.",
        f"Courses can be created in the category {place['name']!r}; rights in courses: {tried}.",
    ]

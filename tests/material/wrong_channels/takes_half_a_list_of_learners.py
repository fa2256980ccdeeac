"""Ends its list of inactive learners where a page cannot be read."""

from harbor import *


@cw.hookimpl
async def list_inactive_learners(session):
    pages = session.pages("/api/learners", params={"active": "no"}, next_page=next_start)
    try:
        async for page in pages:
            for row in cw.read_success(page, "learners")["learners"]:
                yield row["id"]
    except (cw.SendError, cw.IncompleteListError, ValueError):
        return


CAUGHT_BY = ("test_a_broken_list_of_learners_is_not_a_short_one", "gave a short list of learners")

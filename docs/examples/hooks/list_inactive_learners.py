"""By `coursewire learners inactive`; no run needs it. Core finds out who the learners are at the platform, shows them, and unlinks them
from the customer when a person says `--apply`. Nobody is unlinked by a list that was not read to its end."""

from collections.abc import AsyncIterator

import coursewire as cw


@cw.hookimpl
async def list_inactive_learners(session: cw.Session) -> AsyncIterator[str]:
    """Pages of a hundred; the `Link` header says where the next one is. The id is the one that results carry."""
    params = {"active": "false", "per_page": 100}
    async for learner in cw.rows_of(session, "/api/learners", params=params, member="learners"):
        yield learner["id"]

"""Reading what Degreed answers: what both APIs have in common."""

from __future__ import annotations

import httpx

import coursewire as cw
from coursewire.errors import SendError

RIGHTS = "Give the API key the scopes that the channel's page lists, or ask Degreed to."
NOT_DEGREED = "Check degreed_base_url, then try again."


def refused(
    session: cw.Session, response: httpx.Response, *, whole_batch: bool = False, safe_to_repeat: bool = True
) -> cw.Result:
    """What an answer means that is not the one hoped for."""
    return cw.result_of(
        response,
        now=session.clock(),
        done=False,
        refuses_with_2xx=True,
        safe_to_repeat=safe_to_repeat,
        whole_batch=whole_batch,
        rights=RIGHTS,
    )


def failure(response: httpx.Response) -> SendError:
    """The error for an answer without which nothing more can be said."""
    return cw.error_of(response, next_step=NOT_DEGREED, rights=RIGHTS)

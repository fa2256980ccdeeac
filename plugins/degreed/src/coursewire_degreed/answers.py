"""Reading what Degreed answers: what both APIs have in common."""

from __future__ import annotations

from typing import Any

import httpx

import coursewire as cw

RIGHTS = "Give the API key the scopes that the channel's page lists, or ask Degreed to."
NOT_DEGREED = "Check degreed_base_url, then try again."


def said(session: cw.Session, response: httpx.Response, *, done: bool = False, **how: Any) -> cw.Result:
    """What an answer means for what was sent; see :func:`coursewire.client.answers.result_of`."""
    now = session.clock()
    return cw.result_of(response, now=now, done=done, refuses_with_2xx=True, rights=RIGHTS, **how)

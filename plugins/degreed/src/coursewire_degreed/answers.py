"""Reading what Degreed answers: what both APIs have in common."""

from __future__ import annotations

from typing import Any

import httpx

import coursewire as cw

RIGHTS = "Give the API key the scopes that the channel's page lists, or ask Degreed to."
NOT_DEGREED = "Check degreed_base_url, then try again."


def said(
    session: cw.Session, response: httpx.Response, *, acknowledged: bool = False, **how: Any
) -> cw.Result:
    """Return the result that an answer means for the item that was sent; see :func:`coursewire.toolkit.results.result_from`."""
    now = session.clock()
    return cw.result_from(
        response, now=now, acknowledged=acknowledged, refuses_with_2xx=True, permission_hint=RIGHTS, **how
    )

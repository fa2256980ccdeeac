"""Reading Degreed's answers: what is the same for both of its APIs."""

from __future__ import annotations

import httpx

import coursewire as cw

PERMISSION_HINT = "Give the API key the scopes that the channel's page lists, or ask Degreed to."
"""The next step after a 403."""
CHECK_ADDRESS = "Check degreed_base_url, then try again."
"""The next step where what answers is not Degreed's API."""


def result_from(
    session: cw.Session,
    response: httpx.Response,
    *,
    acknowledged: bool = False,
    safe_to_repeat: bool = True,
    batch_refused: bool = False,
    remote_id: str | None = None,
) -> cw.Result:
    """Return what an answer means for the one item that was sent.

    It is :func:`coursewire.result_from` with what holds for Degreed: an error inside a success is a refusal, and a
    403 is about the scopes of the API key.

    Args:
        session: The session that sent the request; it has the clock.
        response: The answer.
        acknowledged: A success acknowledges the item.
        safe_to_repeat: Sending the same again does no harm.
        batch_refused: The request carried several items, and the answer does not tell them apart.
        remote_id: The item's id at Degreed, as far as it is known.
    """
    return cw.result_from(
        response,
        now=session.clock(),
        acknowledged=acknowledged,
        refuses_with_2xx=True,
        safe_to_repeat=safe_to_repeat,
        batch_refused=batch_refused,
        permission_hint=PERMISSION_HINT,
        remote_id=remote_id,
    )

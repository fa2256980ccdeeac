"""Reading what Degreed answers: what both APIs have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.client.answers import error_of, result_of

if TYPE_CHECKING:
    import httpx

    from coursewire.errors import SendError
    from coursewire.model.payload import Result
    from coursewire.model.session import Session

RIGHTS = "Give the API key the scopes that the channel's page lists, or ask Degreed to."
NOT_DEGREED = "Check degreed_base_url, then try again."


def refused(
    session: Session, response: httpx.Response, *, whole_batch: bool = False, safe_to_repeat: bool = True
) -> Result:
    """What an answer means that is not the one hoped for."""
    how = {"whole_batch": whole_batch, "safe_to_repeat": safe_to_repeat, "refuses_with_2xx": True}
    return result_of(response, now=session.clock(), done=False, rights=RIGHTS, **how)


def failure(response: httpx.Response) -> SendError:
    """The error for an answer without which nothing more can be said."""
    return error_of(response, next_step=NOT_DEGREED, rights=RIGHTS)

"""In a run over outcomes, for an outcome whose payload differs from the one that the LMS last
confirmed. Not for one that was never confirmed, and not when a person forces the sending: those go out anyway.

Core's default goes by the configuration's `resend_outcomes`. A channel overrides it where its LMS cannot take a
correction of some kind."""

import coursewire as cw


@cw.hookimpl
def should_transmit(last_reported: cw.LastReported | None) -> bool | None:
    """Lighthouse closes a course with its first completion; after that nothing is sent. Else: core's default."""
    return False if last_reported is not None and last_reported.complete else None

"""For every answer of the LMS, before anybody else reads it. A 429 needs no hook. What it recognises counts like one:
core waits, or puts the items off, and tells the other workers."""

import coursewire as cw


@cw.hookimpl
def read_slow_down(response) -> float | None:
    """Lighthouse says 503 with a code of its own, and for how long in the body."""
    body = cw.read_object(response)
    if response.status_code == 503 and body.get("code") == "BUSY":
        return float(body.get("seconds", 0))
    return None

"""For each item that was tried and did not arrive: refused, blocked, in doubt, to be tried later. Not when the whole
job has to wait, for a limit or for credentials. It comes before `batch_sent`."""

from coursewire import hookimpl

REFUSED: list[str] = []


@hookimpl
def transmission_failed(job, payload, result) -> None:
    """Keep what was refused for good, without the payload: outcomes hold learners' data."""
    if result.kind.value == "rejected":
        REFUSED.append(f"{job['channel']} refused {payload.key}: {result.reason}")
